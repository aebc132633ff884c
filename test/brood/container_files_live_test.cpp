// SPDX-License-Identifier: MIT
// etc/container and etc/kubernetes: what they name exists, and a server that is started so is one for
// containers.
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "brood_directory.hpp"
#include "broodctl.hpp"
#include "pid_1.hpp"
#include "root.hpp"

using namespace brood;
using namespace brood::test;

namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

std::string source(const std::string& file) { return read_file(example_path("../etc/" + file)); }

Variables variables_in(const std::string& text, const char* pattern) {
  Variables all;
  const std::regex variable(pattern);
  for (std::sregex_iterator found(text.begin(), text.end(), variable), end; found != end; ++found)
    all.emplace_back((*found)[1], (*found)[2]);
  return all;
}
Variables of_image() {
  return variables_in(source("container/Containerfile"), "(?:ENV |    )(BROOD_[A-Z_]+)=([^ \\n]+)");
}
Variables of_manifest() {
  return variables_in(source("kubernetes/brood.yaml"), "- name: (BROOD_[A-Z_]+)\\n +value: \"([^\"]*)\"");
}

ServerOptions with(const Variables& variables, bool as_pid_1 = false) {
  ServerOptions options = brood_options(false);
  options.log = false;
  options.in_process = [variables, as_pid_1] {
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    if (as_pid_1) become_pid_1();
  };
  return options;
}

// Without PyYAML: nothing.
std::optional<nlohmann::json> parsed(const std::string& yaml) {
  const std::string command =
      "python3 -c 'import json, sys, yaml; "
      "print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))' '" +
      yaml + "' 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> buffer{};
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    out.append(buffer.data(), size);
  if (out.empty()) return {};
  return nlohmann::json::parse(out);
}

int seconds_of(const Variables& variables, const std::string& name) {
  for (const auto& [known, value] : variables)
    if (known == name) return std::stoi(value);
  FAIL("not set: " << name);
  return 0;
}

}  // namespace

TEST_CASE("the variables of the image and of the manifest are settings") {
  const Directory directory;
  directory.add("echo");
  for (const auto& variables : {of_image(), of_manifest()}) {
    CHECK(variables.size() >= 5);
    ServerProcess server(in(directory, {"--test-config"}), with(variables));
    CHECK(server.wait_exit() == exited(0));
    CHECK(server.standard_error().empty());
    CHECK(seconds_of(variables, "BROOD_DRAIN_DELAY") > 0);
  }
}

TEST_CASE("the services of the image and of the manifest have no mistakes") {
  const Directory directory;
  std::filesystem::remove_all(directory.path() + "/defaults");
  SUBCASE("image") { directory.write("echo", source("container/services/echo.conf")); }
  SUBCASE("manifest") {
    const auto manifest = parsed(example_path("../etc/kubernetes/brood.yaml"));
    if (!manifest) {
      MESSAGE("skipped: needs python3-yaml");
      return;
    }
    for (const auto& [file, content] : (*manifest)[0].at("data").items())
      write_file(directory.path() + "/" + file, content);
  }
  ServerProcess server(in(directory, {"--test-config"}), with({}));
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.standard_error().empty());
}

TEST_CASE("the manifest gives a pod the time to drain and asks whether it is ready") {
  const auto manifest = parsed(example_path("../etc/kubernetes/brood.yaml"));
  if (!manifest) {
    MESSAGE("skipped: needs python3-yaml");
    return;
  }
  REQUIRE(manifest->size() == 3);
  const auto& pod = manifest->at(1).at("spec").at("template").at("spec");
  const int needed =
      seconds_of(of_manifest(), "BROOD_DRAIN_DELAY") + seconds_of(of_manifest(), "BROOD_GRACEFUL_TIMEOUT");
  CHECK(pod.at("terminationGracePeriodSeconds") > needed);
  CHECK(pod.at("securityContext").at("runAsNonRoot") == true);
  const auto& container = pod.at("containers").at(0);
  CHECK_FALSE(container.contains("lifecycle"));
  CHECK(container.at("readinessProbe").at("exec").at("command").back() == "--ready");
  CHECK(container.at("securityContext").at("readOnlyRootFilesystem") == true);
  CHECK(manifest->at(0).at("metadata").at("name") == pod.at("volumes").at(0).at("configMap").at("name"));
  CHECK(manifest->at(2).at("spec").at("selector") ==
        manifest->at(1).at("spec").at("template").at("metadata").at("labels"));
}

TEST_CASE("as in the image: PID 1 writes JSON to standard output and drains") {
  if (skipped_without_root()) return;
  const Directory directory;
  directory.write("echo", source("container/services/echo.conf"));
  Variables variables = of_image();
  variables.emplace_back("BROOD_ECHO_LISTEN", directory.address("echo"));
  for (auto& [name, value] : variables)
    if (name == "BROOD_DRAIN_DELAY") value = "10m";
  ServerProcess server(in(directory), with(variables, true));
  const auto says = [&](const std::string& part) {
    return eventually([&] { return server.standard_output().find(part) != std::string::npos; });
  };
  REQUIRE(says("\"message\":\"ready: brood on "));
  CHECK(says("\"pid\":1,"));
  CHECK(answers(directory.address("echo")));
  const pid_t parent = children_of(server.pid()).at(0);
  ::kill(parent, SIGTERM);
  CHECK(says("\"message\":\"draining: "));
  CHECK(answers(directory.address("echo")));
  ::kill(parent, SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  std::istringstream lines(server.standard_output());
  for (std::string line; std::getline(lines, line);) CHECK(nlohmann::json::parse(line).contains("time"));
  CHECK(server.standard_error().empty());
}
