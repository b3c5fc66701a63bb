// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <sys/socket.h>

#include <future>
#include <list>
#include <set>
#include <thread>

#include "http/asio.hpp"
#include "http/head.hpp"
#include "http/tls.hpp"

namespace regroup::http {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using WipedBuffer = beast::basic_flat_buffer<WipingAllocator<char>>;
using AnswerParser = bhttp::response_parser<bhttp::vector_body<std::uint8_t, WipingAllocator<std::uint8_t>>>;
constexpr int kMostInterim = 8;  // 1xx answers before the real one

// Verified and open; `key` names everything that was verified, so that it is reused for nothing else.
struct Connection {
  Connection(asio::io_context& io, asio::ssl::context& tls, std::string k, std::size_t buffer_limit)
      : stream(io, tls), buffer(buffer_limit), key(std::move(k)) {}
  TlsStream stream;
  WipedBuffer buffer;
  std::string key;
  SteadyTime idle_since{};
};

class Call;

}  // namespace

// Everything but the constructor and the destructor runs on the one io thread.
struct Client::Core {
  Core(ClientOptions o, asio::ssl::context t)
      : options(std::move(o)), tls(std::move(t)), work(io.get_executor()), thread([this] { run(); }) {}
  ~Core();

  void run();
  [[nodiscard]] std::unique_ptr<Connection> take_idle(const std::string& key);
  void keep(std::unique_ptr<Connection> connection);

  ClientOptions options;
  asio::ssl::context tls;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::list<std::unique_ptr<Connection>> idle;  // oldest first
  std::set<std::shared_ptr<Call>> calls;
  std::thread thread;
};

namespace {

// One request and its answer.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(Client::Core& core, ClientRequest request, Url url, HostPort server, Client::Callback done)
      : core_(core),
        request_(std::move(request)),
        url_(std::move(url)),
        server_(std::move(server)),
        done_(std::move(done)),
        timer_(core.io),
        resolver_(core.io) {}

  void begin(std::chrono::milliseconds deadline);
  void finish(Result<Response> result);
  void fail_at_step(const std::string& why, std::string cure, Errc code = Errc::transport);

 private:
  void resolve();
  void connect(const std::vector<tcp::endpoint>& endpoints);
  void handshake();
  void on_handshake(const ErrorCode& ec);
  void send();
  void receive();
  void on_head(const ErrorCode& ec);
  void on_body(const ErrorCode& ec);
  void on_lost(const ErrorCode& ec);
  [[nodiscard]] bool may_repeat() const;
  [[nodiscard]] bool has_required_san(const PeerCertificate& certificate) const;
  [[nodiscard]] std::string key() const {
    return url_.authority() + '\n' + request_.proxy + '\n' + request_.connect_to + '\n' +
           request_.required_san;
  }

  Client::Core& core_;
  ClientRequest request_;
  Url url_;
  HostPort server_;  // whose certificate is expected: the URL's host, or the proxy
  Client::Callback done_;
  asio::steady_timer timer_;
  tcp::resolver resolver_;
  std::unique_ptr<Connection> connection_;
  std::optional<AnswerParser> parser_;
  WipedText head_;
  std::string step_ = "start";
  int interim_ = 0;
  bool reused_ = false;
  bool finished_ = false;
};

void Call::begin(std::chrono::milliseconds deadline) {
  core_.calls.insert(shared_from_this());
  timer_.expires_after(deadline);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& ec) {
    if (!ec)
      self->fail_at_step("no answer within the deadline", "check that the server runs and is reachable");
  });
  connection_ = core_.take_idle(key());
  reused_ = connection_ != nullptr;
  if (reused_) return send();
  resolve();
}

void Call::finish(Result<Response> result) {
  if (std::exchange(finished_, true)) return;
  timer_.cancel();
  resolver_.cancel();
  if (connection_) beast::get_lowest_layer(connection_->stream).close();
  const Client::Callback done = std::move(done_);
  core_.calls.erase(shared_from_this());
  done(std::move(result));
}

void Call::fail_at_step(const std::string& why, std::string cure, Errc code) {
  const std::string by = request_.proxy.empty() ? "" : " by proxy " + request_.proxy;
  finish(fail(code, "", "https://" + url_.authority() + by + ": " + step_ + ": " + why, std::move(cure)));
}

void Call::resolve() {
  step_ = "resolve";
  HostPort to = server_;
  if (!request_.connect_to.empty()) {
    auto parsed = parse_host_port(request_.connect_to);
    if (!parsed.ok()) return fail_at_step(parsed.error().detail, parsed.error().cure, Errc::usage);
    to = std::move(parsed).value();
  }
  ErrorCode not_numeric;
  const auto address = asio::ip::make_address(to.host, not_numeric);
  if (!not_numeric) return connect({tcp::endpoint(address, to.port)});
  if (!request_.connect_to.empty())
    return fail_at_step("connect_to is not a numeric address and port", "give ADDRESS:PORT", Errc::usage);
  resolver_.async_resolve(
      to.host, std::to_string(to.port),
      [self = shared_from_this()](const ErrorCode& ec, const tcp::resolver::results_type& found) {
        if (self->finished_) return;
        if (ec) return self->fail_at_step(ec.message(), "check the host name");
        self->connect({found.begin(), found.end()});
      });
}

void Call::connect(const std::vector<tcp::endpoint>& endpoints) {
  step_ = "connect";
  connection_ = std::make_unique<Connection>(core_.io, core_.tls, key(),
                                             core_.options.header_limit + (std::size_t{64} << 10));
  beast::get_lowest_layer(connection_->stream)
      .async_connect(endpoints, [self = shared_from_this()](const ErrorCode& ec, const tcp::endpoint&) {
        if (self->finished_) return;
        if (ec) return self->fail_at_step(ec.message(), "check that the server runs and listens there");
        self->handshake();
      });
}

void Call::handshake() {
  step_ = "TLS";
  ErrorCode ignored;
  beast::get_lowest_layer(connection_->stream).socket().set_option(tcp::no_delay(true), ignored);
  if (!tls::expect_host(connection_->stream.native_handle(), server_.host))
    return fail_at_step("host name cannot be checked against a certificate",
                        "give the host by the name in its certificate", Errc::usage);
  connection_->stream.async_handshake(asio::ssl::stream_base::client,
                                      [self = shared_from_this()](const ErrorCode& ec) {
                                        if (!self->finished_) self->on_handshake(ec);
                                      });
}

void Call::on_handshake(const ErrorCode& ec) {
  SSL* ssl = connection_->stream.native_handle();
  if (ec) {
    const std::string problem = tls::verify_problem(ssl);
    if (problem.empty())
      return fail_at_step(ec.message(), "check TLS versions and whether a client certificate is required");
    return fail_at_step("server certificate refused: " + problem,
                        "check the CA file of this connection and the names in the server's certificate");
  }
  if (!has_required_san(tls::peer_certificate(ssl)))
    return fail_at_step("server certificate does not carry " + request_.required_san,
                        "check the `san` of this partner");
  send();
}

bool Call::has_required_san(const PeerCertificate& certificate) const {
  const std::string& san = request_.required_san;
  if (san.empty()) return true;
  if (san.find(':') != std::string::npos) return certificate.has_uri(san);
  return std::any_of(certificate.dns.begin(), certificate.dns.end(),
                     [&](const std::string& name) { return equal_no_case(name, san); });
}

void Call::send() {
  step_ = "send";
  head_ = request_head(request_.method, url_.origin_form(), url_.authority(), request_.headers,
                       request_.body.size());
  const std::array<asio::const_buffer, 2> out{asio::buffer(head_), asio::buffer(request_.body)};
  asio::async_write(connection_->stream, out, [self = shared_from_this()](const ErrorCode& ec, std::size_t) {
    if (self->finished_) return;
    if (ec) return self->on_lost(ec);
    self->receive();
  });
}

void Call::receive() {
  step_ = "receive";
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_.options.header_limit));
  parser_->body_limit(core_.options.response_limit);
  parser_->skip(request_.method == "HEAD");
  bhttp::async_read_header(connection_->stream, connection_->buffer, *parser_,
                           [self = shared_from_this()](const ErrorCode& ec, std::size_t) {
                             if (!self->finished_) self->on_head(ec);
                           });
}

void Call::on_head(const ErrorCode& ec) {
  if (ec) return on_lost(ec);
  if (parser_->get().result_int() < 200) {
    if (++interim_ > kMostInterim)
      return fail_at_step("too many interim answers", "look into the server's log");
    return receive();
  }
  bhttp::async_read(connection_->stream, connection_->buffer, *parser_,
                    [self = shared_from_this()](const ErrorCode& failed, std::size_t) {
                      if (!self->finished_) self->on_body(failed);
                    });
}

void Call::on_body(const ErrorCode& ec) {
  if (ec) return on_lost(ec);
  Response response;
  auto& message = parser_->get();
  response.status = message.result_int();
  for (const auto& field : message)
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  response.body = Body(std::move(message.body()));
  if (parser_->keep_alive() && connection_->buffer.size() == 0) core_.keep(std::move(connection_));
  connection_.reset();
  finish(std::move(response));
}

bool Call::may_repeat() const {
  const bool answered = parser_ && parser_->got_some();
  return reused_ && !answered && request_.method != "POST";
}

// The connection ended or spoke nonsense. A kept one may have been closed by the server in the very moment of
// its reuse.
void Call::on_lost(const ErrorCode& ec) {
  if (ec == bhttp::error::body_limit)
    return fail_at_step("answer is larger than " + std::to_string(core_.options.response_limit) + " octets",
                        "see whether the URL is the right one: none of our documents is as large",
                        Errc::limit);
  if (may_repeat()) {
    reused_ = false;
    parser_.reset();
    connection_.reset();
    return resolve();
  }
  fail_at_step(ec.message(), "look into the server's log");
}

}  // namespace

// ---- Core

Client::Core::~Core() {
  asio::post(io, [this] {
    const auto pending = calls;
    for (const auto& call : pending) call->fail_at_step("the client was closed", "start again");
    idle.clear();
  });
  work.reset();
  thread.join();
}

void Client::Core::run() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (...) {  // a Callback threw, or no memory: the other calls go on
    }
  }
}

// A kept connection with anything to read has been closed by its server or is not in step: not usable.
std::unique_ptr<Connection> Client::Core::take_idle(const std::string& key) {
  const SteadyTime oldest = std::chrono::steady_clock::now() - options.idle_for;
  std::erase_if(idle, [&](const auto& connection) { return connection->idle_since < oldest; });
  for (auto at = idle.begin(); at != idle.end();) {
    if ((*at)->key != key) {
      ++at;
      continue;
    }
    std::unique_ptr<Connection> found = std::move(*at);
    at = idle.erase(at);
    std::uint8_t octet = 0;
    const int socket = beast::get_lowest_layer(found->stream).socket().native_handle();
    const ssize_t got = ::recv(socket, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return found;
  }
  return nullptr;
}

void Client::Core::keep(std::unique_ptr<Connection> connection) {
  if (options.idle_connections == 0) return;
  while (idle.size() >= options.idle_connections) idle.pop_front();
  connection->idle_since = std::chrono::steady_clock::now();
  idle.push_back(std::move(connection));
}

// ---- Client

namespace {

struct Where {
  Url url;
  HostPort server;
};

Result<Where> checked(const ClientRequest& request) {
  Url url = TRY(parse_url(request.url));
  HostPort server{url.host, url.port};
  if (!request.proxy.empty()) server = TRY(parse_host_port(request.proxy));
  if (!well_formed({request.method, ""}))
    return fail(Errc::usage, "RFC 9110 9.1", "method is not a token", "give a method such as GET");
  for (const Header& field : request.headers)
    if (!well_formed(field))
      return fail(Errc::usage, "RFC 9110 5.5",
                  "header field \"" + field.name.substr(0, 40) + "\" has characters that cannot be sent",
                  "remove line ends and controls");
  return Where{std::move(url), std::move(server)};
}

}  // namespace

Client::Client(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(const ClientOptions& options) {
  auto context = TRY(tls::client_context(
      {options.ca_file, options.certificate_file, options.key_file, options.system_store}));
  auto core = std::make_shared<Core>(options, asio::ssl::context(context.release()));
  return std::unique_ptr<Client>(new Client(std::move(core)));
}

void Client::call(ClientRequest request, std::chrono::milliseconds deadline, Callback done) {
  auto where = checked(request);
  if (!where.ok()) {
    asio::post(core_->io, [error = std::move(where).error(), done = std::move(done)] { done(error); });
    return;
  }
  auto call = std::make_shared<Call>(*core_, std::move(request), std::move(where->url),
                                     std::move(where->server), std::move(done));
  asio::post(core_->io, [call, deadline] { call->begin(deadline); });
}

Result<Response> Client::call(ClientRequest request, std::chrono::milliseconds deadline) {
  if (std::this_thread::get_id() == core_->thread.get_id())
    return fail(Errc::internal, "", "blocking HTTP call from a callback of the same client");
  auto promise = std::make_shared<std::promise<Result<Response>>>();
  auto answer = promise->get_future();
  call(std::move(request), deadline,
       [promise](Result<Response> result) { promise->set_value(std::move(result)); });
  return answer.get();
}

}  // namespace regroup::http
