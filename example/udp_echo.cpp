// SPDX-License-Identifier: MIT
// Shows an echo server for datagrams. Each answer comes from the address to which the datagram was sent.
//
// The source of a datagram can be forged. If it is a server that answers everything, the two would talk
// without end (CERT CA-1996-01). So an answer is marked, and what has the mark is not answered: neither
// another echo server nor this one can go on with it. Nor is a port below 1024 answered, where other such
// services are.
#include <brood/datagram_server.hpp>

class UdpEcho : public brood::DatagramServer {
  void handle_datagram(brood::Datagram& datagram) override {
    const std::string mark = "echo: ";
    const auto port = datagram.peer_address().port();  // 0: a unix socket
    if (datagram.data().starts_with(mark) || (port > 0 && port < 1024)) return;
    datagram.reply(mark + std::string(datagram.data()));
  }
};

int main(int argc, char** argv) { return UdpEcho().run(argc, argv); }
