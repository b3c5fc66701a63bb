// SPDX-License-Identifier: Apache-2.0
// HTTP messages as values: what a server's handler receives and answers, and what a client gets back.
// Nothing here parses; the request target stays as it came over the wire, undecoded, because XCAP selectors
// and
// `/keyprov/{URI}` must be split before they are percent-decoded (http/target.hpp, TS 33.180 D.2).
// A response body may carry key sets in the clear, so every Body is wiped when it is dropped.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "base/octets.hpp"
#include "base/secret.hpp"

namespace regroup::http {

// Wipes memory before giving it back, so that a growing vector leaves no copy of a key behind.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}
  [[nodiscard]] T* allocate(std::size_t n) { return std::allocator<T>{}.allocate(n); }
  void deallocate(T* at, std::size_t n) noexcept {
    wipe(at, n * sizeof(T));
    std::allocator<T>{}.deallocate(at, n);
  }
  bool operator==(const WipingAllocator&) const = default;
};
using WipedOctets = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;
// Text that is too long to live inside the object itself, such as a message head with a credential in it.
using WipedText = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

// The octets of a response, move-only, wiped on destruction.
class Body {
 public:
  Body() = default;
  Body(OctetsView octets) : octets_(octets.begin(), octets.end()) {}
  Body(const Octets& octets) : Body(OctetsView(octets)) {}
  Body(std::string_view text) : Body(::regroup::view(text)) {}
  Body(const std::string& text) : Body(std::string_view(text)) {}
  Body(const char* text) : Body(std::string_view(text)) {}
  explicit Body(WipedOctets&& octets) noexcept : octets_(std::move(octets)) {}
  Body(Body&&) noexcept = default;
  Body& operator=(Body&&) noexcept = default;
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  [[nodiscard]] OctetsView view() const noexcept { return octets_; }
  [[nodiscard]] std::string_view text() const noexcept { return text_of(octets_); }
  [[nodiscard]] std::size_t size() const noexcept { return octets_.size(); }
  [[nodiscard]] bool empty() const noexcept { return octets_.empty(); }
  [[nodiscard]] Body duplicate() const { return Body(view()); }

 private:
  WipedOctets octets_;
};

struct Header {
  std::string name;
  std::string value;
};

// Header fields in the order of the wire; names compare without case (RFC 9110 5.1). The value of an
// Authorization field is a credential: it is wiped when the field goes.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}
  Headers(const Headers&) = default;
  Headers(Headers&&) noexcept = default;
  Headers& operator=(const Headers& other) { return *this = Headers(other); }
  Headers& operator=(Headers&& other) noexcept {
    fields_.swap(other.fields_);  // what stood here goes with `other`, wiped
    return *this;
  }
  ~Headers();

  void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
  void set(std::string_view name, std::string value);  // replaces every field of that name
  void remove(std::string_view name);
  // Value of the first field of that name; valid until the next change.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const { return count(name) > 0; }

  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }

 private:
  std::vector<Header> fields_;
};

// ASCII case folding only: the rule of header names, media types, schemes and host names.
[[nodiscard]] bool equal_no_case(std::string_view a, std::string_view b) noexcept;

// The verified certificate of the TLS peer; `presented` is false when there is none.
struct PeerCertificate {
  bool presented = false;
  std::string subject;            // RFC 2253 text, for logs
  std::vector<std::string> uris;  // subjectAltName URIs, octets as they stand
  std::vector<std::string> dns;   // subjectAltName DNS names
  [[nodiscard]] bool has_uri(std::string_view uri) const;
};

struct Peer {
  std::string listener;  // name of the listener the request came in by
  std::string address;   // "192.0.2.7:41234"
  PeerCertificate certificate;
};

struct Request {
  std::string method;  // one of the listener's methods
  std::string target;  // origin form, undecoded: starts with '/'
  Headers headers;
  Octets body;
  Peer peer;
};

struct Response {
  unsigned status = 200;
  Headers headers;  // Content-Length, Connection and Date are the transport's business
  Body body;
};

// A response with a content type; `status` alone is a response without a body.
[[nodiscard]] Response make_response(unsigned status, std::string_view content_type, Body body);
[[nodiscard]] Response make_response(unsigned status);

}  // namespace regroup::http
