// SPDX-License-Identifier: MIT
#include "load/arguments.hpp"

#include <charconv>
#include <iterator>
#include <string_view>

#include "base/text/help_text.hpp"
#include "load/load_target.hpp"

namespace brood::load {
namespace {

constexpr unsigned most_clients = 100'000;
constexpr std::uint64_t most_requests = 1'000'000'000'000;
constexpr double longest_seconds = 86'400;

struct Option {
  std::string_view name;
  std::string_view value;  // what it stands for; "": it takes none
  std::string_view help;
};

constexpr Option options[] = {
    {"--concurrency", "N", "clients at the same time (1)"},
    {"--requests", "N", "end after so many requests"},
    {"--connections", "N", "end after so many connections; not with --keep-alive"},
    {"--seconds", "S", "end after so many seconds; without any of these three: 10"},
    {"--keep-alive", "", "one connection for each client, and request after request on it"},
    {"--payload", "TEXT", "what each client says, a newline is added (hello)"},
    {"--request", "TEXT", R"(what each client says, exactly; \r, \n, \t, \\ and \xNN stand for bytes)"},
    {"--http", "PATH", "ask for PATH by HTTP instead"},
    {"--answer", "FORM",
     "when an answer is whole: line (the default) with its newline, http as HTTP says, any with its first "
     "byte"},
    {"--expect", "TEXT", "any other answer is wrong; of an HTTP answer its body counts"},
    {"--expect-status", "N", "any other status of an HTTP answer is wrong"},
    {"--hold", "S", "keep each connection open for so many seconds after its answer"},
    {"--pause", "S", "wait for so many seconds before the next connection or request"},
    {"--timeout", "S", "give an answer up after so many seconds (10)"},
    {"--remote", "", "permit an address that is not of this machine"},
    {"--show", "", "print what comes back instead of the summary"},
    {"--progress", "", "tell once a second how it goes, also if this is no terminal"},
    {"--version", "", "print the version, and exit"},
    {"--help", "", "print this, and exit"},
};

template <typename Number>
Number number(std::string_view option, std::string_view text, Number lowest, Number highest) {
  Number value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size() && value >= lowest && value <= highest)
    return value;
  std::string bounds = std::to_string(lowest);
  if constexpr (std::is_floating_point_v<Number>) bounds = "0.001";
  throw UsageError(std::string(option) + " " + std::string(text) + ": not a number from " + bounds + " to " +
                   std::to_string(static_cast<std::uint64_t>(highest)));
}

std::chrono::nanoseconds seconds(std::string_view option, std::string_view text) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(number(option, text, 0.001, longest_seconds)));
}

AnswerForm form(std::string_view text) {
  if (text == "line") return AnswerForm::line;
  if (text == "http") return AnswerForm::http;
  if (text == "any") return AnswerForm::any;
  throw UsageError("--answer " + std::string(text) + ": none of line, http and any");
}

const Option& find_option(std::string_view name) {
  for (const auto& option : options)
    if (option.name == name) return option;
  throw UsageError(std::string(name) + ": no such option");
}

// What only the check of all of them together needs.
struct Given {
  bool payload = false, request = false, form = false, remote = false;
};

void apply(Arguments& all, Given& given, std::string_view name, const std::string& value) {
  LoadPlan& plan = all.plan;
  if (name == "--concurrency") {
    plan.concurrency = number(name, value, 1U, most_clients);
  } else if (name == "--requests") {
    plan.requests = number(name, value, std::uint64_t{1}, most_requests);
  } else if (name == "--connections") {
    plan.connections = number(name, value, std::uint64_t{1}, most_requests);
  } else if (name == "--seconds") {
    plan.duration = seconds(name, value);
  } else if (name == "--payload") {
    plan.payload = value + "\n";
    given.payload = true;
  } else if (name == "--request") {
    plan.payload = unescaped(value);
    given.request = true;
  } else if (name == "--http") {
    plan.http_path = value;
    if (!value.starts_with("/")) throw UsageError("--http " + value + ": a path begins with /");
  } else if (name == "--answer") {
    plan.form = form(value);
    given.form = true;
  } else if (name == "--expect") {
    plan.expected_body = unescaped(value);
  } else if (name == "--expect-status") {
    plan.expected_status = number(name, value, 100U, 599U);
  } else if (name == "--hold") {
    plan.hold = seconds(name, value);
  } else if (name == "--pause") {
    plan.pause = seconds(name, value);
  } else if (name == "--timeout") {
    plan.timeout = seconds(name, value);
  } else {
    (name == "--keep-alive" ? plan.keep_alive
     : name == "--remote"   ? given.remote
     : name == "--show"     ? all.show
     : name == "--progress" ? all.progress
     : name == "--version"  ? all.version
                            : all.help) = true;
  }
}

void check(const LoadPlan& plan, const Given& given) {
  const bool http = !plan.http_path.empty();
  if (plan.address.empty()) throw UsageError("the address is missing");
  if (plan.keep_alive && plan.connections > 0)
    throw UsageError("--keep-alive ends by --requests or --seconds, not by --connections");
  if (int{given.payload} + int{given.request} + int{http} > 1)
    throw UsageError("only one of --payload, --request and --http can be what clients say");
  if (plan.payload.empty()) throw UsageError("--request: it is empty");
  if (http && given.form) throw UsageError("--http takes HTTP answers, whatever --answer says");
  if (plan.expected_status > 0 && !http && plan.form != AnswerForm::http)
    throw UsageError("--expect-status needs --http or --answer http");
  if (plan.expected_body && plan.form == AnswerForm::any)
    throw UsageError("--expect needs to know when an answer is whole: not with --answer any");
  try {
    if (!given.remote && !LoadTarget(plan.address).is_local())
      throw UsageError(plan.address + " may be another machine: --remote permits it");
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    constexpr std::string_view letters = "rnt\\";
    constexpr std::string_view meanings = "\r\n\t\\";
    const char letter = ++at < text.size() ? text[at] : '\0';
    const auto known = letters.find(letter);
    unsigned byte = 0;
    const char* const digits = text.data() + at + 1;
    if (known != std::string_view::npos) {
      out += meanings[known];
    } else if (letter == 'x' && at + 2 < text.size() &&
               std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      at += 2;
    } else {
      throw UsageError("'" + text + R"(': a backslash begins one of \r, \n, \t, \\ and \xNN)");
    }
  }
  return out;
}

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments all;
  Given given;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (!word->starts_with("-")) {
      if (!all.plan.address.empty()) throw UsageError(*word + ": one address is enough");
      all.plan.address = *word;
      continue;
    }
    const auto equals = word->find('=');
    const Option& option = find_option(std::string_view(*word).substr(0, equals));
    std::string value;
    if (option.value.empty()) {
      if (equals != std::string::npos) throw UsageError(std::string(option.name) + " takes no value");
    } else if (equals != std::string::npos) {
      value = word->substr(equals + 1);
    } else {
      if (std::next(word) == words.end()) throw UsageError(std::string(option.name) + " needs a value");
      value = *++word;
    }
    apply(all, given, option.name, value);
    if (all.help || all.version) return all;
  }
  check(all.plan, given);
  LoadPlan& plan = all.plan;
  if (plan.connections == 0 && plan.requests == 0 && plan.duration.count() == 0)
    plan.duration = std::chrono::seconds(10);
  return all;
}

std::string help(std::size_t width) {
  constexpr std::size_t column = 22;
  std::string out;
  append_wrapped(out, "usage: brood-load ADDRESS [OPTION ...]", width, "");
  out += '\n';
  append_entry(out, "ADDRESS", "IPV4:PORT, [IPV6]:PORT, PORT of 127.0.0.1, or unix:PATH", column, width);
  for (const auto& option : options)
    append_entry(out,
                 std::string(option.name) + (option.value.empty() ? "" : " ") + std::string(option.value),
                 option.help, column, width);
  out += '\n';
  append_wrapped(out, "The exit code is 0 if each request got the answer that was expected.", width, "");
  append_wrapped(out, "See brood-load(1).", width, "");
  return out;
}

}  // namespace brood::load
