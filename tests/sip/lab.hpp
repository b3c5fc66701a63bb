// SPDX-License-Identifier: Apache-2.0
// What the SIP tests share: waiting on a condition, collecting callbacks, a plain TCP peer that speaks any
// octets.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "sip/sofia.hpp"
#include "vectors.hpp"

namespace regroup::sip::lab {

using namespace std::chrono_literals;

// Values handed over by callbacks of another thread.
template <class T>
class Mailbox {
 public:
  void put(T value) {
    const std::lock_guard guard(lock_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  // The next value; fails the test by an empty optional after `patience`.
  std::optional<T> take(std::chrono::milliseconds patience = 20s) {
    std::unique_lock guard(lock_);
    if (!changed_.wait_for(guard, patience, [this] { return taken_ < values_.size(); })) return {};
    return values_[taken_++];
  }
  std::size_t waiting() {
    const std::lock_guard guard(lock_);
    return values_.size() - taken_;
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<T> values_;
  std::size_t taken_ = 0;
};

using Answers = Mailbox<Result<Response>>;
using Requests = Mailbox<Incoming>;

inline OnAnswer into(Answers& box) {
  return [&box](Result<Response> outcome) { box.put(std::move(outcome)); };
}
inline Handler into(Requests& box) {
  return [&box](Incoming incoming) { box.put(std::move(incoming)); };
}

inline std::uint16_t port_of(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  return static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)));
}

// A TCP connection to 127.0.0.1 that sends and reads text as it is.
class Wire {
 public:
  explicit Wire(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  explicit Wire(int fd, bool) : fd_(fd), connected_(true) {}
  ~Wire() { close(fd_); }
  Wire(const Wire&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void say(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `text` has arrived or the peer closes or `patience` is over.
  std::string hear(std::string_view text, std::chrono::milliseconds patience = 20s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (heard_.find(text) == std::string::npos) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      pollfd waiting{fd_, POLLIN, 0};
      if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
      char buffer[4096];
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      heard_.append(buffer, static_cast<std::size_t>(got));
    }
    return std::exchange(heard_, {});
  }

 private:
  int fd_;
  bool connected_ = false;
  std::string heard_;
};

// A TCP listener on 127.0.0.1 that accepts and never answers, unless told to.
class Silent {
 public:
  Silent() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
  }
  ~Silent() { close(fd_); }
  Silent(const Silent&) = delete;
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }
  [[nodiscard]] std::string uri() const {
    return "sip:127.0.0.1:" + std::to_string(port()) + ";transport=tcp";
  }
  [[nodiscard]] int accept_one() const { return accept(fd_, nullptr, nullptr); }

 private:
  int fd_;
};

// A transport on a free loopback port, with its own randomness.
struct Station {
  explicit Station(std::uint64_t seed, SofiaOptions options = {})
      : random(seed), transport(make_sofia(std::move(options), random)) {
    const Result<void> started = transport->start();
    EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().text());
  }
  [[nodiscard]] std::string address() const { return transport->addresses().at(0); }
  [[nodiscard]] std::uint16_t port() const {
    const std::string all = address();
    return port_of(all.substr(0, all.find(';')));
  }

  test::SeededRandom random;
  std::unique_ptr<Transport> transport;
};

inline Opening opening(const Station& to, const std::string& user) {
  return {.local_uri = "sip:" + user + "@mcx.example",
          .remote_uri = "",
          .request_uri = "sip:gms@mcx.example",
          .next_hop = to.address(),
          .contact_user = user,
          .keep_next_hop = false};
}

inline Request subscribe(Octets body = {}, std::string content_type = {}) {
  Request request;
  request.method = "SUBSCRIBE";
  request.event = "xcap-diff";
  request.expires = 3600;
  request.accept = "application/xcap-diff+xml";
  request.p_asserted_service = "urn:urn-7:3gpp-service.ims.icsi.mcptt";
  request.body = std::move(body);
  request.content_type = std::move(content_type);
  return request;
}

inline Request notify(std::string_view body) {
  Request request;
  request.method = "NOTIFY";
  request.event = "xcap-diff";
  request.subscription_state = "active;expires=3540";
  request.content_type = "application/xcap-diff+xml";
  request.body = to_octets(view(body));
  return request;
}

}  // namespace regroup::sip::lab
