// SPDX-License-Identifier: Apache-2.0
// One request from a source address of the test's choice, over a TLS connection of its own that is verified
// against a CA. Blocking, for a thread among many; the product's client cannot choose its address.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>

namespace regroup::process {

struct OneAnswer {
  enum class End { answered, not_connected, cut } end = End::not_connected;
  unsigned status = 0;
  std::string head, body;

  // The value of a header field, empty without one.
  [[nodiscard]] std::string field(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

class OneShot {
 public:
  OneShot(const std::string& ca_file, std::uint16_t port)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets without MSG_NOSIGNAL
    SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    to_.sin_family = AF_INET;
    to_.sin_port = htons(port);
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }

  // `from`: host byte order, in 127.0.0.0/8. The request asks the server to close the connection.
  [[nodiscard]] OneAnswer ask(std::uint32_t from, const std::string& request, int patience_s) const {
    OneAnswer out;
    const Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const timeval patience{patience_s, 0};
    ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(from);
    if (::bind(socket.fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
        ::connect(socket.fd, reinterpret_cast<const sockaddr*>(&to_), sizeof to_) != 0)
      return out;
    out.end = OneAnswer::End::cut;
    const std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(tls.get(), socket.fd);
    if (SSL_connect(tls.get()) != 1 ||
        SSL_write(tls.get(), request.data(), static_cast<int>(request.size())) <= 0)
      return out;
    return heard(tls.get());
  }

 private:
  struct Socket {
    int fd;
    ~Socket() { ::close(fd); }
  };

  // To the end of the connection; whole only if it has as many octets as it says.
  static OneAnswer heard(SSL* tls) {
    OneAnswer out;
    std::string all;
    char room[8192];
    for (int got; (got = SSL_read(tls, room, sizeof room)) > 0;)
      all.append(room, static_cast<std::size_t>(got));
    const std::size_t end = all.find("\r\n\r\n");
    out.end = OneAnswer::End::cut;
    if (end == std::string::npos) return out;
    out.head = all.substr(0, end + 2);
    out.body = all.substr(end + 4);
    out.status = static_cast<unsigned>(std::strtoul(out.head.c_str() + 9, nullptr, 10));
    if (out.field("Content-Length") == std::to_string(out.body.size())) out.end = OneAnswer::End::answered;
    return out;
  }

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  sockaddr_in to_{};
};

}  // namespace regroup::process
