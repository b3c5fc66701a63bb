// SPDX-License-Identifier: Apache-2.0
// Test vectors: the JSON files of tests/vectors (their sources stand in them and in tests/vectors/README.md).
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/random.hpp"
#include "base/text.hpp"

namespace regroup::test {

inline nlohmann::json vectors(const std::string& name) {
  std::ifstream file(std::string(REGROUP_TEST_DIR) + "/vectors/" + name);
  if (!file) throw std::runtime_error("no vector file " + name);
  return nlohmann::json::parse(file);
}

inline Octets unhex(const std::string& text) { return from_hex(text).value(); }
inline Octets unhex(const nlohmann::json& value) { return unhex(value.get<std::string>()); }

// Randomness that replays: gives out the queued octets, then fails the test.
class QueuedRandom final : public Random {
 public:
  explicit QueuedRandom(Octets octets) : octets_(std::move(octets)) {}
  void fill(std::span<std::uint8_t> out) override {
    if (octets_.size() - at_ < out.size()) throw std::runtime_error("the queued randomness is used up");
    std::copy_n(octets_.begin() + static_cast<std::ptrdiff_t>(at_), out.size(), out.begin());
    at_ += out.size();
  }

 private:
  Octets octets_;
  std::size_t at_ = 0;
};

// Repeatable randomness from a printed seed (xorshift; tests only).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed * 2 + 1) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) {
      state_ ^= state_ << 13;
      state_ ^= state_ >> 7;
      state_ ^= state_ << 17;
      octet = static_cast<std::uint8_t>(state_ >> 24);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace regroup::test
