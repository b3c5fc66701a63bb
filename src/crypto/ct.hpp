// SPDX-License-Identifier: Apache-2.0
// Constant-time discipline: marks of secrecy for the valgrind check (preset `ct`, docs/ct.md), a barrier
// against optimisers that guess at masks, and wiping. Outside REGROUP_CT the marks compile to nothing. Every
// call of declassify() is an entry of the list in docs/ct.md: keep the two together.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/secret.hpp"
#ifdef REGROUP_CT
#include <valgrind/memcheck.h>
#endif

namespace regroup::crypto::ct {

// From here on, a branch or an index that depends on these octets is an error of the check.
inline void poison([[maybe_unused]] const void* data, [[maybe_unused]] std::size_t size) {
#ifdef REGROUP_CT
  VALGRIND_MAKE_MEM_UNDEFINED(data, size);
#endif
}
inline void unpoison([[maybe_unused]] const void* data, [[maybe_unused]] std::size_t size) {
#ifdef REGROUP_CT
  VALGRIND_MAKE_MEM_DEFINED(data, size);
#endif
}
inline void poison(OctetsView octets) { poison(octets.data(), octets.size()); }
inline void unpoison(OctetsView octets) { unpoison(octets.data(), octets.size()); }

// A value that was computed from secrets and is public by decision of the caller.
template <class T>
[[nodiscard]] T declassify(T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  unpoison(&value, sizeof value);
  return value;
}

// The same value, about which the compiler knows nothing: a mask stays a mask and does not become a branch.
[[nodiscard]] constexpr std::uint64_t barrier(std::uint64_t value) {
  if (!std::is_constant_evaluated()) __asm__("" : "+r"(value));
  return value;
}

// Plain data that holds a secret, wiped at the end of its scope.
template <class T>
class Wiped {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Wiped() = default;
  explicit Wiped(const T& value) : value_(value) {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { wipe(&value_, sizeof value_); }
  T& operator*() noexcept { return value_; }
  const T& operator*() const noexcept { return value_; }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }

 private:
  T value_{};
};

// The same for an array whose size is fixed at its construction.
template <class T>
class WipedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit WipedArray(std::size_t size) : values_(size) {}
  WipedArray(const WipedArray&) = delete;
  WipedArray& operator=(const WipedArray&) = delete;
  ~WipedArray() { wipe(values_.data(), values_.size() * sizeof(T)); }
  T& operator[](std::size_t i) noexcept { return values_[i]; }
  const T& operator[](std::size_t i) const noexcept { return values_[i]; }
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  operator std::span<T>() noexcept { return values_; }

 private:
  std::vector<T> values_;
};

// Overwrites the stack below the caller, where the temporaries of the field arithmetic have lain.
void wipe_stack() noexcept;

// Wipes the stack on every way out of a scope that has worked on secrets. Declare it first.
struct StackWiper {
  StackWiper() = default;
  StackWiper(const StackWiper&) = delete;
  StackWiper& operator=(const StackWiper&) = delete;
  ~StackWiper() { wipe_stack(); }
};

}  // namespace regroup::crypto::ct
