// SPDX-License-Identifier: MIT
// broodctl convert, format by format: what each line or key becomes, what is told as not translated, and
// which mistakes are reported with their place.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/service/service_command.hpp"
#include "base/text.hpp"
#include "ctl/convert/acl.hpp"
#include "ctl/convert/acl_access.hpp"
#include "ctl/convert/acl_keys.hpp"
#include "ctl/convert/convert.hpp"
#include "ctl/convert/inetd.hpp"
#include "ctl/convert/lib_zc.hpp"
#include "ctl/convert/master_cf.hpp"
#include "ctl/convert/service_text.hpp"
#include "ctl/convert/tcpserver.hpp"

using namespace brood;
using namespace brood::ctl;

namespace {

class TestMachine final : public Machine {
 public:
  std::optional<unsigned> port(const std::string& service, const std::string& protocol) const override {
    if (service == "echo") return 7;
    if (service == "discard") return 9;
    if (service == "daytime") return 13;
    if (service == "telnet" && protocol == "tcp") return 23;
    if (service == "smtp" && protocol == "tcp") return 25;
    if (service == "talk" && protocol == "udp") return 517;
    return {};
  }
  bool has_user(const std::string& name) const override { return name != "nobody-else"; }
  bool has_group(const std::string& name) const override { return name != "no-group"; }
  bool can_execute(const std::string& path) const override { return path != "/bin/missing"; }
  bool has_directory(const std::string& path) const override { return path != "/missing"; }
};
const TestMachine machine;

std::string shown(const Conversion& conversion) {
  std::string out;
  for (const auto& mistake : conversion.mistakes) out += mistake + '\n';
  for (const Draft& service : conversion.services) {
    out += file_name(service) + ':';
    for (const auto& [setting, value] : service.settings) out += ' ' + setting + '=' + value + ';';
    for (const Remark& remark : service.remarks)
      if (remark.lost) out += " lost " + remark.key + ';';
    for (const auto& [key, value] : service.own) out += " own " + key + '=' + value + ';';
    out += '\n';
  }
  return out;
}

Conversion from_inetd(const std::string& content) {
  Conversion into;
  convert_inetd(content, "inetd.conf", machine, into);
  make_names_unique(into.services);
  check_on(machine, into);
  return into;
}
std::string inetd(const std::string& line) {
  std::string out = shown(from_inetd(line + '\n'));
  const std::string on_demand = " start-servers=0; min-spare-servers=0; idle-timeout=1m;";
  if (const auto at = out.find(on_demand); at != std::string::npos) out.erase(at, on_demand.size());
  return out;
}

Conversion from_acl(const std::string& body, const AclMain& main = {}) {
  Conversion into;
  convert_acl_service("service x\n{\n" + body + "}\n", "conf/service/x.cf", main, "slot", machine, into);
  check_on(machine, into);
  return into;
}
const std::string acl_head =
    "master_disable = no\nmaster_type = sock\nmaster_service = 127.0.0.1|5001\nmaster_command = /bin/x\n";

std::string acl(const std::string& more) { return shown(from_acl(acl_head + more)); }
bool acl_sets(const std::string& more, const std::string& setting) {
  return acl(more).find(' ' + setting + ';') != std::string::npos;
}

std::string master_cf(const std::string& content, const std::string& main = "") {
  Conversion into;
  convert_master_cf(content, "master.cf", main, machine, into);
  make_names_unique(into.services);
  check_on(machine, into);
  return shown(into);
}

std::string lib_zc(const std::string& content) {
  Conversion into;
  convert_lib_zc(content, "etc/imapd.cf", "slot", "/srv/zc", machine, into);
  check_on(machine, into);
  return shown(into);
}

std::string tcpserver(const std::string& content) {
  Conversion into;
  convert_tcpserver(content, "service/smtpd/run", machine, into);
  check_on(machine, into);
  return shown(into);
}

bool has_part(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("inetd.conf: each field has its setting") {
  CHECK(inetd("telnet stream tcp nowait nobody /bin/cat cat -u") ==
        "telnet.conf: command=/bin/cat -u; command-gets=connection; listen=*:23; user=nobody;\n");
  CHECK(
      inetd("telnet stream tcp4 nowait nobody:tty /bin/cat cat") ==
      "telnet.conf: command=/bin/cat; command-gets=connection; listen=0.0.0.0:23; user=nobody; group=tty;\n");
  CHECK(inetd("telnet stream tcp6 nowait nobody.tty /bin/cat cat") ==
        "telnet.conf: command=/bin/cat; command-gets=connection; listen=[::]:23; user=nobody; group=tty;\n");
  CHECK(inetd("127.0.0.1:telnet\tstream\ttcp\tnowait\tnobody\t/bin/cat\tcat") ==
        "telnet.conf: command=/bin/cat; command-gets=connection; listen=127.0.0.1:23; user=nobody;\n");
  CHECK(inetd("*:telnet stream tcp nowait nobody /bin/cat cat") ==
        "telnet.conf: command=/bin/cat; command-gets=connection; listen=*:23; user=nobody;\n");
  CHECK(
      inetd("8021 stream tcp nowait.40 nobody /bin/cat cat") ==
      "cat.conf: command=/bin/cat; command-gets=connection; listen=*:8021; user=nobody; lost nowait.max;\n");
  CHECK(inetd("/run/x.sock stream unix nowait nobody /bin/cat cat") ==
        "x.conf: command=/bin/cat; command-gets=connection; listen=unix:/run/x.sock; user=nobody;\n");
  CHECK(inetd("telnet stream tcp,sndbuf=64k,rcvbuf=1m nowait nobody /bin/cat cat") ==
        "telnet.conf: command=/bin/cat; command-gets=connection; listen=*:23; user=nobody; lost buffers;\n");
}

TEST_CASE("inetd.conf: a line with an address alone is for those behind it") {
  CHECK(inetd("127.0.0.1,::1:\ntelnet stream tcp nowait nobody /bin/cat cat") ==
        "telnet.conf: command=/bin/cat; command-gets=connection; listen=127.0.0.1:23; listen=[::1]:23; "
        "user=nobody;\n");
}

TEST_CASE("inetd.conf: a line that begins with a blank continues the one before it") {
  CHECK(inetd("telnet stream tcp nowait nobody /bin/cat cat\n  # no word\n\t-u -n") ==
        "telnet.conf: command=/bin/cat -u -n; command-gets=connection; listen=*:23; user=nobody;\n");
}

TEST_CASE("inetd.conf: programs that take the listener get it as descriptor 0") {
  const std::string program = "command=/usr/sbin/talkd -d; command-gets=listener;";
  CHECK(inetd("127.0.0.1:talk dgram udp wait nobody.tty /usr/sbin/talkd talkd -d") ==
        "talk.conf: " + program + " listen=udp:127.0.0.1:517; user=nobody; group=tty;\n");
  CHECK(inetd("telnet stream tcp4 wait nobody /usr/sbin/talkd talkd -d") ==
        "telnet.conf: " + program + " listen=0.0.0.0:23; user=nobody;\n");
  CHECK(inetd("/run/x.sock stream unix wait nobody /usr/sbin/talkd talkd -d") ==
        "x.conf: " + program + " listen=unix:/run/x.sock; user=nobody;\n");
  CHECK(has_part(inetd("telnet stream tcp4 wait nobody /bin/missing missing"), "telnet.conf.off"));
}

TEST_CASE("inetd.conf: a program that takes a listener is a service for each address") {
  const std::string program = ".conf: command=/usr/sbin/talkd; command-gets=listener;";
  const std::string rest =
      " start-servers=0; min-spare-servers=0; idle-timeout=1m;\n";  // not of the first one
  CHECK(inetd("talk dgram udp wait nobody /usr/sbin/talkd talkd") ==
        "talk" + program + " listen=udp:0.0.0.0:517; user=nobody;\n" + "talk-2" + program +
            " listen=udp:[::]:517; user=nobody;" + rest);
  CHECK(inetd("127.0.0.1,::1:telnet stream tcp wait nobody /usr/sbin/talkd talkd") ==
        "telnet" + program + " listen=127.0.0.1:23; user=nobody;\n" + "telnet-2" + program +
            " listen=[::1]:23; user=nobody;" + rest);
}

TEST_CASE("inetd.conf: internal services are brood's own if it has them") {
  CHECK(inetd("echo stream tcp nowait nobody internal") ==
        "echo.conf: built-in=echo; listen=*:7; user=nobody;\n");
  CHECK(inetd("discard stream tcp nowait nobody internal internal") ==
        "discard.conf: built-in=discard; listen=*:9; user=nobody;\n");
  CHECK(inetd("daytime stream tcp nowait nobody internal") ==
        "daytime.conf.off: listen=*:13; user=nobody; lost internal;\n");
  CHECK(inetd("echo dgram udp wait nobody internal") ==
        "echo.conf.off: built-in=echo; listen=udp:*:7; user=nobody; lost type;\n");
}

TEST_CASE("inetd.conf: what cannot be started as it was is not started") {
  CHECK(inetd("telnet stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.telnetd -l") ==
        "telnet.conf.off: command=/usr/sbin/in.telnetd -l; command-gets=connection; listen=*:23; "
        "user=nobody; lost "
        "tcpd;\n");
  CHECK(
      has_part(inetd("rusers/1-3 dgram rpc/udp wait root /usr/sbin/rusersd rusersd"), "rusers-1-3.conf.off"));
  CHECK(has_part(inetd("tcpmux/+date stream tcp nowait nobody /bin/date date"), ".conf.off"));
  CHECK(has_part(inetd("telnet stream tcp nowait nobody /bin/missing missing"), "telnet.conf.off"));
  CHECK(has_part(inetd("telnet stream tcp nowait nobody-else /bin/cat cat"), "telnet.conf.off"));
  CHECK(has_part(inetd("telnet stream tcp nowait nobody:no-group /bin/cat cat"), "telnet.conf.off"));
  CHECK(has_part(inetd("telnet stream tcp nowait nobody /bin/cat tac"), "lost argv[0]"));
}

TEST_CASE("inetd.conf: mistakes are reported with their line") {
  const auto mistakes =
      from_inetd(
          "# a comment\nnosuch stream tcp nowait nobody /bin/cat cat\ntelnet stream tcp\n"
          "telnet raw tcp nowait nobody /bin/cat cat\ntelnet stream tcp maybe nobody /bin/cat cat\n"
          "telnet stream ipx nowait nobody /bin/cat cat\ntelnet dgram tcp wait nobody /bin/cat cat\n"
          "telnet stream tcp nowait nobody cat cat\nquotd stream tcp nowait nobody internal\n")
          .mistakes;
  REQUIRE(mistakes.size() == 8);
  for (std::size_t i = 0; i < mistakes.size(); ++i)
    CHECK(mistakes[i].starts_with("inetd.conf:" + std::to_string(i + 2) + ": "));
  CHECK(mistakes[0] == "inetd.conf:2: there is no service 'nosuch' of tcp in services(5)");
}

TEST_CASE("services with the same name get a number") {
  const auto conversion =
      from_inetd("8021 stream tcp nowait nobody /bin/cat cat\n8022 stream tcp nowait nobody /bin/cat cat\n");
  REQUIRE(conversion.services.size() == 2);
  CHECK(conversion.services[0].name == "cat");
  CHECK(conversion.services[1].name == "cat-2");
  CHECK(service_name("127.0.0.1:a b") == "127-0-0-1-a-b");
  CHECK(service_name("...") == "service");
  CHECK(service_name(std::string(99, 'x')).size() == 63);
}

TEST_CASE("a command is split into the same words again") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"/bin/cat"},
                                             {"/bin/sh", "-c", "echo \"$0\" 'x' \\ # y", ""},
                                             {"/bin/with blank/x'y", "it's", "/path with/blank", "#", "a#b"}})
    CHECK(parse_command(as_command(words)) == words);
  CHECK(as_value("/bin/x '#'") == "\"/bin/x '#'\"");
  CHECK(as_value("plain value") == "plain value");
}

TEST_CASE("master.cf: what spawn(8) runs is a service") {
  CHECK(master_cf("policy unix - n n - 0 spawn\n  user=nobody argv=/bin/sh -c { cat; date }\n") ==
        "policy.conf: user=nobody; command=/bin/sh -c 'cat; date'; command-gets=connection; "
        "listen=unix:/var/spool/postfix/private/policy; start-servers=0; min-spare-servers=0; "
        "idle-timeout=100s; lost "
        "maxproc;\n");
  CHECK(
      master_cf("127.0.0.1:10025 inet n n n - 10 spawn user=nobody:tty argv=/bin/cat\n",
                "max_idle = 5m\n127.0.0.1:10025_time_limit = 2h\n") ==
      "10025.conf: user=nobody; group=tty; command=/bin/cat; command-gets=connection; connection-timeout=2h; "
      "listen=127.0.0.1:10025; start-servers=0; min-spare-servers=0; idle-timeout=5m; max-clients=10;\n");
  CHECK(has_part(
      master_cf("smtp inet n n n - - spawn user=nobody argv=/bin/cat\n",
                "queue_directory = /q\ndefault_process_limit = 7\ninet_interfaces = loopback-only\n"),
      "listen=localhost:25; start-servers=0; min-spare-servers=0; idle-timeout=100s; max-clients=7;"));
  CHECK(has_part(
      master_cf("x unix n n y 60 1 spawn -o a=b user=nobody argv=/bin/cat\n", "queue_directory = /q"),
      "listen=unix:/q/public/x; start-servers=0; min-spare-servers=0; idle-timeout=100s; "
      "max-clients=1; lost -o; "
      "lost wakeup; lost chroot;"));
}

TEST_CASE("master.cf: Postfix's own daemons are written, and not started") {
  const std::string told =
      master_cf("smtp inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\nsmtp unix - - n - - smtp\n");
  CHECK(has_part(
      told,
      "smtp.conf.off: command=/usr/lib/postfix/sbin/smtpd; command-gets=slot; user=postfix; listen=*:25;"));
  CHECK(has_part(told, "own smtpd-sasl-auth-enable=yes;"));
  CHECK(has_part(told, "smtp-2.conf.off: "));
  for (const char* type : {"pass", "unix-dgram", "fifo"})
    CHECK(has_part(master_cf(std::string("x ") + type + " - n n - - spawn user=nobody argv=/bin/cat\n"),
                   "x.conf.off"));
}

TEST_CASE("master.cf: parameters of a daemon are settings of the program that takes its place") {
  CHECK(has_part(master_cf("smtp inet n - n - - smtpd -v -o a_b=1 -o { c = d e }\n"),
                 "command=/usr/lib/postfix/sbin/smtpd -v; command-gets=slot;"));
  CHECK(
      has_part(master_cf("smtp inet n - n - - smtpd -v -o a_b=1 -o { c = d e }\n"), "own a-b=1; own c=d e;"));
  CHECK(has_part(master_cf("smtp inet n - n - - smtpd -o a_b\n"), "master.cf:1: -o a_b has no '='"));
}

TEST_CASE("master.cf: of two lines with a name and a type the last one counts") {
  const std::string told = master_cf(
      "x unix - n n - 1 spawn user=nobody argv=/bin/a\nx unix - n n - 1 spawn user=nobody argv=/bin/b\n");
  CHECK(!has_part(told, "/bin/a"));
  CHECK(has_part(told, "x.conf: user=nobody; command=/bin/b;"));
}

TEST_CASE("master.cf: mistakes are reported with their line") {
  const std::string told = master_cf(
      "# comment\nx unix - n n\nx ipx - n n - - spawn user=nobody argv=/bin/cat\n\nx unix - n n - - spawn "
      "user=nobody\n"
      "x unix - n n - - spawn argv=/bin/cat\nnosuch inet - n n - - spawn user=nobody argv=/bin/cat\n"
      "x unix - n n - many spawn user=nobody argv=/bin/cat\nx unix - n n - - spawn user=nobody argv=cat\n");
  for (const char* place : {":2: ", ":3: ", ":5: ", ":6: ", ":7: ", ":8: ", ":9: "})
    CHECK(has_part(told, "master.cf" + std::string(place)));
}

TEST_CASE("acl: each kind of listener") {
  const auto listens = [](const std::string& type, const std::string& service, const std::string& more = "") {
    const auto conversion = from_acl("master_disable = no\nmaster_command = /bin/x\nmaster_type = " + type +
                                         "\nmaster_service = " + service + '\n' + more,
                                     {.queue_directory = "/q"});
    std::string all;
    for (const auto& [setting, value] : conversion.services.at(0).settings)
      if (setting == "listen") all += value + ' ';
    return conversion.mistakes.empty() ? all : conversion.mistakes.front();
  };
  CHECK(listens("inet", "127.0.0.1:5001") == "127.0.0.1:5001 ");
  CHECK(listens("inet", "smtp") == "*:25 ");
  CHECK(listens("sock", "127.0.0.1|5001, 5002, |5003, echo.sock@unix") ==
        "127.0.0.1:5001 *:5002 *:5003 unix:/q/private/echo.sock ");
  CHECK(listens("unix", "echo.sock", "master_private = n\n") == "unix:/q/public/echo.sock ");
  CHECK(listens("udp", "127.0.0.1|5001, log.sock") == "udp:127.0.0.1:5001 unix-datagram:/q/public/log.sock ");
  CHECK(listens("fifo", "pickup") == "fifo:/q/private/pickup,per=byte ");
  CHECK(listens("sock", "::1|5001") == "[::1]:5001 ");
  CHECK(listens("sock", "10.0.*.*|5001, 5002") == "*:5002 ");
  CHECK(listens("inet", "nosuch").starts_with("conf/service/x.cf:6: master_service = nosuch has no port"));
  CHECK(has_part(shown(from_acl("master_disable = no\nmaster_command = /bin/x\nmaster_type = none\n")),
                 "x.conf.off"));
}

TEST_CASE("acl: the settings of children") {
  CHECK(acl("") ==
        "x.conf: command=/bin/x; command-gets=slot; listen=127.0.0.1:5001; max-clients=5; start-servers=0; "
        "min-spare-servers=0;\n");
  CHECK(acl_sets("master_maxproc = 40\nmaster_prefork = 20\n", "max-clients=40"));
  CHECK(acl_sets("master_maxproc = 40\nmaster_prefork = 20\n", "min-spare-servers=20"));
  CHECK(acl_sets("master_maxproc = 40\nmaster_prefork = 20\n", "max-spare-servers=20"));
  CHECK(acl_sets("master_maxproc = 4\nmaster_prefork = 20\n", "start-servers=4"));
  CHECK(has_part(acl("master_maxproc = 0\n"), "lost master_maxproc"));
  CHECK(acl_sets("master_args = -a  b\n", "command=/bin/x -a b"));
  CHECK(has_part(shown(from_acl("master_disable=no\nmaster_type=inet\nmaster_service=5001\nmaster_command=x\n"
                                "master_cmdext=.bin\n",
                                {.daemon_directory = "/libexec"})),
                 "command=/libexec/x.bin;"));
  CHECK(acl_sets("ioctl_use_limit = 250\n", "max-requests-per-child=250"));
  CHECK(acl_sets("ioctl_idle_limit = 60\n", "idle-timeout=60s"));
  CHECK(acl_sets("aio_rw_timeout = 120\n", "connection-idle-timeout=120s"));
  CHECK(has_part(acl("single_rw_timeout = 120\n"), "lost single_rw_timeout"));
  CHECK(acl_sets("ioctl_max_threads = 250\n", "threads-per-child=250"));
  CHECK(has_part(acl("udp_threads = 4\n"), "lost udp_threads"));
  CHECK(acl_sets("single_daemon_timeout = 1800\n", "connection-timeout=1800s"));
  CHECK(acl_sets("ioctl_core_limit = -1\n", "limit-core=unlimited"));
  CHECK(acl_sets("ioctl_core_limit = -1\nioctl_enable_core = 0\n", "limit-core=0"));
  CHECK(acl_sets("ioctl_queue_dir = /var/q\n", "working-directory=/var/q"));
  CHECK(acl_sets("master_home = /home\n", "working-directory=/home"));
  CHECK(acl_sets("master_owner = web\nioctl_owner = other\n", "user=web"));
  CHECK(acl_sets("ioctl_owner = other\n", "user=other"));
  CHECK_FALSE(acl_sets("master_unpriv = n\nioctl_owner = other\n", "user=other"));
  CHECK(acl_sets("master_env = a:b, c\n", "environment=SERVICE_ENV=a:b, c"));
  CHECK(acl_sets("master_envs = A|1, B|2\n", "environment=B=2"));
  CHECK(acl_sets("master_backlog = 512 # a comment\n", "listen-backlog=512"));
  CHECK(acl_sets("master_log = /var/log/x.log\n", "log=/var/log/x.log"));
  CHECK(acl_sets("master_defer_accept = 3\n", "tcp-defer-accept=3s"));
  CHECK(acl_sets("ioctl_deny_banner = Denied!\n", "refusal=Denied!"));
  CHECK(acl_sets("master_deny_info = no\nioctl_deny_banner = Denied!\n", "refusal=no"));
}

TEST_CASE("acl: a program's own settings are handed on to it") {
  CHECK(acl_sets("mysql_dbmax = 200\nAddr.of_db = a#b\n", "own mysql-dbmax=200"));
  CHECK(acl_sets("mysql_dbmax = 200\nAddr.of_db = a b\n", "own addr-of-db=a b"));
  CHECK(acl_sets("ioctl_my_own = x=y\n", "own ioctl-my-own=x=y"));
  CHECK(has_part(acl("user = web\n"), "lost user;"));  // brood has a setting of this name
  CHECK(has_part(acl("2nd_db = x\n"), "lost 2nd-db;"));
  CHECK(has_part(acl("my_db = x\nmy.db = y\n"), "lost my-db; own my-db=x;"));
  CHECK(has_part(acl("master_mistyped = x\n"), "lost master_mistyped;"));
  // Another program might refuse an argument that it does not know.
  Conversion into;
  convert_acl_service("service x\n{\n" + acl_head + "user = web\npath = /x\n}\n", "x.cf", {}, "listeners",
                      machine, into);
  check_on(machine, into);
  CHECK(
      has_part(shown(into), "settings-as=environment; settings-prefix=SETTING_; own user=web; own path=/x;"));
  CHECK(into.services.front().off.empty());
  CHECK(has_part(as_file(into.services.front()), "\n\n[settings]\nuser = web\npath = /x\n"));
}

TEST_CASE("acl: a trigger is a timer") {
  const std::string trigger = "trigger_use_limit = 10\n";
  CHECK(acl_sets(trigger + "master_wakeup = 4\n", "listen=timer:4s"));
  CHECK(has_part(acl(trigger + "master_wakeup = 4?\n"), "lost master_wakeup"));
  CHECK(has_part(acl(trigger), "x.conf.off"));
  CHECK(has_part(acl("master_wakeup = 4\n"), "lost master_wakeup"));
}

TEST_CASE("acl: a service that is disabled or guarded is not started") {
  CHECK(has_part(
      shown(from_acl("master_disable = yes\nmaster_type=inet\nmaster_service=1\nmaster_command=/bin/x\n")),
      "x.conf.off"));
  CHECK(
      has_part(shown(from_acl("master_type=inet\nmaster_service=1\nmaster_command=/bin/x\n")), "x.conf.off"));
}

TEST_CASE("acl: ranges of addresses become networks that may come in") {
  for (const auto& [ranges, networks] :
       {std::pair("10.0.0.1:10.0.0.9", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/30 10.0.0.8/31"),
        std::pair("127.0.0.1", "127.0.0.1/32"), std::pair("10.0.0.0:10.0.0.255", "10.0.0.0/24"),
        std::pair("0.0.0.0:255.255.255.255", "0.0.0.0/0"),
        std::pair("255.255.255.255:255.255.255.255", "255.255.255.255/32"),
        std::pair("0.0.0.0:0.0.0.0; 10.0.0.0:10.0.0.1,1.2.3.4\t1.2.3.5",
                  "0.0.0.0/32 10.0.0.0/31 1.2.3.4/32 1.2.3.5/32")}) {
    CAPTURE(ranges);
    const auto found = networks_of_ranges(ranges);
    REQUIRE(found);
    CHECK(join(*found, " ") == networks);
  }
  for (const char* wrong : {"", "all", "10.0.0.9:10.0.0.1", "10.0.0", "10.0.0.1:", "::1", "10.0.0.1,host"}) {
    CAPTURE(wrong);
    CHECK_FALSE(networks_of_ranges(wrong));
  }
  CHECK(acl_sets("ioctl_access_allow = 10.0.0.2:10.0.0.3\n", "allow=10.0.0.2/31"));
  CHECK(has_part(acl("ioctl_access_allow = all\n"), "x.conf: "));
  CHECK(has_part(acl("ioctl_access_allow = some-host\n"), "x.conf.off"));
  CHECK(
      has_part(shown(from_acl("master_disable=no\nmaster_type=unix\nmaster_service=x\nmaster_command=/bin/x\n"
                              "ioctl_access_allow = 10.0.0.1\n")),
               "x.conf.off"));
}

TEST_CASE("a service with a value that brood would refuse is not started") {
  for (const char* wrong :
       {"master_backlog = 70000\n", "master_maxproc = 40000\n", "ioctl_use_limit = 2000000000\n",
        "ioctl_idle_limit = 9999999\n", "ioctl_core_limit = 9223372036854775807\n"})
    CHECK_MESSAGE(has_part(acl(wrong), "x.conf.off"), wrong);
  CHECK(has_part(inetd("1,1:8021 stream tcp nowait nobody /bin/cat cat"), "cat.conf.off"));
  CHECK(
      has_part(inetd("/" + std::string(120, 'x') + " stream unix nowait nobody /bin/cat cat"), ".conf.off"));
}

TEST_CASE("a service whose limits contradict each other, or what it inherits, is not started") {
  const auto off_of = [](Draft service, const std::string& most) {
    service.set("command", "/bin/x");
    service.set("listen", "8000");
    Conversion into;
    into.services = {service};
    into.shared.set("max-clients", most);
    check_on(machine, into);
    CHECK(into.shared.find("max-clients") != nullptr);  // others may fit to it
    return into.services[0].off;
  };
  Draft service;
  CHECK(off_of(service, "5").empty());
  CHECK(off_of(service, "3") == "start-servers = 5 exceeds max-clients = 3");
  service.set("command-gets", "listeners");  // it has no such limit
  CHECK(off_of(service, "3").empty());
  service.set("idle-timeout", "9999999s");
  CHECK(off_of(service, "5") == "idle-timeout = 9999999s is above 30d");
}

TEST_CASE("acl: the first of two values counts, and mistakes have their line") {
  CHECK(acl_sets("ioctl_use_limit = 1\nioctl_use_limit = 2\n", "max-requests-per-child=1"));
  CHECK(has_part(acl("ioctl_use_limit = many\n"),
                 "conf/service/x.cf:7: ioctl_use_limit = many is not a number"));
  CHECK(has_part(acl("master_maxproc = x\n"), "conf/service/x.cf:7: master_maxproc"));
  CHECK(has_part(shown(from_acl("master_disable = no\nmaster_type = inet\nmaster_service = 1\n")),
                 "master_command is missing"));
}

TEST_CASE("acl: main.cf is for the parent and for all services") {
  Conversion into;
  const AclMain main = convert_acl_main(
      "default_process_limit = 250\nprocess_name = acl\ndaemon_directory = /d\nqueue_directory = /q\n"
      "log_file = /missing/log\npid_file = /run/acl.pid\ninet_interfaces = all\nmanage_addr = x\nnosuch = "
      "1\n",
      "main.cf", into);
  CHECK(main.daemon_directory == "/d");
  CHECK(main.queue_directory == "/q");
  check_on(machine, into);
  CHECK(*into.shared.find("max-clients") == "250");
  CHECK(*into.shared.find("pid-file") == "/run/acl.pid");
  CHECK(into.shared.find("log") == nullptr);
  CHECK(into.mistakes == std::vector<std::string>{"main.cf:9: acl_master has no setting 'nosuch'"});
}

TEST_CASE("no key of acl is in a table twice") {
  for (const auto table : {acl_main_keys(), acl_service_keys(), acl_framework_keys()})
    for (const KeyRule& rule : table) {
      CHECK_MESSAGE(std::ranges::count(table, rule.key, &KeyRule::key) == 1, rule.key);
      const bool says_why = rule.form != KeyForm::nothing && rule.form != KeyForm::lost;
      CHECK_MESSAGE((says_why || !rule.why.empty()), rule.key);
    }
}

TEST_CASE("lib-zc: each key has its setting") {
  CHECK(
      lib_zc(
          "server-command = bin/imapd\nserver-service = imapd://0:143, ssl://127.0.0.1:993;x://./var/s "
          "12:1143\n"
          "server-proc-count = 20\nserver-stop-on-softstop-after = 10\nexit-after = 1w\nmaster-chdir = /srv\n"
          "abc = xxx\nserver-log = syslog,mail\n") ==
      "imapd.conf: command=/srv/zc/bin/imapd; command-gets=slot; listen=*:143,name=imapd; "
      "listen=127.0.0.1:993,name=ssl; listen=unix:/srv/zc/var/s,name=x; listen=12:1143; start-servers=20; "
      "min-spare-servers=20; max-clients=20; max-spare-servers=20; graceful-timeout=10s; "
      "max-lifetime-per-child=7d; working-directory=/srv; lost server-log; own abc=xxx;\n");
  CHECK(
      has_part(lib_zc("server-command = /bin/x\nserver-service = local:/s,fifo:f\n"),
               "listen=unix:/s; start-servers=1; min-spare-servers=1; max-clients=1; lost server-service;"));
  CHECK(lib_zc("abc = 1\n").empty());  // for all services, as *.gcf
  CHECK(has_part(lib_zc("server-command=/bin/x\nserver-service=0:x\n"),
                 "etc/imapd.cf:2: server-service = 0:x has no port"));
  CHECK(has_part(lib_zc("server-command=/bin/x\nserver-service=0:1\nserver-proc-count=0\n"),
                 "etc/imapd.cf:3: "));
}

TEST_CASE("tcpserver: each option") {
  const std::string on_demand = "start-servers=0; min-spare-servers=0; idle-timeout=1m;";
  CHECK(tcpserver("#!/bin/sh\n# tcpserver\nexec tcpserver -vHRl0 -c 20 -b50 -u 1000 -g100 \\\n  0 smtp "
                  "/bin/smtpd -a 2>&1\n") ==
        "smtpd.conf: command=/bin/smtpd -a; command-gets=connection; listen=*:25; max-clients=20; " +
            on_demand + " listen-backlog=50; user=1000; group=100;\n");
  CHECK(tcpserver("exec /usr/bin/envuidgid web /usr/bin/tcpserver -H -R -l 0 127.0.0.1 80 /bin/x\n") ==
        "smtpd.conf: command=/bin/x; command-gets=connection; listen=127.0.0.1:80; max-clients=40; " +
            on_demand + '\n');
  CHECK(has_part(tcpserver("softlimit -m 9 tcpserver -HRl0 0 80 /bin/x\n"), "lost before tcpserver;"));
  CHECK(has_part(tcpserver("exec envuidgid web tcpserver -UHRl0 0 80 /bin/x\n"), "user=web;\n"));
  CHECK(has_part(tcpserver("exec setuidgid web tcpserver -HRl0 0 80 /bin/x\n"), "user=web;\n"));
  CHECK(has_part(tcpserver("tcpserver -UHRl0 0 80 /bin/x\n"), "smtpd.conf.off"));
  CHECK(has_part(tcpserver("tcpserver 0 80 /bin/x\n"), " lost -h; lost -l; lost -r;\n"));
  CHECK(has_part(tcpserver("tcpserver -HRl0 -4 -d 0 80 /bin/x\n"), "listen=0.0.0.0:80,nagle;"));
  CHECK(has_part(tcpserver("tcpserver -HRl0 -x rules.cdb 0 80 /bin/x\n"), "smtpd.conf.off"));
  CHECK(has_part(tcpserver("tcpserver -HRl0 -p -o -B hello -6 -I eth0 0 80 /bin/x\n"),
                 "lost -p; lost -B; lost -o; lost -I; lost -6;"));
  CHECK(has_part(tcpserver("tcpserver -HRl0 -c $MAX 0 80 /bin/x\n"), "smtpd.conf.off"));
  CHECK(has_part(tcpserver("tcpserver -HRl0 0 80 qmail-smtpd\n"), "smtpd.conf.off"));
  CHECK(tcpserver("#!/bin/sh\n\ntcpserver -z 0 80 /bin/x\n").starts_with("service/smtpd/run:3: option -z"));
  CHECK(tcpserver("tcpserver 0 80\n").starts_with("service/smtpd/run:1: host, port and program"));
  CHECK(tcpserver("tcpserver 0 nosuch /bin/x\n").starts_with("service/smtpd/run:1: there is no service"));
  CHECK(tcpserver("tcpserver 0 80 'x\n").starts_with("service/smtpd/run:1: has a quote"));
  CHECK(has_part(tcpserver("echo\n"), "no command runs tcpserver"));
}

TEST_CASE("the name of a file says its kind only if that is certain") {
  CHECK(kind_of("/etc/inetd.conf") == "inetd");
  CHECK(kind_of("/etc/inetd.d/ftp") == "inetd");
  CHECK(kind_of("/etc/postfix/master.cf") == "master.cf");
  CHECK(kind_of("x/all.gcf") == "lib-zc");
  CHECK(kind_of("/etc/xinetd.conf").empty());
  CHECK(kind_of("x/echo.cf").empty());
}

TEST_CASE("a file has its origin and what was lost in comments") {
  Draft draft{.name = "x", .place = "a.cf"};
  draft.set("listen", "*:1");
  draft.lose("key", "a\nlisten = *:2", "no reason");
  draft.skip("other", "", "no need");
  CHECK(as_file(draft) ==
        "# From a.cf\nlisten = *:1\n# not translated: key = a\\x0alisten = *:2: no reason\n# not needed: "
        "other: no need\n");
  draft.turn_off("it is late");
  CHECK(has_part(as_file(draft), "\n# Not started: it is late\n"));
  CHECK(file_name(draft) == "x.conf.off");
}
