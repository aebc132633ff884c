// SPDX-License-Identifier: MIT
// A server for the tests of broodctl top: no process has these figures.
#pragma once

#include <chrono>
#include <string>

#include "ctl/top/model.hpp"

namespace brood::test {

inline SlotSnapshot child(std::uint32_t index, SlotState state, std::chrono::nanoseconds time,
                          const std::string& note = "") {
  SlotSnapshot slot{
      .index = index, .state = state, .pid = static_cast<pid_t>(1000 + index), .incarnation = 1};
  slot.age = std::chrono::minutes(10);
  slot.capacity = 1;
  slot.note = note;
  if (state == SlotState::busy) {
    slot.open_connections = 1;
    slot.busy_for = time;
    slot.peer = "192.0.2.7:40312";
  } else {
    slot.idle_for = time;
    slot.spare = state == SlotState::idle;
  }
  return slot;
}

// Two busy children, two idle ones, one that starts, one that leaves; 10 may be.
inline ServiceSnapshot web() {
  using namespace std::chrono_literals;
  ServiceSnapshot service;
  service.name = "web";
  service.listeners = "127.0.0.1:8000";
  service.generation = 3;
  service.max_clients = 10;
  service.slots = {child(0, SlotState::idle, 3s),
                   child(1, SlotState::busy, 250ms, "GET /short"),
                   child(2, SlotState::busy, 75s, "GET /long"),
                   child(3, SlotState::starting, 0s),
                   child(4, SlotState::leaving, 1s),
                   child(5, SlotState::idle, 40s)};
  service.slots.resize(64);
  service.idle = service.busy = 2;
  service.starting = service.leaving = 1;
  service.empty = 58;
  service.spare = 2;
  service.open_connections = 2;
  service.total.accepted = 12'000;
  service.total.finished = 11'998;
  return service;
}

inline Snapshot server_of(std::vector<ServiceSnapshot> services) {
  Snapshot snapshot;
  snapshot.name = "shop";
  snapshot.parent_pid = 999;
  snapshot.parent_alive = true;
  snapshot.parent_state = 'S';
  snapshot.age = std::chrono::hours(2);
  snapshot.services = std::move(services);
  return snapshot;
}

// After two looks, a second apart: 120 connections were accepted and 118 finished, in 1 to 2 ms.
inline ctl::Model model_of(Snapshot snapshot) {
  ctl::Model model;
  model = ctl::after(model, snapshot, {});
  snapshot.age += std::chrono::seconds(1);
  for (auto& service : snapshot.services) {
    service.total.accepted += 120;
    service.total.finished += 118;
    service.total.latency[11] += 118;
    service.total.duration += std::chrono::milliseconds(177);
    service.slots[2].figures.accepted += 7;
  }
  snapshot.services[0].waiting = 3;
  model = ctl::after(model, snapshot, {});
  model.level = "ok";
  model.processes = {{1001, {.memory_bytes = 700'000, .processors = 0.02}},
                     {1002, {.memory_bytes = 42'000'000, .processors = 0.5}}};
  return model;
}

}  // namespace brood::test
