// SPDX-License-Identifier: MIT
// `brood` at its start: what it makes of a directory, and what of mistakes in it.
#include "brood_directory.hpp"
#include "commanded.hpp"
#include "inherited.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool has_open(pid_t pid, const std::string& file) {
  return std::ranges::any_of(open_in(pid), [&](const auto& each) { return each.second == file; });
}

}  // namespace

TEST_CASE("each file is a service, the defaults are for all, and the file's own settings win") {
  const Directory directory("start-servers = 2\nmin-spare-servers = 1\n");
  directory.add("a");
  directory.add("b", "start-servers = 1\n");
  write_file(directory.path() + "/notes.txt", "no service");
  write_file(directory.path() + "/.c.conf", "nor this");
  const ServerProcess server(in(directory, {"--b.max-clients=7", "--max-spare-servers=5"}), brood_options());
  REQUIRE(server.addresses().size() == 2);
  for (const auto& address : server.addresses()) CHECK(answers(address));
  const Snapshot snapshot = server.snapshot();
  CHECK(snapshot.name == "brood");
  REQUIRE(snapshot.services.size() == 2);
  CHECK(snapshot.services[0].name == "a");
  CHECK(snapshot.services[0].start_servers == 2);
  CHECK(snapshot.services[1].start_servers == 1);
  CHECK(snapshot.services[0].max_spare_servers == 5);
  CHECK(snapshot.services[0].max_clients == 256);
  CHECK(snapshot.services[1].max_clients == 7);
}

TEST_CASE("the file of --config takes the place of defaults") {
  const Directory directory("start-servers = 2\n");
  directory.add("a");
  write_file(directory.path() + "/shared", "start-servers = 1\nmin-spare-servers = 1\nname = other\n");
  const ServerProcess server(in(directory, {"--config=" + directory.path() + "/shared"}), brood_options());
  CHECK(server.snapshot().name == "other");
  CHECK(server.snapshot().services[0].start_servers == 1);
}

TEST_CASE("discard receives and says nothing") {
  const Directory directory;
  directory.write("a", "built-in = discard\nlisten = 127.0.0.1:0\n");
  const ServerProcess server(in(directory), brood_options());
  Client client = server.connect();
  client.send("hello\n");
  client.finish_sending();
  CHECK(client.until_end().empty());
  CHECK(server.reaches([](const auto& service) { return service.total.bytes_read == 6; }));
}

TEST_CASE("a mistake in one file is reported with its place, and the others run") {
  const Directory directory;
  directory.add("a");
  directory.add("b", "max-client = 5\n");
  directory.write("c", "built-in = echo\nlisten = 127.0.0.1:0\ncommand = /bin/cat\n");
  directory.write("d", "listen = 127.0.0.1:0\n");
  directory.write("e", "built-in = echo\n");
  directory.write("f", "command = ./no-such-program\nlisten = 127.0.0.1:0\n");
  directory.add("g", "max-clients = 3\nstart-servers = 3\n");  // with the default of min-spare-servers
  directory.add("h i");
  directory.add("i", "pid-file = /run/i\n");
  directory.write("j", "command = relative\nlisten = 127.0.0.1:0\n");
  ServerProcess server(in(directory), brood_options());
  CHECK(server.addresses().size() == 1);
  CHECK(answers(server.address()));
  CHECK(server.snapshot().services.size() == 1);
  const std::string path = directory.path();
  const std::vector<std::string> all = {
      path + "/b.conf:3: unknown setting 'max-client'; did you mean 'max-clients'?",
      path + "/c.conf:1: built-in = echo and a command are both set: a service runs only one of them",
      path + "/d.conf: command is not set: there is nothing to run",
      path + "/e.conf: listen is not set: each service needs an address of its own",
      path + "/f.conf:1: command = " + path + "/no-such-program cannot be executed",
      path + "/g.conf:3: min-spare-servers = 5 exceeds max-clients = 3",
      path + "/i.conf:3: pid-file belongs to the whole server: set it in defaults/ or on the command line",
      path + "/h i.conf: service name 'h i' is not 1 to 63 letters",
      path + "/j.conf:1: command = relative does not begin with an absolute path: relative"};
  for (const auto& wrong : all) {
    CHECK_MESSAGE(has(server.standard_error(), wrong), wrong);
    CHECK_MESSAGE(has(server.log(), wrong), wrong);
  }
  CHECK(server.count_in_log(" is left out") == 9);
  CHECK(server.count_in_log("/j.conf") == 1);
}

TEST_CASE("if no service could be started, the exit code says whether another try may help") {
  const Directory directory;
  directory.write("wrong", "nonsense\n");
  {
    ServerProcess server(in(directory), brood_options(false));
    CHECK(server.wait_exit() == exited(78));
  }
  const ServerProcess other;
  directory.write("busy", "built-in = echo\nlisten = " + other.address() + "\n");
  ServerProcess server(in(directory), brood_options(false));
  CHECK(server.wait_exit() == exited(71));
  CHECK(has(server.standard_error(), "no service could be started"));
}

TEST_CASE("with strict all of them are told, and nothing is started") {
  const Directory directory;
  directory.add("a");
  directory.add("b", "max-client = 5\n");
  directory.add("c", "nonsense\n");
  for (const std::string option : {"--strict", "--test-config"}) {
    ServerProcess server(in(directory, {option}), brood_options(false));
    CHECK(server.wait_exit() == exited(78));
    CHECK(has(server.standard_error(), "/b.conf:3: unknown setting"));
    CHECK(has(server.standard_error(), "/c.conf:3: 'nonsense' is not of the form"));
  }
}

TEST_CASE("a mistake in the defaults or on the command line starts nothing") {
  struct {
    const char* shared;
    const char* option;
    const char* wrong;
  } const rows[] = {
      {"max-clients = x\n", "", "/defaults/all.conf:1: max-clients = x is not a whole number"},
      {"colour = red\n", "", "/defaults/all.conf:1: unknown setting 'colour'"},
      {"daemonize = yes\nlog = stderr\n", "--log=stderr",
       "/defaults/all.conf:1: daemonize = yes needs a log that is not stderr"},
      {"", "--a.max-client=3", "command line: unknown option 'a.max-client'; did you mean 'a.max-clients'?"},
      {"", "--b.max-clients=3", "command line: unknown option 'b.max-clients'"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.wrong);
    const Directory directory(row.shared);
    directory.add("a");
    ServerOptions options = brood_options(false);
    options.log = false;
    std::vector<std::string> more;
    if (*row.option != '\0') more.emplace_back(row.option);
    ServerProcess server(in(directory, more), options);
    CHECK(server.wait_exit() == exited(78));
    CHECK(has(server.standard_error(), row.wrong));
  }
}

TEST_CASE("a service that the command line or the defaults break is named") {
  const Directory directory("max-clients = 3\n");
  directory.add("a", "min-spare-servers = 1\nstart-servers = 1\n");
  directory.add("b");
  directory.add("c", "max-clients = 100\n");
  const ServerProcess server(in(directory, {"--c.start-servers=101"}), brood_options());
  CHECK(server.snapshot().services.size() == 1);
  CHECK(has(server.log(), "/defaults/all.conf:1, service b: start-servers = 5 exceeds max-clients = 3"));
  CHECK(has(server.log(), "command line, service c: start-servers = 101 exceeds max-clients = 100"));
}

TEST_CASE("one address for two services: the one later by name is left out, and both are named") {
  const Directory directory;
  directory.add_unix("a");
  directory.write("b", "built-in = echo\nlisten = 127.0.0.1:0\nlisten = " + directory.address("a") + "\n");
  const ServerProcess server(in(directory), brood_options());
  CHECK(server.addresses().size() == 1);
  CHECK(has(server.log(), directory.file("b") + ":3: listen = " + directory.address("a") +
                              " is the same address as one of service a (" + directory.file("a") + ":2)"));
}

TEST_CASE("a listener that can't be opened leaves its service out, and the next reload tries again") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  directory.add("a");
  const std::string gone = directory.path() + "/not-there";
  directory.write("b", "built-in = echo\nlisten = unix:" + gone + "/b.sock\n");
  const ServerProcess server(in(directory), brood_options());
  CHECK(server.addresses().size() == 1);
  CHECK(server.wait_for_log("service b is left out"));
  const auto before = pids_of(server, "a");
  std::filesystem::create_directory(gone);
  server.signal(SIGHUP);
  CHECK(eventually([&] { return answers("unix:" + gone + "/b.sock"); }));
  CHECK(eventually([&] { return pids_of(server, "a") != before; }));
}

TEST_CASE("a log that can't be opened leaves its service out, and the next reload tries again") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  const std::string place = directory.path() + "/not-there";
  directory.add("a");
  directory.add_unix("b", "log = " + place + "/b.log\n");
  const ServerProcess server(in(directory), brood_options());
  CHECK(server.addresses().size() == 1);
  CHECK(has(server.log(), "open log " + place + "/b.log: No such file or directory"));
  CHECK(has(server.log(), "service b is left out"));
  std::filesystem::create_directory(place);
  server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("b")); }));
  CHECK(has(read_file(place + "/b.log"), "service b: new, on "));
}

TEST_CASE("strict: a listener that can't be opened starts nothing") {
  const Directory directory;
  directory.add("a");
  directory.write("b", "built-in = echo\nlisten = unix:" + directory.path() + "/not-there/b.sock\n");
  ServerProcess server(in(directory, {"--strict"}), brood_options(false));
  CHECK(server.wait_exit() == exited(71));
}

TEST_CASE("without any service that could be started, and without a directory, the exit code is 78") {
  const Directory directory;
  {
    ServerProcess server(in(directory), brood_options(false));
    CHECK(server.wait_exit() == exited(78));
    CHECK(has(server.standard_error(), directory.path() + " has no file NAME.conf"));
  }
  directory.write("a", "nonsense\n");
  {
    ServerProcess server(in(directory), brood_options(false));
    CHECK(server.wait_exit() == exited(78));
    CHECK(has(server.standard_error(), "a.conf:1: 'nonsense' is not of the form"));
    CHECK(has(server.standard_error(), "no service could be started"));
  }
  {
    ServerProcess server({"--config-directory", "--strict"}, brood_options(false));
    CHECK(server.wait_exit() == exited(78));
    CHECK(has(server.standard_error(), "command line: --config-directory names no directory"));
  }
  ServerProcess server({"--config-directory=" + directory.path() + "/no-such"}, brood_options(false));
  CHECK(server.wait_exit() == exited(78));
  CHECK(has(server.standard_error(), "/no-such: No such file or directory"));
}

TEST_CASE(
    "the help lists options, settings and services, and the printed settings say where values are from") {
  const Directory directory("max-clients = 20\n");
  directory.add("a");
  {
    ServerProcess help(in(directory, {"--help"}), brood_options(false));
    CHECK(help.wait_exit() == exited(0));
    for (const char* part : {"--config-directory=DIRECTORY", "--try-lock", "--built-in", "--strict",
                             "DIRECTORY/SERVICE.conf:\n  a\n"})
      CHECK_MESSAGE(has(help.standard_output(), part), part);
  }
  ServerProcess print(in(directory, {"--print-config"}), brood_options(false));
  CHECK(print.wait_exit() == exited(0));
  CHECK(has(print.standard_output(), "max-clients = 20  # " + directory.path() + "/defaults/all.conf:1\n"));
  CHECK(has(print.standard_output(), "# Settings of service a: " + directory.file("a") + "\n"));
  CHECK(has(print.standard_output(), "built-in = echo  # " + directory.file("a") + ":1\n"));
}

TEST_CASE("a listener that was inherited waits for the service that was left out at the start") {
  const Inherited inherited;
  const Directory directory(one_child);
  directory.add("a");
  const std::string right = "built-in = echo\nlisten = fd:9\n";
  bool upgrade = false, kept = false;
  SUBCASE("a mistake in its file") { directory.write("b", right + "max-client = 5\n"); }
  SUBCASE("a mistake in its file, and an upgrade of the server") {
    directory.write("b", right + "max-client = 5\n");
    upgrade = true;
  }
  SUBCASE("another one of its listeners can't be opened") {
    directory.write("b", right + "listen = unix:" + directory.path() + "/no/such/socket\n");
  }
  SUBCASE("it is no mistake") {
    directory.write("b", right);
    kept = true;
  }
  ServerOptions options = brood_options();
  options.in_process = inherited.options().in_process;
  ServerProcess server(in(directory), options);
  if (!kept) CHECK(server.wait_for_log("service b is left out"));
  Client waits(inherited.address);
  waits.send("hello\n");
  const std::string socket =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(inherited.socket.get()));
  CHECK(has_open(server.pid(), socket));
  // It reaches no child of another service.
  for (const pid_t child : pids_of(server, "a")) CHECK_FALSE(has_open(child, socket));
  if (upgrade) {
    directory.remove("b");
    server.signal(SIGUSR2);
    CHECK(server.wait_for_log("upgraded: "));
  }
  directory.write("b", right);
  server.signal(SIGHUP);
  CHECK(waits.line() == "hello");
  waits.close();
  CHECK(answers(inherited.address));
  // It is closed with its service, as any other.
  directory.remove("b");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("service b: has ended"));
  CHECK_FALSE(has_open(server.pid(), socket));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("try-lock says whether a server of this name runs, and a second one doesn't start") {
  const Directory directory("name = mine\n");
  directory.add("a");
  ServerProcess server(in(directory), brood_options());
  const std::string runtime = "--runtime-directory=" + server.directory().path();
  const std::string who = "as process " + std::to_string(server.pid());
  ServerOptions options = brood_options(false);
  options.runtime_directory = false;
  {
    ServerProcess asked(in(directory, {runtime, "--try-lock"}), options);
    CHECK(asked.wait_exit() == exited(1));
    CHECK(asked.standard_output() == "server mine is running " + who + "\n");
  }
  {
    ServerProcess second(in(directory, {runtime}), options);
    CHECK(second.wait_exit() == exited(78));
    CHECK(has(second.standard_error(), "server mine already runs, " + who));
  }
  {
    ServerProcess other(in(directory, {runtime, "--name=other"}), options);
    other.wait_ready();
    CHECK(answers(other.address()));
  }
  // One that stops still runs.
  Client held = server.connect();
  held.send("held\n");
  CHECK(held.line() == "held");
  {
    server.signal(SIGTERM);
    REQUIRE(eventually([&] { return server.snapshot().stopping; }));
    ServerProcess asked(in(directory, {runtime, "--try-lock"}), options);
    CHECK(asked.wait_exit() == exited(1));
    CHECK(asked.standard_output() ==
          "server mine is stopping, process " + std::to_string(server.pid()) + "\n");
  }
  // The files that a killed parent leaves behind are in nobody's way.
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  REQUIRE(std::filesystem::exists(server.scoreboard()));
  {
    ServerProcess asked(in(directory, {runtime, "--try-lock"}), options);
    CHECK(asked.wait_exit() == exited(0));
    CHECK(asked.standard_output().empty());
  }
  ServerProcess next(in(directory, {runtime}), options);
  next.wait_ready();
  CHECK(answers(next.address()));
}

TEST_CASE("try-lock without a scoreboard to look at can't tell") {
  const Directory directory;
  directory.add("a");
  ServerOptions options = brood_options(false);
  options.runtime_directory = false;
  ServerProcess asked(in(directory, {"--runtime-directory=none", "--try-lock"}), options);
  CHECK(asked.wait_exit() == exited(78));
}

TEST_CASE("brood is no child of another parent: it says so, and that service is stopped") {
  const Directory directory("start-servers = 1\nmin-spare-servers = 1\n");
  directory.add_unix("a");
  const Directory inner;
  inner.add_unix("c");
  directory.write("b", "command = " + program_path("brood") +
                           " --runtime-directory=none --config-directory=" + inner.path() +
                           "\nlisten = 127.0.0.1:0\n");
  const ServerProcess server(in(directory), brood_options());
  CHECK(eventually([&] { return find_service(server, "b")->state == ServiceState::failed; }));
  CHECK(answers(directory.address("a")));
  CHECK_FALSE(answers(inner.address("c")));
}
