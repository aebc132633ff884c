// SPDX-License-Identifier: MIT
// One path for settings: whatever the order, and however a service came, its children and broodctl agree with
// what the files say, or with what they said when they were last put in force.
#include <pwd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "brood_directory.hpp"
#include "broodctl.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A child that has served and is killed is no failing start, and the next connection has a fresh one.
const char* const on_demand = "start-servers = 0\nmin-spare-servers = 0\nmax-spare-servers = 2\n";

struct Values {
  std::string user, word;  // the word is a setting of the command's own
  unsigned max_clients;
  std::string log_level;
};

class Services {
 public:
  // One is there at the start, one comes by a reload, and one was left out for a mistake and is mended.
  explicit Services(const Values& first)
      : it(prepared(first), on_demand, {.program = "brood", .listen = false}) {}

  static inline const std::vector<std::string> names = {"there", "came", "mended"};

  void write(const Values& values, const std::string& more = "") const {
    for (const auto& name : names) directory.write(name, file(name, values) + more);
  }
  std::string file(const std::string& name, const Values& values) const {
    return "command = " + child + "\nsettings = word=" + values.word +
           "\ncommand-gets = slot\nlisten = " + directory.address(name) +
           "\nmax-clients = " + std::to_string(values.max_clients) + "\nlog-level = " + values.log_level +
           "\n" + (::geteuid() == 0 ? "user = " + values.user + "\n" : "");
  }

  // Of all services, and of children that are forked from now on.
  void agree_with(const Values& values) {
    for (const auto& name : names) {
      CAPTURE(name);
      check(name, values);
      for (const pid_t pid : pids_of(it.server, name)) {
        ::kill(pid, SIGKILL);
        REQUIRE(eventually([&] { return std::ranges::count(pids_of(it.server, name), pid) == 0; }));
      }
      check(name, values);
    }
  }

  const Directory directory;
  const TemporaryDirectory programs;
  const std::string child = programs / "child";
  Upgradeable it;

 private:
  std::vector<std::string> prepared(const Values& first) {
    std::filesystem::permissions(programs.path(), std::filesystem::perms(0755));  // for other users
    std::filesystem::copy_file(program_path("brood-test-server"), child);
    directory.write("there", file("there", first));
    directory.write("mended", file("mended", first) + "max-clients = many\n");
    return in(directory);
  }

  bool runs_as(pid_t child_pid, const Values& values) const {
    const std::string words = read_file("/proc/" + std::to_string(child_pid) + "/cmdline");
    if (words.find("--word=" + values.word + '\0') == std::string::npos) return false;
    if (::geteuid() != 0) return true;
    const std::string uid = std::to_string(::getpwnam(values.user.c_str())->pw_uid);
    return status_of(child_pid, "Uid") == uid + '\t' + uid + '\t' + uid + '\t' + uid;
  }

  void check(const std::string& name, const Values& values) {
    // The children of before have gone.
    REQUIRE(eventually([&] {
      const auto service = find_service(it.server, name);
      return service && service->leaving == 0 && std::ranges::all_of(service->slots, [&](const auto& slot) {
               return slot.state == SlotState::empty || slot.generation == service->generation;
             });
    }));
    Client client(directory.address(name));
    CHECK(client.ask("word") == values.word);
    for (const pid_t pid : pids_of(it.server, name)) CHECK(runs_as(pid, values));
    const std::string mark = name + " says " + std::to_string(++marks_);
    CHECK(client.ask("log " + mark) == "logged");
    CHECK((it.server.count_in_log(mark) == 1) == (values.log_level != "error"));
    const auto status =
        nlohmann::json::parse(broodctl("--server=" + it.server.scoreboard() + " --json status").text);
    for (const auto& service : status["services"])
      if (service["name"] == name) CHECK(service["limits"]["max_clients"] == values.max_clients);
    const auto list = ask(it.server, "list").text;
    const auto line = list.substr(list.find('\n' + name) + 1);
    CHECK(line.substr(0, line.find('\n')).find('/' + std::to_string(values.max_clients)) !=
          std::string::npos);
  }

  unsigned marks_ = 0;
};

// An address that is taken is found out after exec() alone.
void upgrade_in_vain(Services& services, const Values& files, const std::string& taken) {
  services.directory.write("there", services.file("there", files) + "listen = " + taken + "\n");
  REQUIRE(services.it.upgrade_is_refused("Address already in use"));
  services.write(files);
}

void order_of_each(Services& services, const std::string& order, const std::string& more = "") {
  for (const auto& name : Services::names) {
    const CtlAnswer answer = ask(services.it.server, order + ' ' + name + more);
    CHECK_MESSAGE(answer.code == 0, answer.text);
  }
}

// Gives an order to services that were there at the start, that came by a reload, and that were mended.
void check(void (*give)(Services& services), Values (*in_force)(const Values& before, const Values& files)) {
  const Values first = {"nobody", "first", 30, "error"}, second = {"daemon", "second", 31, "info"};
  const ServerProcess other;
  Services services(first);
  REQUIRE(services.it.server.wait_for_log("service mended is left out"));
  services.write(first);
  const CtlAnswer answer = ask(services.it.server, "reload");
  REQUIRE_MESSAGE(answer.code == 0, answer.text);
  CHECK_FALSE(answer.says("restart"));
  services.agree_with(first);

  services.write(second);
  give(services);
  const Values now = in_force(first, second);
  services.agree_with(now);
  upgrade_in_vain(services, second, other.address());
  services.agree_with(now);
}

Values as_before(const Values& before, const Values& /*files*/) { return before; }
Values as_the_files(const Values& /*before*/, const Values& files) { return files; }
Values but_the_user(const Values& before, const Values& files) {
  return {before.user, files.word, files.max_clients, files.log_level};
}

}  // namespace

TEST_CASE("after a reload all services go by their files, but for what needs a restart") {
  const auto reload = [](Services& services) {
    const CtlAnswer answer = ask(services.it.server, "reload");
    CHECK_MESSAGE(answer.code == 0, answer.text);
    for (const auto& name : Services::names)
      CHECK(answer.says("needs a restart of service " + name + ": broodctl restart " + name) ==
            (::geteuid() == 0));
  };
  check(reload, but_the_user);
}

TEST_CASE("after a reload of each one, services go by their files, but for what needs a restart") {
  check([](Services& services) { order_of_each(services, "reload"); }, but_the_user);
}

TEST_CASE("after a check, services go by what is in force") {
  check([](Services& services) { CHECK(ask(services.it.server, "check").code == 0); }, as_before);
}

TEST_CASE("after a scale, services go by what is in force, but for that limit") {
  check([](Services& services) { order_of_each(services, "scale", " max-clients=33"); },
        [](const Values& before, const Values&) {
          return Values{before.user, before.word, 33, before.log_level};
        });
}

TEST_CASE("after a restart, services go by their files") {
  check([](Services& services) { order_of_each(services, "restart"); }, as_the_files);
}

TEST_CASE("after a stop and a start, services go by their files") {
  const auto stop_and_start = [](Services& services) {
    order_of_each(services, "stop");
    order_of_each(services, "start");
  };
  check(stop_and_start, as_the_files);
}

TEST_CASE("after an upgrade, services go by their files") {
  check([](Services& services) { REQUIRE(services.it.upgrade()); }, as_the_files);
}

TEST_CASE("after a refused upgrade, services go by what is in force") {
  check([](Services& /*services*/) {}, as_before);
}
