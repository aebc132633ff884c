// SPDX-License-Identifier: MIT
// Shows how to send bytes that the process does not copy (zero_copy.hpp): each line is answered with the same
// `size` bytes, which end with a newline, in one of five ways.
//   In the books: zero copy: sendfile, splice, tee (Linux server books); scatter/gather I/O (Stevens, UNP
//   14.4). In the kit: send_file(), relay(), and write_all() of several pieces.
//   Take gather: for answers of several pieces. sendfile: for files of some 16 KiB and more. splice: to pass
//   on what comes from a pipe or a socket. tee: if the same bytes go to several places. None of them for
//   small answers: for 1 KiB all cost the same.
#include <sys/mman.h>

#include <brood/brood.hpp>

#include "zero_copy.hpp"

class ZeroCopy : public brood::Server {
  enum class Way { copy, gather, sendfile, splice, tee };

  bool thread_safe() const override { return true; }
  void add_settings(brood::Settings& settings) override {
    settings.choice("way", way_,
                    {{"copy", Way::copy},
                     {"gather", Way::gather},
                     {"sendfile", Way::sendfile},
                     {"splice", Way::splice},
                     {"tee", Way::tee}},
                    "How an answer is sent.");
    settings.size("size", size_, 32, 65536, "How long an answer is.").applied_on = brood::AppliedOn::restart;
  }
  void on_parent_start() override {
    content_ = std::string(size_ - 1, 'x') + '\n';
    file_.reset(memfd_create("answer", MFD_CLOEXEC));
    patterns::call([&] { return pwrite(file_.get(), content_.data(), size_, 0); });
  }

  // The pipes are of one connection: what an error leaves in them ends with it.
  void handle_connection(brood::Connection& connection) override {
    const patterns::File file{file_, content_};
    const patterns::Pipe pipe, whole;
    if (way_ == Way::tee) fill(whole, file, 0);
    while (connection.read_line()) {
      if (way_ == Way::copy) send_copied(connection, file);
      if (way_ == Way::gather) send_gathered(connection, file);
      if (way_ == Way::sendfile) send_by_sendfile(connection, file);
      if (way_ == Way::splice) send_spliced(connection, file, pipe);
      if (way_ == Way::tee) send_by_tee(connection, file, whole, pipe);
      if (way_ != Way::copy && way_ != Way::gather) connection.add_bytes(0, size_);
      if (connection.leaving()) return;
    }
  }

  Way way_ = Way::copy;
  std::uint64_t size_ = 16384;
  std::string content_;
  brood::Descriptor file_;
};

int main(int argc, char** argv) { return ZeroCopy().run(argc, argv); }
