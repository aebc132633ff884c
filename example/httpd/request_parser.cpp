// SPDX-License-Identifier: MIT
// The only file that includes Boost.Beast, which is slow to compile.
#include "request_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <optional>

namespace httpd {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// Several lines of one field are one field, a list by its grammar.
void add_to_list(std::string& field, string_view value) {
  if (!field.empty()) field += ", ";
  field.append(value.data(), value.size());
}

void set(std::string& field, string_view value) { field.assign(value.data(), value.size()); }

// Beast calls it while it parses. The arguments are valid during the call only.
class Grammar final : public http::basic_parser<true> {
 public:
  explicit Grammar(Request& request) : request_(request) {
    header_limit(largest_header);
    body_limit(largest_body);
  }

  bool has_line() const { return has_line_; }
  bool expects_answer() const { return expects_; }
  Status status() const { return status_; }

 private:
  void on_request_impl(http::verb verb, string_view, string_view target, int version, error_code&) override {
    has_line_ = true;
    version_ = version;
    request_.method = verb == http::verb::get       ? Method::get
                      : verb == http::verb::head    ? Method::head
                      : verb == http::verb::unknown ? Method::unknown
                                                    : Method::other;
    set(request_.target, target);
  }

  void on_field_impl(http::field name, string_view, string_view value, error_code& ec) override {
    if (is_header_done()) return;  // a field after the body
    if (++fields_ > most_fields) return refuse(Status::header_too_large, ec);
    switch (name) {
      case http::field::host:
        if (has_host_) refuse(Status::bad_request, ec);
        has_host_ = true;
        break;
      case http::field::transfer_encoding:
        has_encoding_ = true;
        break;
      case http::field::expect:
        expects_ = true;
        break;
      case http::field::range:
        return add_to_list(request_.range, value);
      case http::field::if_range:
        return set(request_.if_range, value);
      case http::field::if_match:
        return add_to_list(request_.if_match, value);
      case http::field::if_none_match:
        return add_to_list(request_.if_none_match, value);
      case http::field::if_modified_since:
        return set(request_.if_modified_since, value);
      case http::field::if_unmodified_since:
        return set(request_.if_unmodified_since, value);
      default:
        break;
    }
  }

  void on_header_impl(error_code& ec) override {
    // Without knowing the encoding, the end of the body can't be found.
    if (has_encoding_ && version_ < 11) return refuse(Status::bad_request, ec);
    if (has_encoding_ && !chunked()) return refuse(Status::not_implemented, ec);
    // An absolute target names the host; the field may be missing.
    if (version_ >= 11 && !has_host_ && request_.target.starts_with('/'))
      return refuse(Status::bad_request, ec);
    request_.keep_alive = keep_alive() && !expects_;
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  void refuse(Status status, error_code& ec) {
    status_ = status;
    ec = http::error::bad_value;
  }

  Request& request_;
  Status status_ = Status::bad_request;
  int version_ = 0;
  std::size_t fields_ = 0;
  bool has_line_ = false, has_host_ = false, has_encoding_ = false, expects_ = false;
};

}  // namespace

class RequestParser::Parser {
 public:
  Request request;
  std::optional<Grammar> grammar{request};

  void restart() {
    request.method = Method::unknown;
    for (auto* field : {&request.target, &request.range, &request.if_range, &request.if_match,
                        &request.if_none_match, &request.if_modified_since, &request.if_unmodified_since})
      field->clear();  // keeps its memory for the next request
    header_size_ = 0;
    began_ = false;
    grammar.emplace(request);
  }

  bool began() const { return began_; }
  bool complete() const {
    return grammar->is_done() || (grammar->is_header_done() && grammar->expects_answer());
  }

  std::size_t take(std::string_view data) {
    std::size_t taken = began_ ? 0 : skip_empty_lines(data);
    const std::string_view rest = data.substr(taken);
    if (rest.empty() || (!began_ && rest == "\r")) return taken;
    // Methods begin with capitals: this is no HTTP, and is refused before its end.
    if (!began_ && (rest.front() < 'A' || rest.front() > 'Z')) throw Refusal{Status::bad_request, {}};
    began_ = true;
    error_code ec;
    bool in_header = true;
    while (taken < data.size() && !ec && !complete()) {
      in_header = !grammar->is_header_done();
      const std::size_t size =
          grammar->put(boost::asio::const_buffer(data.data() + taken, data.size() - taken), ec);
      taken += size;
      if (in_header) header_size_ += size;
    }
    const std::size_t left = ec == http::error::need_more ? data.size() - taken : 0;
    if ((in_header ? header_size_ : 0) + left > largest_header) ec = http::error::header_limit;
    if (ec && ec != http::error::need_more) refuse(ec, data);
    return taken;
  }

 private:
  // Line ends that some clients send after a body.
  static std::size_t skip_empty_lines(std::string_view data) {
    std::size_t size = 0;
    while (data.substr(size, 2) == "\r\n") size += 2;
    return size;
  }

  [[noreturn]] void refuse(const error_code& ec, std::string_view data) const {
    if (ec == http::error::body_limit) throw Refusal{Status::content_too_large, {}};
    if (ec == http::error::header_limit && grammar->is_header_done()) throw Refusal{Status::bad_request, {}};
    if (ec == http::error::header_limit) {
      const bool has_line = grammar->has_line() || data.find('\n') < largest_header;
      throw Refusal{has_line ? Status::header_too_large : Status::target_too_long, {}};
    }
    throw Refusal{grammar->status(), {}};
  }

  std::size_t header_size_ = 0;
  bool began_ = false;
};

RequestParser::RequestParser() : parser_(std::make_unique<Parser>()) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::take(std::string_view data) { return parser_->take(data); }
bool RequestParser::began() const { return parser_->began(); }
bool RequestParser::complete() const { return parser_->complete(); }
const Request& RequestParser::request() const { return parser_->request; }
void RequestParser::next() { parser_->restart(); }

}  // namespace httpd
