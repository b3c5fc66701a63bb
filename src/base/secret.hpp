// SPDX-License-Identifier: Apache-2.0
// Secret octets: move-only, wiped on destruction, on move-from and on growth. There is no ==, no <<, no
// conversion to a container; the octets are reached only through expose(), which is easy to grep for.
// A copy is spelled duplicate(); a comparison is ct_equal().
#pragma once

#include <cstring>
#include <memory>

#include "base/octets.hpp"

namespace regroup {

// Overwrites memory in a way the compiler keeps.
void wipe(void* data, std::size_t size) noexcept;
inline void wipe(std::span<std::uint8_t> data) noexcept { wipe(data.data(), data.size()); }

// Equal content, in time that depends on the sizes only. Different sizes are unequal.
[[nodiscard]] bool ct_equal(OctetsView a, OctetsView b) noexcept;

template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t size = N;

  Secret() noexcept { octets_.fill(0); }
  explicit Secret(std::span<const std::uint8_t, N> octets) noexcept {
    std::memcpy(octets_.data(), octets.data(), N);
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : octets_(other.octets_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      octets_ = other.octets_;
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  [[nodiscard]] std::span<const std::uint8_t, N> expose() const noexcept {
    return std::span<const std::uint8_t, N>(octets_);
  }
  [[nodiscard]] std::span<std::uint8_t, N> expose_mutable() noexcept {
    return std::span<std::uint8_t, N>(octets_);
  }
  void clear() noexcept { wipe(octets_.data(), N); }

  bool operator==(const Secret&) const = delete;

 private:
  Fixed<N> octets_;
};

// A named key type: RG_SECRET(Gmk, 16) is a Secret<16> that mixes with no other one.
#define RG_SECRET(Name, N)                                                         \
  class Name : public ::regroup::Secret<N> {                                       \
   public:                                                                         \
    using ::regroup::Secret<N>::Secret;                                            \
    [[nodiscard]] Name duplicate() const noexcept { return Name(this->expose()); } \
  }

// Secret octets whose number is known only at run time.
class SecretOctets {
 public:
  SecretOctets() = default;
  explicit SecretOctets(std::size_t size) : data_(size ? new std::uint8_t[size]() : nullptr), size_(size) {}
  explicit SecretOctets(OctetsView octets) : SecretOctets(octets.size()) {
    if (size_) std::memcpy(data_.get(), octets.data(), size_);
  }
  SecretOctets(const SecretOctets&) = delete;
  SecretOctets& operator=(const SecretOctets&) = delete;
  SecretOctets(SecretOctets&& other) noexcept : data_(std::move(other.data_)), size_(other.size_) {
    other.size_ = 0;
  }
  SecretOctets& operator=(SecretOctets&& other) noexcept {
    if (this != &other) {
      clear();
      data_ = std::move(other.data_);
      size_ = other.size_;
      other.size_ = 0;
    }
    return *this;
  }
  ~SecretOctets() { clear(); }

  [[nodiscard]] SecretOctets duplicate() const { return SecretOctets(expose()); }
  [[nodiscard]] OctetsView expose() const noexcept { return {data_.get(), size_}; }
  [[nodiscard]] std::span<std::uint8_t> expose_mutable() noexcept { return {data_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  void append(OctetsView more);
  void clear() noexcept {
    if (data_) wipe(data_.get(), size_);
    data_.reset();
    size_ = 0;
  }

  bool operator==(const SecretOctets&) const = delete;

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
};

}  // namespace regroup
