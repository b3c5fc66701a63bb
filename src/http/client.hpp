// SPDX-License-Identifier: Apache-2.0
// HTTPS client for the roles towards KMS, GMS, partners and token issuers (no redirects; the system's trust
// store for token keys alone). The server's certificate chain and host name (DNS or IP SAN) are always
// verified; a partner leg also demands the partner's URI SAN. Connections are kept and reused; a reused
// connection that turns out closed is retried once on a new one only if no octet of an answer arrived and the
// method is idempotent. Errors are Errc::transport and name the host, the step (resolve, connect, TLS, send,
// receive) and the cure.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "http/message.hpp"
#include "http/target.hpp"

namespace regroup::http {

struct ClientOptions {
  std::string ca_file;                                // PEM trust anchors
  std::string certificate_file = {};                  // own PEM chain for mutual TLS; empty = none
  std::string key_file = {};                          // PEM, refused if group or others may read it
  std::size_t response_limit = std::size_t{4} << 20;  // octets of body
  std::size_t header_limit = std::size_t{16} << 10;   // octets
  std::size_t idle_connections = 8;                   // kept open, over all hosts
  std::chrono::milliseconds idle_for{20'000};         // shorter than the servers' 30 s
  bool system_store = false;                          // trust the system's anchors if `ca_file` is empty
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;       // absolute https URL (http/target.hpp); its path and query are sent as they stand
  Headers headers = {};  // Host, Content-Length and Connection are set by the client
  Octets body = {};
  // The server certificate must also carry this: a text with ':' is a URI SAN compared octet by octet,
  // another a DNS SAN.
  std::string required_san = {};
  // Numeric "127.0.0.1:8443" to connect to instead of resolving the URL's host; SNI, Host and the name check
  // keep the URL's.
  std::string connect_to = {};
  // "proxy.mcx.example:8443" of a proxy that ends our TLS connection and forwards (TS 24.482 annex A): it is
  // connected to and its certificate must carry that name; request target and Host keep the URL's.
  std::string proxy = {};
};

// Thread-safe. Any status is a value; there are no retries on status and redirects are returned, never
// followed.
class Client {
 public:
  using Callback = std::function<void(Result<Response>)>;

  // Reads the files; Errc::usage names the one that is wrong.
  [[nodiscard]] static Result<std::unique_ptr<Client>> make(const ClientOptions& options);
  ~Client();  // pending calls end with Errc::transport before it returns
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Blocks; the deadline covers everything from resolving to the last octet. Not from a Callback of this
  // client.
  [[nodiscard]] Result<Response> call(ClientRequest request,
                                      std::chrono::milliseconds deadline = std::chrono::seconds(30));
  // Returns at once; `done` is called exactly once, on the client's own thread, and must not block.
  void call(ClientRequest request, std::chrono::milliseconds deadline, Callback done);

  struct Core;  // defined in client.cpp

 private:
  explicit Client(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace regroup::http
