// SPDX-License-Identifier: MIT
// Greets by name whoever says one, a line at a time: shows the hooks, a note, and a setting of its own. Try
// it with `greeter --config=etc/greeter.conf`, then edit the greeting there and send the parent SIGHUP.
#include <pwd.h>

#include <brood/server.hpp>
#include <brood/settings.hpp>
#include <chrono>
#include <cstring>
#include <map>

class Greeter : public brood::Server {
  // The variable holds the default now, and the configured value before on_parent_start().
  void add_settings(brood::Settings& settings) override {
    settings.text("greeting", greeting_, "What stands before the name in an answer.");
  }

  // Parent, before the first fork: what is loaded here, the children share.
  void on_parent_start() override {
    while (const passwd* account = getpwent())
      full_names_[account->pw_name] = std::string(account->pw_gecos, std::strcspn(account->pw_gecos, ","));
    endpwent();
  }

  // Parent, after SIGHUP: children that are forked from now on have the new greeting, and replace the others.
  void on_reload() override { brood::log_info("the greeting is '" + greeting_ + "' now"); }

  // Child, before its first connection and after its last: what it has for itself, as a database handle.
  void on_child_start() override { brood::log_debug("ready to greet"); }
  void on_child_exit() override {
    brood::log_info("greeted " + std::to_string(greeted_) + " before leaving");
  }

  void handle_connection(brood::Connection& connection) override {
    connection.set_timeouts(std::chrono::seconds(30), std::chrono::seconds(30));
    while (const auto name = connection.read_line()) {
      connection.note(*name);  // broodctl shows it
      const auto known = full_names_.find(*name);
      const bool has_full_name = known != full_names_.end() && !known->second.empty();
      connection.write_all(greeting_ + ", " + (has_full_name ? known->second : *name) + "!\n");
      ++greeted_;
      if (connection.leaving()) return;  // this child is being replaced: the next line is for another one
    }
  }

  std::string greeting_ = "Good day";
  std::map<std::string, std::string> full_names_;
  unsigned greeted_ = 0;
};

int main(int argc, char** argv) { return Greeter().run(argc, argv); }
