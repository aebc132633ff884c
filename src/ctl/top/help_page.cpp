// SPDX-License-Identifier: MIT
#include "ctl/top/help_page.hpp"

namespace brood::ctl {

std::vector<std::string> help_page() {
  return {"up down j k  select a line; also Page Up, Page Down, Home, End",
          "Enter        open the selected service",
          "Escape       clear the filters; then back to the list of services",
          "a            the children of all services",
          "< >          sort by the column to the left or right; i: the other way round",
          "/            only children with this in their note or peer",
          "t            only children that are in their state for so long: 500ms, 5s, 2m",
          "v            only services with this in their name",
          "x            retire the child: it finishes its connections and leaves",
          "R            reload the service that is shown or selected",
          "s            where in its code the child is",
          "q            quit",
          "",
          "Each place of the scoreboard is a letter:",
          "  _ idle       W busy       w busy, and takes more connections   . no child",
          "  S starting   G leaving    T stopped by a signal",
          "",
          "TIME   how long the child is in this state",
          "CPU    percent of one processor, since the last look",
          "MEM    resident memory, without files and shared memory",
          "CONNS  connections that it has accepted; CONN/S: those of now, a second"};
}

}  // namespace brood::ctl
