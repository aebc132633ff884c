// SPDX-License-Identifier: MIT
// brood_mapping(7): what it names of ours exists, with values that are accepted; it has all that the others
// have; and it says of each key what broodctl convert does with it.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <vector>

#include "base/address.hpp"
#include "brood/error.hpp"
#include "command_output.hpp"
#include "generated.hpp"
#include "settings/configuration.hpp"
#include "settings/service_command_settings.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const std::string source_root = BROOD_SOURCE;
const std::string programs = BROOD_PROGRAMS;

struct Entry {
  std::string program, table;  // ".Sh", ".Ss"
  std::string theirs;
  std::vector<std::string> lines;
  std::set<std::string> names;  // the words of `theirs`
};

struct Page {
  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> lines;  // the program, and a line of its section
};

std::set<std::string> found_in(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression); match != std::sregex_iterator();
       ++match)
    found.insert((*match)[1].str());
  return found;
}

Page read_page() {
  Page page;
  std::string program, table;
  bool in_entry = false;
  const std::string content = read_file(source_root + "/man/brood_mapping.7");
  std::size_t at = 0;
  while (at < content.size()) {
    const auto end = content.find('\n', at);
    const std::string line = content.substr(at, end - at);
    at = end + 1;
    if (line.starts_with(".Sh ")) program = line.substr(4);
    if (line.starts_with(".Ss ")) table = line.substr(4);
    if (line.starts_with(".S") || line == ".El") in_entry = false;
    if (line.starts_with(".It Ql ")) {
      page.entries.push_back({program, table, line.substr(7), {}, found_in(line.substr(7), "([^ ,]+)")});
      in_entry = true;
    } else if (in_entry) {
      page.entries.back().lines.push_back(line);
    }
    page.lines.emplace_back(program, line);
  }
  return page;
}

std::string output_of_program(const std::string& command) { return output_of(programs + "/" + command); }

// The arguments of a macro, without the punctuation that belongs to the text.
std::vector<std::string> named_by(const std::string& line, const std::string& macro) {
  std::vector<std::string> named;
  if (!line.starts_with(macro + " ")) return named;
  std::string rest = std::regex_replace(line.substr(macro.size() + 1), std::regex("( [.,;:)])+$"), "");
  for (auto comma = rest.find(" , "); comma != std::string::npos; comma = rest.find(" , ")) {
    named.push_back(rest.substr(0, comma));
    rest.erase(0, comma + 3);
  }
  named.push_back(rest);
  return named;
}

// One that stands for a value.
std::string with_values(std::string claim) {
  for (const auto& [placeholder, value] :
       {std::pair{"HOST", "127.0.0.1"}, std::pair{"PORT", "1"}, std::pair{"PATH", "/x"},
        std::pair{"TIME", "1s"}, std::pair{"fd:N", "fd:3"}})
    claim = std::regex_replace(claim, std::regex(placeholder), value);
  return claim;
}

std::string mistakes_in(const std::string& claim) {
  if (claim.starts_with("listen = ")) try {
      parse_listen(with_values(claim.substr(9)));
    } catch (const Error& error) {
      return error.what();
    }
  ServiceConfiguration service(
      "x", ChildModel{.work = WorkKind::any, .many_connections = true, .threads = true, .command = true},
      true);
  Configuration parent;
  Settings table;
  add_service_settings(table, service);
  add_parent_settings(table, parent);
  SettingsReader reader(table);
  reader.read_text(with_values(claim) + "\n", "brood_mapping.7");
  reader.check();
  return reader.errors();
}

std::string headers() {
  std::string all;
  for (const auto& header : std::filesystem::directory_iterator(source_root + "/include/brood"))
    all += read_file(header.path());
  return all;
}

const Entry* find(const Page& page, const std::string& program, const std::string& table,
                  const std::string& theirs) {
  for (const Entry& entry : page.entries)
    if (entry.program == program && (table.empty() || entry.table == table) && entry.names.count(theirs) == 1)
      return &entry;
  return nullptr;
}

struct Rule {
  std::string key, form, setting;
};
std::map<std::string, std::vector<Rule>> rules_in(const std::string& file) {
  const std::string source = read_file(source_root + "/src/ctl/convert/" + file);
  const std::regex rule(
      "KeyRule\\{\"([^\"]+)\",\\s*KeyForm::(\\w+),\\s*\"([^\"]*)\"|constexpr std::array (\\w+) = \\{");
  std::map<std::string, std::vector<Rule>> tables;
  std::string table;
  for (std::sregex_iterator match(source.begin(), source.end(), rule); match != std::sregex_iterator();
       ++match) {
    if ((*match)[4].matched)
      table = (*match)[4].str();
    else
      tables[table].push_back({(*match)[1].str(), (*match)[2].str(), (*match)[3].str()});
  }
  return tables;
}

}  // namespace

TEST_CASE("each setting and option of ours in brood_mapping(7) exists and has a value that is accepted") {
  const std::string brood_help =
      output_of_program("brood --config-directory " + source_root + "/etc/brood --help");
  const std::string option = "\n  (?:-\\w, )?--([a-z-]+)";
  auto settings = found_in(brood_help, option);
  const auto brood_options =
      found_in(brood_help.substr(0, brood_help.find("Settings, on the command line")), option);
  settings.merge(found_in(output_of_program("echo --help"), option));
  const auto of_proxy = found_in(output_of_program("proxy --help"), option);
  settings.insert("command");
  const auto verbs =
      found_in("\n  reopen|pause|resume\n" + output_of_program("broodctl --help"), "\n  ([a-z|]+) ");
  std::set<std::string> orders;
  for (const auto& verb : verbs)
    for (std::size_t at = 0; at <= verb.size();) {
      const auto end = std::min(verb.find('|', at), verb.size());
      orders.insert(verb.substr(at, end - at));
      at = end + 1;
    }
  const std::string broodctl_page = read_file(source_root + "/man/broodctl.8");
  unsigned claims = 0, values = 0;
  for (const auto& [program, line] : read_page().lines)
    for (const auto& claim : named_by(line, ".Cm")) {
      CAPTURE(claim);
      ++claims;
      const auto words = found_in(claim, "(?:^| )(--?[a-z-]+|[a-z]+)");
      const std::string name = claim.substr(0, claim.find_first_of(" ="));
      if (claim == "broodctl") continue;
      if (name == "broodctl" || name == "brood") {
        for (const auto& word : words) {
          if (word == name) continue;
          if (word.starts_with("--"))
            CHECK((name == "brood" ? brood_help.find(word) : broodctl_page.find("Fl " + word.substr(1))) !=
                  std::string::npos);
          else
            CHECK(orders.count(word) == 1);
        }
      } else if (name.starts_with("--")) {
        const bool of_broodctl = broodctl_page.find("Fl " + name.substr(1)) != std::string::npos;
        CHECK(
            (of_broodctl || settings.count(name.substr(2)) == 1 || brood_options.count(name.substr(2)) == 1));
      } else if (name.starts_with(",")) {
        CHECK(brood_help.find("'" + name) != std::string::npos);
      } else if (orders.count(name) == 1 && claim == name) {
        continue;
      } else {
        const bool known = settings.count(name) == 1 || (program == "TINYPROXY" && of_proxy.count(name) == 1);
        CHECK(known);
        if (claim == name || name == "built-in" || name == "strict" || program == "TINYPROXY") continue;
        ++values;
        CHECK(mistakes_in(claim) == "");
      }
    }
  CHECK(claims > 250);
  CHECK(values > 30);
}

TEST_CASE("each class and each hook of ours in brood_mapping(7) is in the public headers") {
  const std::string declared = headers();
  const auto functions = found_in(declared, "(\\w+)\\(");
  unsigned hooks = 0, classes = 0;
  for (const auto& [program, line] : read_page().lines) {
    for (const auto& hook : named_by(line, ".Fn")) {
      ++hooks;
      const auto scope = hook.rfind("::");
      const std::string name = scope == std::string::npos ? hook : hook.substr(scope + 2);
      CHECK_MESSAGE(functions.count(name) == 1, "no header has " << hook);
      if (scope == std::string::npos) continue;
      const std::string within = hook.substr(0, scope);
      CHECK_MESSAGE(std::regex_search(declared, std::regex("(class|namespace) (brood::)?" + within + "\\b")),
                    "no header has " << hook);
    }
    if (line.starts_with(".It") || line.starts_with(".Ql") || line.starts_with(".Fn")) continue;
    for (const auto& type : found_in(line, "\\b([A-Z][a-z]*Server)\\b")) {
      ++classes;
      CHECK_MESSAGE(declared.find("class " + type + " ") != std::string::npos, "no header has " << type);
    }
  }
  CHECK(hooks > 50);
  CHECK(classes > 15);
}

TEST_CASE("brood_mapping(7) has each key that broodctl convert knows, with the setting that it becomes") {
  const Page page = read_page();
  const std::string acl = "ACL: ACL_MASTER", lib_zc = "LIB-ZC: MASTER";
  const std::map<std::string, std::pair<std::string, std::string>> tables = {
      {"main_keys", {acl, "main.cf"}},
      {"service_keys", {acl, "A service's .cf file"}},
      {"framework_keys", {acl, "Settings of the server frameworks"}},
      {"lib_zc_keys", {lib_zc, "A service's .cf file"}}};
  unsigned keys = 0;
  auto rules = rules_in("acl_keys.cpp");
  rules.merge(rules_in("lib_zc.cpp"));
  REQUIRE(rules.size() == tables.size());
  for (const auto& [name, of_table] : rules)
    for (const Rule& rule : of_table) {
      CAPTURE(name);
      CAPTURE(rule.key);
      ++keys;
      const auto& [program, table] = tables.at(name);
      const Entry* entry = find(page, program, table, rule.key);
      REQUIRE(entry != nullptr);
      if (rule.setting.empty()) continue;
      const bool named = std::ranges::any_of(
          entry->lines, [&](const std::string& line) { return line.starts_with(".Cm " + rule.setting); });
      CHECK_MESSAGE(named, "the entry lacks " << rule.setting);
    }
  CHECK(keys > 120);
}

TEST_CASE("brood_mapping(7) has each setting and each hook of the others") {
  const Page page = read_page();
  // From their manuals and sources, which the page names.
  const std::map<std::string, std::string> theirs = {
      {"ACL: ACL_MASTER",
       "master_proc master_threads master_aio master_fiber master_udp master_trigger run_daemon run_alone "
       "master_proc::on_accept master_threads::thread_on_read thread_on_accept thread_on_handshake "
       "thread_on_timeout "
       "thread_on_close thread_on_init thread_on_exit master_aio::on_accept master_udp::on_read proc_on_bind "
       "proc_on_unbind master_trigger::on_trigger proc_on_listen proc_pre_jail proc_on_init proc_pre_exit "
       "proc_exit_timer proc_on_exit proc_on_sighup proc_set_timer proc_del_timer keep_read list stat start "
       "restart "
       "stop kill reload"},
      {"LIB-ZC: MASTER",
       "-C -pid-file --try-lock -log-service zmaster_server_main zmaster_server_before_service "
       "zmaster_server_load_config zmaster_server_load_config_from_dirname zvar_master_server_reload_signal "
       "zaio_server_main zaio_server_service_register zaio_server_before_service zaio_server_before_softstop "
       "zaio_server_stop_notify zaio_server_detach_from_master zaio_server_general_aio_register "
       "zcoroutine_server_main alone -server-service -server-config-path -config main_run "
       "load_server_configs "
       "load_server_configs_from_dir load_global_config_from_dir before_service before_softstop stop_notify "
       "detach_from_master service_register simple_service_register get_instance get_aio_base "
       "aio_worker_server "
       "simple_line_aio_worker_server coroutine_worker_server is_worker_server_mode"},
      {"POSTFIX: MASTER.CF",
       "inet unix unix-dgram fifo pass Private Unprivileged Chroot Command -o -v -D default_process_limit "
       "max_idle "
       "max_use service_throttle_time master_service_disable config_directory daemon_directory "
       "debugger_command "
       "inet_interfaces inet_protocols import_environment mail_owner process_id process_name queue_directory "
       "syslog_facility syslog_name service_name known_tcp_ports argv= user= TRANSPORT_time_limit -c -d -e "
       "-i -s -t -w "
       "SIGHUP SIGTERM start start-fg stop abort reload status check logrotate"},
      {"INETD.CONF",
       "host:service raw rdm seqpacket sndbuf= rcvbuf= nowait wait nowait.max user user.group user:group "
       "argv[0] "
       "arguments tcpd tcpmux/service rpc/tcp rpc/udp -d -E -i -l -q -R --debug --environment --pidfile "
       "--rate "
       "--resolve tcp4 tcp6 tcp46 SIGHUP"},
      {"TCPSERVER",
       "-q -Q -v -c -x -X -B -g -u -U -1 -b -o -O -d -D -h -H -p -P -l -r -R -t -4 -6 -I host port prog"},
      {"PHP-FPM: A POOL",
       "prefix user group listen listen.backlog listen.owner listen.group listen.mode listen.acl_users "
       "listen.acl_groups listen.allowed_clients listen.setfib process.priority process.dumpable pm "
       "pm.max_children "
       "pm.start_servers pm.min_spare_servers pm.max_spare_servers pm.max_spawn_rate pm.process_idle_timeout "
       "pm.max_requests pm.status_path pm.status_listen ping.path ping.response access.log access.format "
       "access.suppress_path slowlog request_slowlog_timeout request_slowlog_trace_depth "
       "request_terminate_timeout "
       "request_terminate_timeout_track_finished rlimit_files rlimit_core chroot chdir catch_workers_output "
       "decorate_workers_output clear_env security.limit_extensions apparmor_hat env[NAME] php_value "
       "php_flag "
       "php_admin_value php_admin_flag"},
      {"GUNICORN",
       "config wsgi_app bind backlog workers worker_class threads worker_connections max_requests "
       "max_requests_jitter "
       "timeout graceful_timeout keepalive limit_request_line limit_request_fields limit_request_field_size "
       "reload "
       "reload_engine reload_extra_files spew check_config print_config preload_app sendfile reuse_port "
       "chdir daemon "
       "raw_env pidfile worker_tmp_dir user group umask initgroups tmp_upload_dir secure_scheme_headers "
       "forwarded_allow_ips accesslog disable_redirect_access_to_syslog access_log_format errorlog loglevel "
       "capture_output logger_class logconfig logconfig_dict logconfig_json syslog_addr syslog syslog_prefix "
       "syslog_facility enable_stdio_inheritance statsd_host dogstatsd_tags statsd_prefix "
       "enable_backlog_metric "
       "proc_name default_proc_name pythonpath paste on_starting on_reload when_ready pre_fork post_fork "
       "post_worker_init worker_int worker_abort pre_exec pre_request post_request child_exit worker_exit "
       "nworkers_changed on_exit ssl_context proxy_protocol proxy_allow_ips protocol uwsgi_allow_ips keyfile "
       "certfile "
       "ssl_version cert_reqs ca_certs suppress_ragged_eofs do_handshake_on_connect ciphers http_protocols "
       "http2_cleartext http2_max_concurrent_streams http2_initial_window_size http2_max_frame_size "
       "http2_max_header_list_size raw_paste_global_conf permit_obsolete_folding strip_header_spaces "
       "permit_unconventional_http_method permit_unconventional_http_version casefold_http_method "
       "forwarder_headers "
       "header_map asgi_loop asgi_lifespan asgi_disconnect_grace_period http_parser root_path dirty_apps "
       "dirty_workers dirty_timeout dirty_threads dirty_graceful_timeout on_dirty_starting dirty_post_fork "
       "dirty_worker_init dirty_worker_exit control_socket control_socket_mode control_socket_disable"}};
  for (const auto& [program, all] : theirs)
    for (const auto& each : found_in(all, "([^ ]+)"))
      CHECK_MESSAGE(find(page, program, "", each) != nullptr, "the section " << program << " lacks " << each);
  // No entry says nothing, and none is there twice.
  std::set<std::string> seen;
  for (const Entry& entry : page.entries) {
    CHECK_MESSAGE(!entry.lines.empty(), entry.theirs << " has no counterpart");
    CHECK_MESSAGE(seen.insert(entry.program + entry.table + entry.theirs).second,
                  entry.theirs << " is there twice");
  }
}
