// SPDX-License-Identifier: MIT
#include "ctl/convert/convert.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "base/service/service_command.hpp"
#include "base/text.hpp"
#include "ctl/convert/acl.hpp"
#include "ctl/convert/inetd.hpp"
#include "ctl/convert/lib_zc.hpp"
#include "ctl/convert/master_cf.hpp"
#include "ctl/convert/output_files.hpp"
#include "ctl/convert/service_text.hpp"
#include "ctl/convert/tcpserver.hpp"
#include "ctl/convert/this_machine.hpp"
#include "ctl/locate.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kinds = {"inetd", "master.cf", "acl", "lib-zc", "tcpserver"};

bool is_main_cf(const std::string& path) { return fs::path(path).filename() == "main.cf"; }

[[noreturn]] void misused(const std::string& why) {
  throw Failure(why +
                    "; usage: broodctl convert [--from=inetd|master.cf|acl|lib-zc|tcpserver] "
                    "[--output=DIRECTORY] [--force] "
                    "[--command-gets=slot|listeners|connection] FILE ...",
                outcome::wrong_usage);
}

// The same for all files.
std::string kind_of_all(const Invocation& invocation) {
  std::string kind = invocation.from;
  for (const auto& file : invocation.arguments) {
    if (!invocation.from.empty() || is_main_cf(file)) continue;
    const std::string guess = kind_of(file);
    if (guess.empty()) misused(text(file, ": its name does not say what it is: --from is needed"));
    if (!kind.empty() && guess != kind) misused(text(file, " is of another kind than the other files"));
    kind = guess;
  }
  if (std::ranges::find(kinds, kind) == kinds.end())
    misused(kind.empty() ? "--from is needed" : text("--from=", kind, " is not known"));
  return kind;
}

void add_file(const std::string& kind, const std::string& file, const std::string& gets, const AclMain& main,
              const Machine& machine, Conversion& into) {
  const std::string content = read_input(file);
  if (kind == "inetd") convert_inetd(content, file, machine, into);
  if (kind == "tcpserver") convert_tcpserver(content, file, machine, into);
  if (kind == "acl") convert_acl_service(content, file, main, gets, machine, into);
  if (kind == "lib-zc") convert_lib_zc(content, file, gets, fs::current_path(), machine, into);
  if (kind == "master.cf") {
    const std::string beside = fs::path(file).replace_filename("main.cf");
    convert_master_cf(content, file, fs::exists(beside) ? read_input(beside) : "", machine, into);
  }
}

Conversion read_all(const Invocation& invocation, const Machine& machine) {
  const std::string kind = kind_of_all(invocation);
  const std::string gets = invocation.command_gets.empty() ? "slot" : invocation.command_gets;
  if (std::ranges::find(command_gets_names, gets) == command_gets_names.end())
    misused(text("--command-gets=", gets, " is not slot, listeners or connection"));
  if (!invocation.command_gets.empty() && kind != "acl" && kind != "lib-zc")
    misused(text("--command-gets is for acl and lib-zc: ", kind, " says it itself"));
  Conversion conversion;
  AclMain main;
  if (kind == "acl")
    for (const auto& file : invocation.arguments)
      if (is_main_cf(file)) main = convert_acl_main(read_input(file), file, conversion);
  for (const auto& file : invocation.arguments)
    if (!is_main_cf(file)) add_file(kind, file, gets, main, machine, conversion);
  return conversion;
}

std::size_t lost_in(const Draft& draft) {
  return static_cast<std::size_t>(std::ranges::count(draft.remarks, true, &Remark::lost));
}

void append_lost(const Draft& draft, std::string& out) {
  for (const Remark& remark : draft.remarks)
    if (remark.lost)
      out += text("  not translated: ", remark.key, remark.value.empty() ? "" : " = ", remark.value, ": ",
                  remark.why, '\n');
}

}  // namespace

std::string kind_of(const std::string& path) {
  const fs::path file(path);
  const std::string name = file.filename();
  if (name.ends_with("inetd.conf") && !name.ends_with("xinetd.conf")) return "inetd";
  if (file.parent_path().filename() == "inetd.d") return "inetd";
  if (name == "master.cf") return "master.cf";
  if (name.ends_with(".gcf")) return "lib-zc";
  return "";
}

std::string summary(const Conversion& conversion) {
  std::string out;
  std::size_t lost = lost_in(conversion.shared), off = 0;
  for (const Draft& service : conversion.services) {
    out += text(file_name(service), ": from ", service.place, '\n');
    if (!service.off.empty()) out += text("  not started: ", service.off, '\n');
    append_lost(service, out);
    lost += lost_in(service);
    off += service.off.empty() ? 0 : 1;
  }
  if (lost_in(conversion.shared) > 0) out += text(shared_file, ": from ", conversion.shared.place, '\n');
  append_lost(conversion.shared, out);
  out += text(count_of(conversion.services.size(), "service"), ", ", off, " of them not started; ",
              count_of(lost, "setting"), " not translated\n");
  return out;
}

int convert(const Invocation& invocation) {
  if (invocation.arguments.empty()) misused("no FILE is given");
  if (invocation.json) misused("convert prints no JSON");
  const ThisMachine machine;
  Conversion conversion = read_all(invocation, machine);
  if (!conversion.mistakes.empty()) {
    for (const auto& mistake : conversion.mistakes) std::fprintf(stderr, "%s\n", harmless(mistake).c_str());
    throw Failure(text(count_of(conversion.mistakes.size(), "mistake"), ": nothing was written"),
                  outcome_of_convert::mistakes);
  }
  make_names_unique(conversion.services);
  check_on(machine, conversion);
  const bool to_files = !invocation.output.empty();
  const auto files = files_of(conversion);
  if (to_files)
    write_files(files, invocation.output, invocation.force);
  else
    for (const auto& file : files) std::printf("==> %s <==\n%s\n", file.name.c_str(), file.content.c_str());
  const std::string told = summary(conversion);
  for (const auto line : split(std::string_view(told).substr(0, told.size() - 1), '\n'))
    std::fprintf(to_files ? stdout : stderr, "%s\n", harmless(line).c_str());
  const bool whole =
      lost_in(conversion.shared) == 0 && std::ranges::all_of(conversion.services, [](const Draft& each) {
        return each.off.empty() && lost_in(each) == 0;
      });
  return whole ? outcome::done : outcome_of_convert::something_lost;
}

}  // namespace brood::ctl
