// SPDX-License-Identifier: MIT
// Shows handles and timers of an event loop: a chat. What one client says reaches the others of its child, so
// there is one child.
#include <brood/event_server.hpp>
#include <brood/settings.hpp>

#include <list>

class Chat : public brood::EventServer {
  using Members = std::list<brood::ConnectionHandle>;
  Members members_;  // of this child, whose one thread needs no lock
  std::chrono::milliseconds patience_ = std::chrono::minutes(10);

  // Belongs to a connection, and ends with it.
  struct Member {
    Members* members = nullptr;
    Members::iterator place;
    std::string name;
    ~Member() {
      if (members) members->erase(place);
    }
  };

  void add_settings(brood::Settings& settings) override {
    for (const auto* one : {"start-servers", "min-spare-servers", "max-spare-servers", "max-clients"})
      settings.set_default(one, {"1"});
    settings.duration("patience", patience_, std::chrono::milliseconds(1), std::chrono::hours(24),
                      "After this time without a word, a client is sent away.");
  }

  Next handle_accepted(brood::Connection& connection) override {
    auto& member = connection.state<Member>();
    member.place = members_.insert(members_.end(), handle_of(connection));
    member.members = &members_;
    connection.write_all("Your name?\n");
    set_timer(connection, patience_);
    return Next::more_input;
  }

  Next handle_readable(brood::Connection& connection) override {
    auto& member = connection.state<Member>();
    const auto line = connection.try_line();
    if (!line) return Next::request;
    set_timer(connection, patience_);
    if (member.name.empty())
      member.name = *line;
    else
      for (const auto& to : members_)
        if (to != *member.place)
          to.post([said = member.name + ": " + *line + "\n"](brood::Connection& it) { it.write_all(said); });
    return Next::request;
  }

  Next handle_timer(brood::Connection& connection) override {
    connection.write_all("Good bye.\n");
    return Next::close;
  }
};

int main(int argc, char** argv) { return Chat().run(argc, argv); }
