// SPDX-License-Identifier: MIT
// Shows a server without clients: it logs a tick every five seconds, and each line that is written into its
// FIFO. Run `echo hello > /tmp/ticker.fifo`, also from several terminals at once.
#include <brood/brood.hpp>

class Ticker : public brood::TriggerServer {
  void add_settings(brood::Settings& settings) override {
    settings.set_default("listen", {"timer:5s", "fifo:/tmp/ticker.fifo,name=door"});
  }

  void handle_trigger(brood::Trigger& trigger) override {
    if (trigger.kind() == brood::TriggerKind::timer)
      brood::log_info("tick, " + std::to_string(trigger.missed()) + " missed before it");
    else
      brood::log_info(std::string(trigger.listener()) + ": " + std::string(trigger.text()));
  }
};

int main(int argc, char** argv) { return Ticker().run(argc, argv); }
