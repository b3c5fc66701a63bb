// SPDX-License-Identifier: Apache-2.0
// A peer that says exactly the octets a test gives it, with or without TLS, so that misbehaviour can be
// written down.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

namespace regroup::http {

class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets without MSG_NOSIGNAL
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~RawPeer() {
    if (ssl_) SSL_free(ssl_);
    if (context_) SSL_CTX_free(context_);
    ::close(fd_);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  // A handshake that verifies nothing; false if the server refuses it.
  [[nodiscard]] bool shake_hands(int least = TLS1_2_VERSION, int most = TLS1_3_VERSION,
                                 const char* suites12 = nullptr) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, least);
    SSL_CTX_set_max_proto_version(context_, most);
    SSL_CTX_set_cipher_list(context_, suites12 ? suites12 : "ALL:@SECLEVEL=0");
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    return SSL_connect(ssl_) == 1;
  }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_); }

  bool say(const std::string& octets) {
    if (ssl_)
      return SSL_write(ssl_, octets.data(), static_cast<int>(octets.size())) ==
             static_cast<int>(octets.size());
    return ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size());
  }
  // All until the server ends the connection.
  std::string hear_out() {
    std::string out;
    char room[4096];
    for (;;) {
      const long got = ssl_ ? SSL_read(ssl_, room, sizeof room) : ::recv(fd_, room, sizeof room, 0);
      if (got <= 0) return out;
      out.append(room, static_cast<std::size_t>(got));
    }
  }
  // Until `mark` has been heard.
  std::string hear_until(const std::string& mark) {
    std::string out;
    char octet = 0;
    while (out.find(mark) == std::string::npos) {
      const long got = ssl_ ? SSL_read(ssl_, &octet, 1) : ::recv(fd_, &octet, 1, 0);
      if (got <= 0) return out;
      out += octet;
    }
    return out;
  }

 private:
  int fd_;
  bool connected_ = false;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
};

}  // namespace regroup::http
