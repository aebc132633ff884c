// SPDX-License-Identifier: MIT
// Shows an echo server for datagrams. Each answer comes from the address to which the datagram was sent.
#include <brood/datagram_server.hpp>

class UdpEcho : public brood::DatagramServer {
  void handle_datagram(brood::Datagram& datagram) override { datagram.reply(datagram.data()); }
};

int main(int argc, char** argv) { return UdpEcho().run(argc, argv); }
