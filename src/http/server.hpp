// SPDX-License-Identifier: Apache-2.0
// HTTPS server with several named listeners (KMS: one; GMS: ue, trusted, admin; TS 33.180 D.2, TS 24.482
// annex A). TLS 1.2 and 1.3 only, ECDHE with AEAD only; there is no plain HTTP. Every request is bounded in
// size and time: header and body limits, idle time, connections, and a deadline for the handler's answer.
// Refuses by itself: unreadable requests 400, oversized bodies 413, oversized headers 431, unknown methods
// 405 (with Allow), and a peer without a certificate of `client_ca_file` where one is required (TLS alert).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "http/message.hpp"

namespace regroup::http {

enum class ClientCertificate { none, optional, required };

struct ListenerOptions {
  std::string name;              // handlers see it as Peer::listener
  std::string address;           // "192.0.2.10:8443", "[::1]:0"; numeric; port 0 picks a free one
  std::string certificate_file;  // PEM chain, leaf first
  std::string key_file;          // PEM, refused if group or others may read it
  ClientCertificate client_certificate = ClientCertificate::none;
  std::string client_ca_file = {};                // PEM; needed unless none
  std::size_t body_limit = std::size_t{1} << 20;  // octets; the KMS takes 64 KiB, the GMS 4 MiB
  std::vector<std::string> methods = {"GET", "HEAD", "PUT", "POST", "DELETE"};  // others: 405 with Allow
};

struct ServerOptions {
  std::vector<ListenerOptions> listeners;
  std::size_t header_limit = std::size_t{16} << 10;  // octets of request line and header fields
  // Per listener; more wait in the backlog. From half of them on an answer ends its connection, so that those
  // that are idle never keep all others out.
  std::size_t max_connections = 1024;
  std::chrono::milliseconds idle_timeout{
      30'000};  // handshake, each whole request, each write, keep-alive wait
  std::chrono::milliseconds answer_deadline{60'000};  // handler's time to answer, then 503
  std::chrono::milliseconds drain{2'000};             // stop(): time for open requests to be answered
  // Asked on an io thread when a body is to follow the head: an answer refuses the request and closes the
  // connection before a body is read, so that nobody without credentials fills memory.
  std::function<std::optional<Response>(const Request& head)> admit = {};
  unsigned threads = 1;  // io threads; handlers run on them and must not block long
  std::function<void(const Error&)> on_fault = {};  // refused handshakes, handler exceptions; for logs
};

// The one answer to one request. Move-only, callable from any thread, also after the server has gone (then
// the answer is dropped). Dropped without an answer it sends 500.
class Responder {
 public:
  struct Slot;
  explicit Responder(std::shared_ptr<Slot> slot) noexcept : slot_(std::move(slot)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  // Later answers are ignored, as is one after the deadline.
  void send(Response response);
  void operator()(Response response) { send(std::move(response)); }

 private:
  std::shared_ptr<Slot> slot_;
};

// Called on an io thread. An exception becomes 500 and a report to on_fault.
using Handler = std::function<void(Request, Responder)>;

class Server {
 public:
  Server(ServerOptions options, Handler handler);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Reads the certificates, binds every listener and starts the io threads; a failure leaves nothing open.
  // Once per object.
  [[nodiscard]] Result<void> start();
  // Port of a listener after start(); 0 for an unknown name.
  [[nodiscard]] std::uint16_t port(std::string_view listener) const;
  // "https://127.0.0.1:41234" of a listener after start(), with the numeric address it is bound to.
  [[nodiscard]] std::string origin(std::string_view listener) const;
  // Stops listening, waits at most `drain` for open requests, closes everything, joins the threads.
  // Idempotent. Not to be called from a handler.
  void stop();

  struct Core;  // defined in server.cpp

 private:
  std::shared_ptr<Core> core_;
};

// Whether a file is what a leg needs, before anything is opened with it. Errc::usage names it, says why not
// and what to do; who read its name from somewhere adds that place.
[[nodiscard]] Result<void> check_certificate_file(const std::string& file);
[[nodiscard]] Result<void> check_key_file(const std::string& file, const std::string& certificate_file);
[[nodiscard]] Result<void> check_ca_file(const std::string& file);

// The names in the first certificate of a PEM file, unverified: what we ourselves will present.
[[nodiscard]] Result<PeerCertificate> certificate_in(const std::string& file);

}  // namespace regroup::http
