// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/asio.hpp"
#include "http/head.hpp"
#include "http/target.hpp"
#include "http/tls.hpp"

namespace regroup::http {
namespace {

constexpr std::chrono::milliseconds kLinger{2'000};  // for a peer that still sends while it is refused
constexpr std::size_t kLingerOctets = std::size_t{16} << 20;
constexpr std::chrono::milliseconds kAcceptRetry{100};  // after running out of descriptors
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

class Session;

struct Listener {
  Listener(ListenerOptions o, asio::ssl::context t, asio::io_context& io)
      : options(std::move(o)),
        tls(std::move(t)),
        acceptor(asio::make_strand(io)),
        retry(acceptor.get_executor()) {}
  ListenerOptions options;
  asio::ssl::context tls;
  tcp::acceptor acceptor;
  asio::steady_timer retry;
  tcp::endpoint bound;
  std::size_t open = 0;  // connections; guarded by Core::mutex
  bool paused = false;   // at max_connections; guarded by Core::mutex
};

}  // namespace

// Owns the io_context. Sessions hold it alive; stop() ends every session, which breaks that circle.
struct Server::Core : std::enable_shared_from_this<Server::Core> {
  Core(ServerOptions o, Handler h) : options(std::move(o)), handler(std::move(h)) {}

  Result<void> open(const ListenerOptions& listener_options);
  void accept(Listener& listener);
  void on_accept(Listener& listener, const ErrorCode& ec, tcp::socket socket);
  void left(Session* session, Listener& listener);
  [[nodiscard]] bool crowded(const Listener& listener);
  void stop();
  void report(std::string detail) {
    if (options.on_fault)
      options.on_fault(fail(Errc::transport, "", std::move(detail),
                            "nothing to do for one connection; look at the peer if it comes again"));
  }
  [[nodiscard]] const Listener* find(std::string_view name) const {
    for (const auto& listener : listeners)
      if (listener->options.name == name) return listener.get();
    return nullptr;
  }
  std::vector<std::shared_ptr<Session>> living();
  void run();

  ServerOptions options;
  Handler handler;
  asio::io_context io;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::thread> threads;

  std::mutex mutex;
  std::condition_variable session_left;
  std::map<Session*, std::weak_ptr<Session>> sessions;
  bool stopping = false;  // no new session
  bool closed = false;    // no new work: the io threads are about to end
};

namespace {

// One connection: handshake, then requests one after the other. All members run on the strand of the stream.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Server::Core> core, Listener& listener, tcp::socket socket)
      : core_(std::move(core)),
        listener_(listener),
        stream_(std::move(socket), listener.tls),
        deadline_(stream_.get_executor()),
        buffer_(core_->options.header_limit + (std::size_t{64} << 10)) {}
  ~Session() { core_->left(this, listener_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void begin();
  void drain();
  void abort();
  void answer(std::uint64_t serial, Response response);
  [[nodiscard]] Server::Core& core() { return *core_; }
  [[nodiscard]] auto executor() { return stream_.get_executor(); }

 private:
  enum class Stage { handshake, waiting, reading, handling, writing };

  void expire(std::chrono::milliseconds after) { beast::get_lowest_layer(stream_).expires_after(after); }
  void expire() { expire(core_->options.idle_timeout); }
  void on_handshake(const ErrorCode& ec);
  void read_head();
  void on_head(const ErrorCode& ec);
  void ask_for_body();
  void read_body();
  void on_body(const ErrorCode& ec);
  void hand_over();
  void on_read_error(const ErrorCode& ec);
  void refuse(unsigned status);
  void refuse(Response response);
  void write(Response response);
  void on_written(const ErrorCode& ec);
  void shut_down();
  void discard(std::size_t already);
  [[nodiscard]] std::optional<unsigned> refusal_of_head();
  [[nodiscard]] bool method_allowed() const;

  std::shared_ptr<Server::Core> core_;
  Listener& listener_;
  TlsStream stream_;
  asio::steady_timer deadline_;
  // Both wipe: a head holds the access token of whoever asks.
  beast::basic_flat_buffer<WipingAllocator<char>> buffer_;
  std::optional<bhttp::request_parser<bhttp::vector_body<std::uint8_t>, WipingAllocator<char>>> parser_;
  Stage stage_ = Stage::handshake;
  Peer peer_;
  Request request_;
  std::uint64_t serial_ = 0;  // of the request being handled
  bool answered_ = false;
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool draining_ = false;
  std::string head_;
  Response response_;
  std::array<std::uint8_t, 4096> discarded_{};
};

}  // namespace

struct Responder::Slot {
  std::weak_ptr<Session> session;
  std::uint64_t serial = 0;
};

// ---- Responder

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (slot_) send(make_response(500));
    slot_ = std::move(other.slot_);
  }
  return *this;
}

Responder::~Responder() {
  if (slot_) send(make_response(500));
}

void Responder::send(Response response) {
  const std::shared_ptr<Slot> slot = std::exchange(slot_, nullptr);
  if (!slot) return;
  const std::shared_ptr<Session> session = slot->session.lock();
  if (!session) return;
  // Under the lock no work is given to an io_context whose threads have ended.
  const std::lock_guard lock(session->core().mutex);
  if (session->core().closed) return;
  asio::post(session->executor(), [session, serial = slot->serial, answer = std::move(response)]() mutable {
    session->answer(serial, std::move(answer));
  });
}

// ---- Session

namespace {

void Session::begin() {
  asio::dispatch(executor(), [self = shared_from_this()] {
    self->expire();
    self->stream_.async_handshake(asio::ssl::stream_base::server,
                                  [self](const ErrorCode& ec) { self->on_handshake(ec); });
  });
}

void Session::on_handshake(const ErrorCode& ec) {
  ErrorCode gone;
  const tcp::endpoint remote = beast::get_lowest_layer(stream_).socket().remote_endpoint(gone);
  peer_.listener = listener_.options.name;
  peer_.address = gone ? "unknown" : address_text(remote);
  if (ec) {
    core_->report("TLS handshake with " + peer_.address + " on listener " + peer_.listener +
                  " failed: " + ec.message() + " " + tls::verify_problem(stream_.native_handle()));
    return abort();
  }
  ErrorCode ignored;
  beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true), ignored);
  peer_.certificate = tls::peer_certificate(stream_.native_handle());
  read_head();
}

void Session::read_head() {
  if (draining_) return shut_down();
  stage_ = Stage::waiting;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_->options.header_limit));
  parser_->body_limit(listener_.options.body_limit);
  // One timer for the whole head: a peer that sends an octet now and then gains nothing.
  expire();
  bhttp::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](const ErrorCode& ec, std::size_t) { self->on_head(ec); });
}

void Session::on_head(const ErrorCode& ec) {
  stage_ = Stage::reading;
  if (ec) return on_read_error(ec);
  const auto& head = parser_->get();
  keep_alive_ = head.keep_alive();
  head_only_ = head.method() == bhttp::verb::head;
  if (const auto status = refusal_of_head()) return refuse(*status);
  // Copied before the body is read: trailer fields of a chunked body would join the header fields there,
  // behind the back of a proxy that has filtered those (X-3GPP-Asserted-Identity, TS 24.482 annex A).
  request_ = Request{};
  request_.method = std::string(head.method_string());
  request_.target = std::string(head.target());
  for (const auto& field : head)
    request_.headers.add(std::string(field.name_string()), std::string(field.value()));
  if (!request_.target.starts_with('/')) {
    auto url = parse_url(request_.target);  // absolute form, RFC 9112 3.2.2
    if (!url.ok()) return refuse(400);
    request_.target = url->origin_form();
  }
  request_.peer = peer_;
  if (core_->options.admit && !parser_->is_done())
    if (auto refused = core_->options.admit(request_)) return refuse(std::move(*refused));
  if (equal_no_case(request_.headers.find("Expect").value_or(""), "100-continue")) return ask_for_body();
  read_body();
}

bool Session::method_allowed() const {
  const auto& methods = listener_.options.methods;
  return std::find(methods.begin(), methods.end(), parser_->get().method_string()) != methods.end();
}

std::optional<unsigned> Session::refusal_of_head() {
  const auto& head = parser_->get();
  if (!method_allowed()) return 405;
  const auto hosts = head.count(bhttp::field::host);
  if (hosts > 1 || (hosts == 0 && head.version() >= 11)) return 400;  // RFC 9112 3.2
  if (head.target().size() > kMaxTarget) return 414;
  if (head.target().starts_with('/') && !parse_target(head.target()).ok()) return 400;
  return std::nullopt;
}

void Session::ask_for_body() {
  expire();
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](const ErrorCode& ec, std::size_t) {
                      if (ec) return self->abort();
                      self->read_body();
                    });
}

void Session::read_body() {
  expire();
  bhttp::async_read(stream_, buffer_, *parser_,
                    [self = shared_from_this()](const ErrorCode& ec, std::size_t) { self->on_body(ec); });
}

void Session::on_body(const ErrorCode& ec) {
  if (ec) return on_read_error(ec);
  request_.body = std::move(parser_->get().body());
  parser_.reset();
  hand_over();
}

void Session::hand_over() {
  stage_ = Stage::handling;
  answered_ = false;
  const std::uint64_t serial = ++serial_;
  beast::get_lowest_layer(stream_).expires_never();
  deadline_.expires_after(core_->options.answer_deadline);
  // The wait also keeps this session alive until the answer comes.
  deadline_.async_wait([self = shared_from_this(), serial](const ErrorCode& ec) {
    if (!ec) self->answer(serial, make_response(503));
  });
  auto slot = std::make_shared<Responder::Slot>();
  slot->session = weak_from_this();
  slot->serial = serial;
  try {
    core_->handler(std::move(request_), Responder(std::move(slot)));
  } catch (const std::exception& e) {  // the Responder has answered 500 on its way out
    core_->report(std::string("handler threw: ") + e.what());
  } catch (...) {
    core_->report("handler threw something that is no std::exception");
  }
}

void Session::on_read_error(const ErrorCode& ec) {
  const bool ended = ec == bhttp::error::end_of_stream || ec == bhttp::error::partial_message;
  if (ended || !is_http_error(ec)) return abort();
  if (ec == bhttp::error::body_limit) return refuse(413);
  if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow) return refuse(431);
  refuse(400);
}

void Session::refuse(unsigned status) {
  Response response = make_response(status);
  if (status == 405) {
    std::string allow;
    for (const std::string& method : listener_.options.methods) allow += (allow.empty() ? "" : ", ") + method;
    response.headers.add("Allow", allow);
  }
  refuse(std::move(response));
}

void Session::refuse(Response response) {
  keep_alive_ = false;
  write(std::move(response));
}

void Session::answer(std::uint64_t serial, Response response) {
  if (serial != serial_ || answered_ || stage_ != Stage::handling) return;
  answered_ = true;
  deadline_.cancel();
  write(std::move(response));
}

void Session::write(Response response) {
  stage_ = Stage::writing;
  if (draining_ || core_->crowded(listener_)) keep_alive_ = false;
  response_ = std::move(response);
  head_ = response_head(response_, keep_alive_, std::time(nullptr));
  const bool with_body = !head_only_ && status_has_body(response_.status);
  const OctetsView body = with_body ? response_.body.view() : OctetsView{};
  const std::array<asio::const_buffer, 2> out{asio::buffer(head_), asio::buffer(body.data(), body.size())};
  expire();
  asio::async_write(stream_, out,
                    [self = shared_from_this()](const ErrorCode& ec, std::size_t) { self->on_written(ec); });
}

void Session::on_written(const ErrorCode& ec) {
  response_ = Response{};  // wipes the body
  if (ec) return abort();
  if (!keep_alive_) return shut_down();
  read_head();
}

// Says goodbye in TLS, then in TCP, then swallows what the peer is still sending: closing at once would reset
// the connection and take the answer (413, 400) away from a peer that has not read it yet.
void Session::shut_down() {
  expire(std::min(kLinger, core_->options.idle_timeout));
  stream_.async_shutdown([self = shared_from_this()](const ErrorCode&) {
    ErrorCode ignored;
    beast::get_lowest_layer(self->stream_).socket().shutdown(tcp::socket::shutdown_send, ignored);
    self->discard(0);
  });
}

void Session::discard(std::size_t already) {
  if (already > kLingerOctets || draining_) return abort();
  beast::get_lowest_layer(stream_).async_read_some(
      asio::buffer(discarded_), [self = shared_from_this(), already](const ErrorCode& ec, std::size_t size) {
        if (ec) return self->abort();
        self->discard(already + size);
      });
}

void Session::drain() {
  draining_ = true;
  const bool idle =
      stage_ == Stage::handshake || (stage_ == Stage::waiting && !(parser_ && parser_->got_some()));
  if (idle) abort();
}

void Session::abort() {
  deadline_.cancel();
  beast::get_lowest_layer(stream_).close();
}

}  // namespace

// ---- Core

Result<void> Server::Core::open(const ListenerOptions& o) {
  const std::string what = "listener \"" + o.name + "\"";
  auto failed = [&](const std::string& step, const ErrorCode& ec) {
    return fail(Errc::transport, "", what + ": cannot " + step + " " + o.address + ": " + ec.message(),
                "choose a free address of this machine, port 0 picks a free port");
  };
  auto parsed = parse_host_port(o.address);
  if (!parsed.ok()) return std::move(parsed).error().with(what);
  ErrorCode ec;
  const auto address = asio::ip::make_address(parsed->host, ec);
  if (ec)
    return fail(Errc::usage, "", what + ": " + o.address + " is not a numeric address and port",
                "write it as 192.0.2.1:8443 or [2001:db8::1]:8443");
  auto context =
      tls::server_context({o.certificate_file, o.key_file, o.client_certificate, o.client_ca_file});
  if (!context.ok()) return std::move(context).error().with(what);
  auto listener = std::make_unique<Listener>(o, asio::ssl::context(context->release()), io);
  const tcp::endpoint endpoint(address, parsed->port);
  if (listener->acceptor.open(endpoint.protocol(), ec)) return failed("open", ec);
  if (listener->acceptor.set_option(asio::socket_base::reuse_address(true), ec)) return failed("set up", ec);
  if (listener->acceptor.bind(endpoint, ec)) return failed("bind", ec);
  if (listener->acceptor.listen(asio::socket_base::max_listen_connections, ec))
    return failed("listen on", ec);
  listener->bound = listener->acceptor.local_endpoint(ec);
  listeners.push_back(std::move(listener));
  return {};
}

void Server::Core::accept(Listener& listener) {
  listener.acceptor.async_accept(asio::make_strand(io),
                                 [this, &listener](const ErrorCode& ec, tcp::socket socket) {
                                   on_accept(listener, ec, std::move(socket));
                                 });
}

void Server::Core::on_accept(Listener& listener, const ErrorCode& ec, tcp::socket socket) {
  if (ec == asio::error::operation_aborted) return;
  if (ec) {
    report("listener " + listener.options.name + " cannot accept: " + ec.message());
    listener.retry.expires_after(kAcceptRetry);
    listener.retry.async_wait([this, &listener](const ErrorCode& cancelled) {
      if (!cancelled) accept(listener);
    });
    return;
  }
  const auto session = std::make_shared<Session>(shared_from_this(), listener, std::move(socket));
  bool more = true;
  {
    const std::lock_guard lock(mutex);
    ++listener.open;
    sessions.emplace(session.get(), session);
    if (stopping) return;
    listener.paused = listener.open >= options.max_connections;
    more = !listener.paused;
  }
  session->begin();
  if (more) accept(listener);
}

void Server::Core::left(Session* session, Listener& listener) {
  const std::lock_guard lock(mutex);
  sessions.erase(session);
  --listener.open;
  session_left.notify_all();
  if (!listener.paused || stopping) return;
  listener.paused = false;
  asio::post(listener.acceptor.get_executor(), [this, &listener] { accept(listener); });
}

bool Server::Core::crowded(const Listener& listener) {
  const std::lock_guard lock(mutex);
  return listener.open > options.max_connections / 2;
}

std::vector<std::shared_ptr<Session>> Server::Core::living() {
  std::vector<std::shared_ptr<Session>> out;
  const std::lock_guard lock(mutex);
  for (const auto& [raw, weak] : sessions)
    if (auto session = weak.lock()) out.push_back(std::move(session));
  return out;
}

// Nothing of ours throws on purpose; out of memory in one session must not end the others.
void Server::Core::run() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception& e) {
      report(std::string("io thread: ") + e.what());
    }
  }
}

void Server::Core::stop() {
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(stopping, true)) return;
  }
  for (const auto& listener : listeners)
    asio::post(listener->acceptor.get_executor(), [raw = listener.get()] {
      ErrorCode ignored;
      raw->acceptor.close(ignored);
      raw->retry.cancel();
    });
  for (auto& session : living()) asio::post(session->executor(), [session] { session->drain(); });
  {
    std::unique_lock lock(mutex);
    session_left.wait_for(lock, options.drain, [this] { return sessions.empty(); });
    closed = true;
  }
  for (auto& session : living()) asio::post(session->executor(), [session] { session->abort(); });
  work.reset();
  for (std::thread& thread : threads) thread.join();
}

// ---- Server

Server::Server(ServerOptions options, Handler handler)
    : core_(std::make_shared<Core>(std::move(options), std::move(handler))) {}

Server::~Server() { stop(); }

Result<void> Server::start() {
  if (!core_->listeners.empty()) return fail(Errc::internal, "", "server started twice");
  for (const ListenerOptions& listener : core_->options.listeners) {
    const auto opened = core_->open(listener);
    if (opened.ok()) continue;
    core_->listeners.clear();
    return opened.error();
  }
  core_->work.emplace(core_->io.get_executor());
  for (const auto& listener : core_->listeners) core_->accept(*listener);
  for (unsigned i = 0; i < std::max(1U, core_->options.threads); ++i)
    core_->threads.emplace_back([core = core_.get()] { core->run(); });
  return {};
}

std::uint16_t Server::port(std::string_view listener) const {
  const Listener* found = core_->find(listener);
  return found ? found->bound.port() : std::uint16_t{0};
}

std::string Server::origin(std::string_view listener) const {
  const Listener* found = core_->find(listener);
  return found ? "https://" + address_text(found->bound) : std::string();
}

void Server::stop() { core_->stop(); }

}  // namespace regroup::http
