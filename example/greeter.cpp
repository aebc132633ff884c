// SPDX-License-Identifier: MIT
// Shows the hooks, a note on the scoreboard, and a setting of the server's own: a client sends names, a line
// each, and is greeted by them. Run `greeter --config=etc/greeter.conf`, change the greeting in that file,
// and send SIGHUP to the parent.
#include <pwd.h>

#include <brood/brood.hpp>
#include <chrono>
#include <cstring>
#include <map>

class Greeter : public brood::Server {
  // greeting_ holds the default now, and the configured value when on_parent_start() is called.
  void add_settings(brood::Settings& settings) override {
    settings.text("greeting", greeting_, "The words before the name in an answer.");
  }

  // In the parent, before the first fork: all children share what is loaded here.
  void on_parent_start() override {
    while (const passwd* account = getpwent())
      full_names_[account->pw_name] = std::string(account->pw_gecos, std::strcspn(account->pw_gecos, ","));
    endpwent();
  }

  // In the parent, after SIGHUP: children that are forked from now on have the new greeting, and replace the
  // others.
  void on_reload() override { brood::log_info("the greeting is '" + greeting_ + "' now"); }

  // In each child, before its first connection and after its last one: for what it does not share, such as
  // the connection to a database.
  void on_child_start() override { brood::log_debug("ready to greet"); }
  void on_child_exit() override {
    brood::log_info("greeted " + std::to_string(greeted_) + " before leaving");
  }

  void handle_connection(brood::Connection& connection) override {
    connection.set_timeouts(std::chrono::seconds(30), std::chrono::seconds(30));
    while (const auto name = connection.read_line()) {
      connection.note(*name);  // `broodctl status` shows it
      const auto known = full_names_.find(*name);
      const bool has_full_name = known != full_names_.end() && !known->second.empty();
      connection.write_all(greeting_ + ", " + (has_full_name ? known->second : *name) + "!\n");
      ++greeted_;
      if (connection.leaving()) return;  // this child is being replaced; another one greets from now on
    }
  }

  std::string greeting_ = "Good day";
  std::map<std::string, std::string> full_names_;
  unsigned greeted_ = 0;
};

int main(int argc, char** argv) { return Greeter().run(argc, argv); }
