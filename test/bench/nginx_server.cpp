// SPDX-License-Identifier: MIT
#include "nginx_server.hpp"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "load_client.hpp"
#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr const char* path = "/usr/sbin/nginx";
constexpr auto start_patience = 20s;

}  // namespace

bool NginxServer::is_installed() { return ::access(path, X_OK) == 0; }

NginxServer::NginxServer(const std::string& document_root, unsigned workers, const std::string& directives)
    // It can't be asked for a free port.
    : address_(free_address()), program_(command(document_root, workers, directives)) {
  LoadTarget target(address_);
  const auto started = [&] {
    return !program_.running() || (target.connect(0) && children_of(program_.pid()).size() == workers);
  };
  if (!wait_until(started, start_patience, 10ms) || !program_.running())
    throw std::runtime_error("nginx did not start: " + read_file(directory_ / "error.log"));
}

NginxServer::~NginxServer() {
  const auto orphans = children_of(program_.pid());
  program_.kill();
  end_orphans(orphans);
}

Contestant NginxServer::contestant() const { return {address_, children_of(program_.pid())}; }

ServiceCommand NginxServer::command(const std::string& document_root, unsigned workers,
                                    const std::string& directives) const {
  const std::string configuration = directory_ / "nginx.conf";
  std::ofstream file(configuration);
  // Its usual user can't enter our directory.
  if (::geteuid() == 0) file << "user root root;\n";
  file << "daemon off;\nworker_processes " << workers << ";\npid " << directory_ / "pid"
       << ";\n"
       << "worker_rlimit_nofile 8192;\nevents { worker_connections 4096; }\n"
       << "http {\n  access_log off;\n  " << directives << "\n"
       << "  keepalive_requests 1000000000;\n  keepalive_timeout 3600s;\n";
  for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    file << "  " << what << "_temp_path " << directory_ / what << ";\n";
  file << "  server { listen " << address_ << " backlog=4096; root " << document_root << "; }\n}\n";
  file.close();
  return {{path, "-p", directory_.path(), "-e", directory_ / "error.log", "-c", configuration},
          directory_ / "output",
          {}};
}

}  // namespace brood::bench
