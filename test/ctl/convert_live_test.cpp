// SPDX-License-Identifier: MIT
// What broodctl convert writes is run by brood, and each service answers: ten of an inetd.conf, with programs
// that a Debian has, and five of an acl_master, one for each of its templates, with programs of the kit in
// their place.
#include <doctest/doctest.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>

#include "asker.hpp"
#include "brood_directory.hpp"
#include "broodctl.hpp"
#include "root.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

CtlAnswer convert(const std::string& arguments, const TemporaryDirectory& directory) {
  return broodctl("convert " + arguments + " --output=" + (directory / "brood"));
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string contents(const TemporaryDirectory& directory) {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(directory / "brood"))
    if (entry.is_regular_file()) all += entry.path().filename().string() + ":\n" + read(entry.path());
  return all;
}

CtlAnswer test_config(const TemporaryDirectory& directory) {
  ServerProcess tester({"--config-directory=" + (directory / "brood"), "--test-config"}, [] {
    ServerOptions options = brood_options(false);
    options.runtime_directory = options.allow_root = options.log = false;
    return options;
  }());
  const auto exit = tester.wait_exit();
  return {exit ? exit->code : -1, tester.standard_output() + tester.standard_error()};
}

std::string address_of(const ServerProcess& server, const std::string& service) {
  const auto found = find_service(server, service);
  return found ? found->listeners : "";
}

// What the service sends until it closes.
std::string told_by(const std::string& address, const std::string& said = "") {
  Client client(address);
  if (!said.empty()) client.send(said);
  client.finish_sending();
  return client.until_end();
}

bool has_python() { return fs::exists("/usr/bin/python3"); }

}  // namespace

TEST_CASE("a converted inetd.conf of ten services runs, and each service answers") {
  if (skipped_without_root("because inetd.conf names users")) return;
  if (!has_python()) {
    MESSAGE("skipped: there is no /usr/bin/python3");
    return;
  }
  const TemporaryDirectory directory;
  fs::permissions(directory.path(), fs::perms(0755));
  write_file(directory / "upper.py",
             "import sys\nfor line in sys.stdin:\n  print(line.strip().upper(), flush=True)\n");
  write_file(directory / "fortune.sh", "echo \"You will convert $1.\"\n");
  write_file(
      directory / "counter.py",
      "import select, socket, sys\nlistener = socket.socket(fileno=0)\ncount = 0\n"
      "while select.select([listener], [], [], 20)[0]:\n  count += 1\n"
      "  connection = listener.accept()[0]\n  connection.sendall(b'%d\\n' % count)\n  connection.close()\n");
  write_file(directory / "datagrams.py",
             "import select, socket\ns = socket.socket(fileno=0)\nwhile select.select([s], [], [], 20)[0]:\n"
             "  data, peer = s.recvfrom(999)\n  s.sendto(data[::-1], peer)\n");
  const std::string d = directory.path();
  write_file(directory / "inetd.conf",
             "# ten services\n"
             "127.0.0.1:echo stream tcp nowait nobody internal\n"
             "127.0.0.1:discard stream tcp4 nowait nobody internal internal\n"
             "127.0.0.1:\n"
             "0\tstream\ttcp\tnowait\tnobody\t/bin/cat\tcat\n"
             "0 stream tcp nowait nobody:nogroup /bin/date date -u +year%Y\n"
             "0 stream tcp nowait nobody.nogroup /usr/bin/python3 python3 " +
                 d +
                 "/upper.py\n"
                 "0 stream tcp nowait nobody /bin/sh sh " +
                 d +
                 "/fortune.sh well\n"
                 "0 stream tcp nowait nobody /usr/bin/sha256sum sha256sum\n" +
                 d +
                 "/sorted.sock stream unix nowait nobody /usr/bin/sort\n\tsort -r\n"
                 "0 stream tcp wait nobody /usr/bin/python3 python3 " +
                 d +
                 "/counter.py\n"
                 "0 dgram udp wait nobody /usr/bin/python3 python3 " +
                 d + "/datagrams.py\n");
  const CtlAnswer answer = convert(directory / "inetd.conf", directory);
  CAPTURE(answer.text);
  CAPTURE(contents(directory));
  CHECK(answer.code == 0);
  CHECK(answer.says("10 services, 0 of them not started; 0 settings not translated"));
  const CtlAnswer tested = test_config(directory);
  CHECK_MESSAGE(tested.code == 0, tested.text);

  ServerProcess server({"--config-directory=" + (directory / "brood"), "--echo.listen=127.0.0.1:0",
                        "--discard.listen=127.0.0.1:0"},
                       brood_options());
  CHECK(server.count_in_log("is left out") == 0);
  CHECK(server.children().empty());  // none before its first connection
  CHECK(Client(address_of(server, "echo")).ask("hello") == "hello");
  CHECK(told_by(address_of(server, "discard"), "hello\n").empty());
  CHECK(Client(address_of(server, "cat")).ask("meow") == "meow");
  CHECK(told_by(address_of(server, "date")).starts_with("year20"));
  CHECK(Client(address_of(server, "python3")).ask("loud") == "LOUD");
  CHECK(told_by(address_of(server, "sh")) == "You will convert well.\n");
  CHECK(told_by(address_of(server, "sha256sum"), "abc")
            .starts_with("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  CHECK(told_by("unix:" + d + "/sorted.sock", "a\nc\nb\n") == "c\nb\na\n");
  CHECK(told_by(address_of(server, "python3-2")) == "1\n");
  CHECK(told_by(address_of(server, "python3-2")) == "2\n");  // by the same process
  CHECK(Asker(address_of(server, "python3-3")).ask("abc") == "cba");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a converted directory of acl_master of five services runs, and each service answers") {
  const TemporaryDirectory directory;
  fs::create_directories(directory / "conf/service");
  fs::create_directories(directory / "var/private");
  write_file(directory / "conf/main.cf",
             "# Defaults\ndefault_process_limit = 20\nservice_throttle_time = 10\n"
             "daemon_directory = " +
                 std::string(BROOD_PROGRAMS) + "\nqueue_directory = " + (directory / "var") +
                 "\nservice_directory = " + (directory / "conf/service") + "\nprocess_name = acl_master\n");
  const auto service = [&](const std::string& name, const std::string& keys) {
    write_file(directory / ("conf/service/" + name + ".cf"),
               "service " + name +
                   "\n{\n#\tA comment\n\tmaster_disable = no\n\tmaster_chroot = n\n"
                   "\tmaster_unpriv = n\n\tmaster_maxproc = 4\n\tmaster_prefork = 1\n" +
                   keys + "}\n");
  };
  service("single",
          "master_type = inet\nmaster_service = 127.0.0.1:0\nmaster_command = brood-test-server\n"
          "single_use_limit = 100\nword = two words # of the program\nmaster_env = "
          "mempool:1\nsingle_queue_dir = " +
              (directory / "var") + "\n");
  service("threads",
          "master_type = sock\nmaster_service = 127.0.0.1|0\nmaster_command = brood-thread-test-server\n"
          "ioctl_max_threads = 4\nioctl_rw_timeout = 120\nioctl_access_allow = all\n");
  service("aio",
          "master_type = sock\nmaster_service = 127.0.0.1|0, aio.sock@unix\nmaster_command = event_echo\n"
          "aio_rw_timeout = 60\naio_idle_limit = 30\n");
  service("udp",
          "master_type = udp\nmaster_service = 127.0.0.1:0\nmaster_command = udp_echo\nudp_use_limit = 50\n");
  service("trigger",
          "master_type = unix\nmaster_service = trigger.sock@unix\nmaster_wakeup = 1\n"
          "master_command = brood-trigger-test-server\nmaster_args = --tick=tock --out=" +
              (directory / "ticks") + "\ntrigger_use_limit = 100\n");
  const CtlAnswer answer = convert(
      "--from=acl " + (directory / "conf/main.cf") + ' ' + (directory / "conf/service/*.cf"), directory);
  CAPTURE(answer.text);
  CAPTURE(contents(directory));
  CHECK(answer.code == 0);
  CHECK(answer.says("5 services, 0 of them not started; 0 settings not translated"));
  const CtlAnswer tested = test_config(directory);
  CHECK_MESSAGE(tested.code == 0, tested.text);

  ServerProcess server({"--config-directory=" + (directory / "brood"), "--name=brood"}, brood_options());
  CHECK(server.count_in_log("is left out") == 0);
  CHECK(Client(address_of(server, "single")).ask("env SERVICE_ENV") == "mempool:1");
  CHECK(Client(address_of(server, "single")).ask("word") == "two words");
  CHECK(Client(address_of(server, "threads")).ask("echo hello") == "hello");
  CHECK(Client("unix:" + (directory / "var/private/aio.sock")).ask("hello") == "hello");
  CHECK(Asker(address_of(server, "udp")).ask("hello") == "echo: hello");
  CHECK(eventually([&] { return read(directory / "ticks").find("tock") != std::string::npos; }));
  CHECK(find_service(server, "single")->max_requests_per_child == 100);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE(
    "a converted master.cf and a converted directory of lib-zc have no mistakes, and what can run answers") {
  const TemporaryDirectory directory;
  fs::create_directories(directory / "queue/private");
  write_file(directory / "main.cf",
             "queue_directory = " + (directory / "queue") + "\ndefault_process_limit = 9\n");
  // clang-format off
  write_file(directory / "master.cf",
             "# service type  private unpriv  chroot  wakeup  maxproc command + args\n"
             "smtp      inet  n       -       n       -       -       smtpd\n"
             "pickup    unix  n       -       n       60      1       pickup\n"
             "smtp      unix  -       -       n       -       -       smtp\n"
             "  -o syslog_name=x\n"
             "postlog   unix-dgram n  -       n       -       1       postlogd\n"
             "policy    unix  -       n       n       -       0       spawn\n"
             "  user=nobody argv=/bin/sh -c { read line; echo \"policy: $line\" }\n"
             "127.0.0.1:0 inet n      n       n       -       3       spawn user=nobody:nogroup argv=/bin/cat\n");
  // clang-format on
  if (!skipped_without_root("because spawn(8) has users")) {
    const CtlAnswer answer = convert(directory / "master.cf", directory);
    CHECK(answer.code == 1);
    CHECK(answer.says("6 services, 4 of them not started"));
    const CtlAnswer tested = test_config(directory);
    CHECK_MESSAGE(tested.code == 0, tested.text);
    ServerProcess server({"--config-directory=" + (directory / "brood")}, brood_options());
    CHECK(told_by("unix:" + (directory / "queue/private/policy"), "hello\n") == "policy: hello\n");
    CHECK(Client(address_of(server, "0")).ask("hello") == "hello");
  }

  const TemporaryDirectory other;
  write_file(other / "all.gcf", "abc = 1\n");
  write_file(other / "echo.cf",
             "# lib-zc\nserver-command = " + program_path("brood-test-server") +
                 "\nserver-service = one://127.0.0.1:0, two://" + (other / "echo.sock") +
                 "\nserver-proc-count = 2\nserver-stop-on-softstop-after = 5\nword = of lib-zc\n");
  const CtlAnswer answer = convert("--from=lib-zc " + (other / "*.*cf"), other);
  CHECK(answer.code == 1);
  CHECK(answer.says("not translated: abc = 1"));
  const CtlAnswer tested = test_config(other);
  CHECK_MESSAGE(tested.code == 0, tested.text);
  ServerProcess server({"--config-directory=" + (other / "brood")}, brood_options());
  CHECK(Client("unix:" + (other / "echo.sock")).ask("listener") == "two");
  CHECK(Client("unix:" + (other / "echo.sock")).ask("word") == "of lib-zc");
  CHECK(find_service(server, "echo")->max_clients == 2);
}

TEST_CASE("a program that is not of the kit gets its converted settings as variables") {
  const TemporaryDirectory directory;
  write_file(directory / "own.cf",
             "service own\n{\n\tmaster_disable = no\n\tmaster_type = sock\n\tmaster_service = 127.0.0.1|0\n"
             "\tmaster_command = /usr/bin/env\n\tdb_path = /srv/db\n\tpath = /nowhere\n}\n");
  const CtlAnswer answer =
      convert("--from=acl --command-gets=connection " + (directory / "own.cf"), directory);
  CHECK_MESSAGE(answer.code == 0, answer.text);
  const CtlAnswer tested = test_config(directory);
  CHECK_MESSAGE(tested.code == 0, tested.text);
  ServerProcess server({"--config-directory=" + (directory / "brood")}, brood_options());
  const std::string environment = told_by(address_of(server, "own"));
  CHECK_MESSAGE(environment.find("\nSETTING_DB_PATH=/srv/db\n") != std::string::npos, environment);
  CHECK(environment.find("SETTING_PATH=/nowhere\n") != std::string::npos);
}

TEST_CASE("a converted script of tcpserver runs") {
  const TemporaryDirectory directory;
  fs::create_directories(directory / "echo");
  write_file(directory / "echo/run",
             "#!/bin/sh\nexec 2>&1\nexec tcpserver -vHRl0 -c 20 \\\n  127.0.0.1 0 /bin/sh -c 'read line; "
             "echo \"$TCPREMOTEIP\"'\n");
  const CtlAnswer answer = convert("--from=tcpserver " + (directory / "echo/run"), directory);
  CAPTURE(contents(directory));
  CHECK_MESSAGE(answer.code == 1, answer.text);  // it cannot be known whether a shell is to see the $
  fs::rename(directory / "brood/echo.conf.off", directory / "brood/echo.conf");
  const CtlAnswer tested = test_config(directory);
  CHECK_MESSAGE(tested.code == 0, tested.text);
  ServerProcess server({"--config-directory=" + (directory / "brood")}, brood_options());
  CHECK(told_by(address_of(server, "echo"), "hello\n") == "127.0.0.1\n");
}

TEST_CASE("what convert could not translate is in its answer and in its exit code") {
  const TemporaryDirectory directory;
  const std::string input = directory / "inetd.conf";
  write_file(input, "8021 stream tcp nowait.9 root /bin/cat cat\n");
  const CtlAnswer shown = broodctl("convert " + input);
  CHECK(shown.code == 1);
  CHECK(shown.says("==> cat.conf <==\n# From " + input + ":1\ncommand = /bin/cat\n"));
  CHECK(shown.says("1 service, 0 of them not started; 1 setting not translated"));
  CHECK_FALSE(fs::exists(directory / "brood"));

  write_file(input, "8021 stream tcp nowait root /bin/cat cat\n");
  CHECK(convert(input, directory).code == 0);
  write_file(directory / "brood/cat.conf", "mine\n");
  const CtlAnswer refused = convert(input, directory);
  CHECK(refused.code == 73);
  CHECK(refused.says("brood/cat.conf: exists; --force replaces it"));
  CHECK(read(directory / "brood/cat.conf") == "mine\n");
  CHECK(convert("--force " + input, directory).code == 0);
  CHECK(read(directory / "brood/cat.conf").starts_with("# From "));

  write_file(input, "8021 stream tcp nowait root cat\n");
  const CtlAnswer wrong = convert("--force " + input, directory);
  CHECK(wrong.code == 65);
  CHECK(wrong.says(input + ":1: "));
  CHECK(wrong.says("1 mistake: nothing was written"));
  CHECK(convert(directory / "missing/inetd.conf", directory).code == 66);
  for (const std::string arguments :
       {"convert", "convert x.cf", "convert --from=xinetd x", "list --force", "convert --json inetd.conf",
        "convert --command-gets=slot inetd.conf", "convert --command-gets=all --from=acl x.cf",
        "convert --now inetd.conf"})
    CHECK_MESSAGE(broodctl(arguments).code == 64, arguments);
}
