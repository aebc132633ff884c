// SPDX-License-Identifier: MIT
#include "ctl/convert/inetd.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.hpp"
#include "ctl/convert/logical_lines.hpp"
#include "ctl/convert/service_text.hpp"

namespace brood::ctl {
namespace {

// The fields of a line, and what they mean.
struct InetdLine {
  std::string place;
  std::vector<std::string> words;
  std::vector<std::string> hosts;  // before the colon of the service
  std::string service;
  std::string type, protocol, wait, max, user, group, program;
  std::vector<std::string> arguments;  // with argv[0]

  bool internal() const { return program == "internal"; }
  bool unix_socket() const { return protocol == "unix"; }
  bool datagrams() const { return type == "dgram"; }
  bool takes_listener() const { return !internal() && (wait == "wait" || datagrams()); }
};

struct Family {
  std::string_view protocol, of_services, every_address;
};
// "*" is every address of both families, as two sockets; [::] is IPv6 alone.
constexpr std::array families = {
    Family{"tcp", "tcp", "*"},         Family{"udp", "udp", "*"},         Family{"tcp4", "tcp", "0.0.0.0"},
    Family{"udp4", "udp", "0.0.0.0"},  Family{"tcp6", "tcp", "[::]"},     Family{"udp6", "udp", "[::]"},
    Family{"tcp6only", "tcp", "[::]"}, Family{"udp6only", "udp", "[::]"}, Family{"tcp46", "tcp", "*"},
    Family{"udp46", "udp", "*"},
};

// Internal services that brood does not have, and what does the same.
struct Internal {
  std::string_view name, advice;
};
constexpr std::array not_built_in = {
    Internal{"daytime", "use command = /usr/bin/date with command-gets = connection"},
    Internal{"time", "use a program with command-gets = connection"},
    Internal{"chargen", "use a program with command-gets = connection"},
};

std::vector<std::string> blank_separated(std::string_view line) {
  std::vector<std::string> words;
  for (line = trim(line); !line.empty(); line = trim(line)) {
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

std::vector<std::string> hosts_of(std::string_view list) {
  std::vector<std::string> hosts;
  for (const auto host : split(list, ',')) hosts.emplace_back(trim(host));
  return hosts;
}

// An address of IPv6 needs brackets in ours.
std::string bracketed(const std::string& host) {
  return host.find(':') != std::string::npos && !host.starts_with('[') ? '[' + host + ']' : host;
}

class InetdReader {
 public:
  InetdReader(const Machine& machine, Conversion& into) : machine_(machine), into_(into) {}

  void take(std::string_view written, const std::string& place) {
    InetdLine line{.place = place, .words = blank_separated(written)};
    if (line.words.size() == 1 && line.words.front().ends_with(':')) {
      hosts_ = hosts_of(std::string_view(line.words.front()).substr(0, line.words.front().size() - 1));
      return;
    }
    if (fields_of(line)) translate(line);
  }

 private:
  bool mistake(const InetdLine& line, const std::string& wrong) {
    into_.mistakes.push_back(line.place + ": " + wrong);
    return false;
  }

  bool fields_of(InetdLine& line) {
    const auto& words = line.words;
    const bool short_form = words.size() == 6 && words[5] == "internal";
    if (words.size() < 7 && !short_form)
      return mistake(line,
                     text("has ", words.size(),
                          " fields; service, type, protocol, wait, user, program and argv[0] are needed"));
    line.type = words[1];
    if (line.type != "stream" && line.type != "dgram")
      return mistake(line, text("socket type '", line.type, "' is not stream or dgram"));
    line.protocol = words[2].substr(0, words[2].find(','));
    name_of_service(line);
    line.wait = words[3].substr(0, words[3].find('.'));
    line.max = words[3].size() > line.wait.size() ? words[3].substr(line.wait.size() + 1) : "";
    if (line.wait != "wait" && line.wait != "nowait")
      return mistake(line, text("'", words[3], "' is not wait or nowait"));
    const auto separator = words[4].find_first_of(":.");
    line.user = words[4].substr(0, separator);
    if (separator != std::string::npos) line.group = words[4].substr(separator + 1);
    line.program = words[5];
    if (!line.internal() && !line.program.starts_with('/'))
      return mistake(line, text("program '", line.program, "' is not an absolute path"));
    line.arguments.assign(words.begin() + (short_form ? 5 : 6), words.end());
    return true;
  }

  // The host before the last colon; "[::1]:echo" and "::1:echo" are both found.
  void name_of_service(InetdLine& line) const {
    const std::string& written = line.words.front();
    const auto colon = written.rfind(':');
    line.hosts = hosts_;
    line.service = written;
    if (line.unix_socket() || colon == std::string::npos) return;
    line.hosts = hosts_of(std::string_view(written).substr(0, colon));
    line.service = written.substr(colon + 1);
  }

  void translate(const InetdLine& line) {
    const bool numeric = parse_number<unsigned>(line.service).has_value();
    Draft draft{.name = service_name(line.unix_socket()            ? std::string_view(stem(line.service))
                                     : numeric && !line.internal() ? std::string_view(stem(line.program))
                                                                   : std::string_view(line.service)),
                .place = line.place};
    if (!set_program(line, draft) || !set_listeners(line, draft)) return;
    if (!line.user.empty()) draft.set("user", line.user);
    if (!line.group.empty()) draft.set("group", line.group);
    // No process before the first connection.
    draft.set("start-servers", "0");
    draft.set("min-spare-servers", "0");
    draft.set("idle-timeout", "1m");
    set_limits(line, draft);
    if (line.takes_listener())
      add_for_each_listener(draft);
    else
      into_.services.push_back(std::move(draft));
  }

  // Such a program has one.
  void add_for_each_listener(const Draft& draft) {
    const auto listens = [](const auto& setting) { return setting.first == "listen"; };
    for (const auto& address : draft.settings) {
      if (!listens(address)) continue;
      Draft one = draft;
      std::erase_if(one.settings, [&](const auto& each) { return listens(each) && each != address; });
      into_.services.push_back(std::move(one));
    }
  }

  bool set_program(const InetdLine& line, Draft& draft) {
    if (line.internal()) return set_internal(line, draft);
    std::vector<std::string> words = {line.program};
    const std::string& name = line.arguments.front();
    if (std::filesystem::path(line.program).filename() == "tcpd") {
      words = {name.starts_with('/') ? name : "/usr/sbin/" + name};
      draft.lose("tcpd", name, "hosts.allow and hosts.deny are not read: write them as allow and deny");
      draft.turn_off("tcpd decided who may connect, by hosts.allow and hosts.deny");
    } else if (std::filesystem::path(name).filename() != std::filesystem::path(line.program).filename()) {
      draft.lose("argv[0]", name, "a program is called by its path");
    }
    words.insert(words.end(), line.arguments.begin() + 1, line.arguments.end());
    draft.set("command", as_command(words));
    draft.set("command-gets", line.takes_listener() ? "listener" : "connection");
    if (line.datagrams() && line.wait == "nowait")
      draft.lose("wait", line.words[3], "one program runs at a time, as with wait");
    return true;
  }

  bool set_internal(const InetdLine& line, Draft& draft) {
    const auto missing = std::ranges::find(not_built_in, std::string_view(line.service), &Internal::name);
    if (missing != not_built_in.end()) {
      draft.lose("internal", line.service, text("brood does not have it; ", missing->advice));
      draft.turn_off(text("brood has no service ", line.service, " of its own"));
    } else if (line.service != "echo" && line.service != "discard") {
      return mistake(line, text("there is no internal service '", line.service, "'"));
    } else {
      draft.set("built-in", line.service);
    }
    if (line.datagrams()) {
      draft.lose("type", "dgram", "what brood has built in takes connections");
      draft.turn_off("brood has it for connections, not for datagrams");
    }
    return true;
  }

  bool set_listeners(const InetdLine& line, Draft& draft) {
    if (line.unix_socket()) {
      draft.set("listen", (line.datagrams() ? "unix-datagram:" : "unix:") + line.service);
      return true;
    }
    if (line.protocol.starts_with("rpc/") || line.service.starts_with("tcpmux/")) {
      draft.lose("service", line.service,
                 line.protocol.starts_with("rpc/") ? "brood registers nothing with rpcbind"
                                                   : "brood does not speak the protocol of tcpmux");
      draft.turn_off("it has no port of its own");
      draft.set("listen", "127.0.0.1:0");
      return true;
    }
    const auto family = std::ranges::find(families, std::string_view(line.protocol), &Family::protocol);
    if (family == families.end()) return mistake(line, text("protocol '", line.protocol, "' is not known"));
    if ((family->of_services == "udp") != line.datagrams())
      return mistake(line, text(line.type, " does not fit to ", line.protocol));
    const auto port = port_of(machine_, line.service, std::string(family->of_services));
    if (!port)
      return mistake(
          line, text("there is no service '", line.service, "' of ", family->of_services, " in services(5)"));
    const auto listen = [&](const std::string& host) {
      draft.set("listen", text(line.datagrams() ? "udp:" : "", host, ':', *port));
    };
    for (const auto& host : line.hosts) {
      const bool both = host == "*" && family->every_address == "*" && line.takes_listener();
      if (both)
        for (const char* const each : {"0.0.0.0", "[::]"}) listen(each);
      else
        listen(host == "*" ? std::string(family->every_address) : bracketed(host));
    }
    return true;
  }

  void set_limits(const InetdLine& line, Draft& draft) const {
    if (!line.max.empty())
      draft.lose(line.wait + ".max", line.max,
                 "how often it may start in a minute; max-clients limits how many run at once");
    const std::string& protocol = line.words[2];
    if (const auto comma = protocol.find(','); comma != std::string::npos)
      draft.lose("buffers", protocol.substr(comma + 1), "the kernel sets the sizes of buffers");
  }

  const Machine& machine_;
  Conversion& into_;
  std::vector<std::string> hosts_ = {"*"};
};

}  // namespace

void convert_inetd(std::string_view content, const std::string& file, const Machine& machine,
                   Conversion& into) {
  InetdReader reader(machine, into);
  for (const auto& line : logical_lines(content, file)) reader.take(line.content, line.place);
}

}  // namespace brood::ctl
