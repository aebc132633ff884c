// SPDX-License-Identifier: MIT
// The echo server for datagrams. Whatever address it was asked at, the answer comes from there.
#include <brood/datagram_server.hpp>

class UdpEcho : public brood::DatagramServer {
  void handle_datagram(brood::Datagram& datagram) override { datagram.reply(datagram.data()); }
};

int main(int argc, char** argv) { return UdpEcho().run(argc, argv); }
