// SPDX-License-Identifier: Apache-2.0
// One cursor for reading and one for writing octet layouts. A layout is described once, as a static function
// `wire(io, self)` that names its fields in order; Reader and Writer both run it, so reading and writing
// cannot disagree (mikey/ adds a third visitor that explains). Reading fails once and stays failed: later
// fields read as zero, and finish() reports the first failure, or octets left over.
#pragma once

#include <algorithm>

#include "base/octets.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup {

class Reader {
 public:
  static constexpr bool reads = true;

  explicit Reader(OctetsView input, std::string_view clause = {}) : input_(input), clause_(clause) {}

  [[nodiscard]] std::size_t offset() const noexcept { return at_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return input_.size() - at_; }
  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  [[nodiscard]] const Error& error() const { return *error_; }

  // Unsigned big-endian integer of `width` octets (1..8).
  std::uint64_t take_uint(std::size_t width, std::string_view field) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : take(width, field)) value = value << 8 | octet;
    return value;
  }
  // The next `count` octets; an empty view after a failure.
  OctetsView take(std::size_t count, std::string_view field) {
    if (failed()) return {};
    if (count > remaining()) {
      reject(Errc::malformed, std::string(field) + " needs " + std::to_string(count) + " octets at offset " +
                                  std::to_string(at_) + ", " + std::to_string(remaining()) + " remain");
      return {};
    }
    const OctetsView out = input_.subspan(at_, count);
    at_ += count;
    return out;
  }
  void reject(Errc code, std::string detail, std::string_view clause = {}) {
    if (!error_)
      error_ = fail(code, clause.empty() ? clause_ : clause, std::move(detail),
                    "the record is damaged: restore the store from its last backup");
  }
  [[nodiscard]] Result<void> finish() {
    if (!failed() && remaining())
      reject(Errc::malformed,
             std::to_string(remaining()) + " octets left over at offset " + std::to_string(at_));
    if (error_) return *error_;
    return {};
  }

  // Field visitors, the same names as Writer's.
  template <class T>
  void uint(std::size_t width, std::string_view field, T& value) {
    value = static_cast<T>(take_uint(width, field));
  }
  template <std::size_t N>
  void fixed(std::string_view field, Fixed<N>& value) {
    const OctetsView in = take(N, field);
    if (in.size() == N) std::copy(in.begin(), in.end(), value.begin());
  }
  template <std::size_t N>
  void secret_fixed(std::string_view field, Secret<N>& value) {
    const OctetsView in = take(N, field);
    if (in.size() == N) std::copy(in.begin(), in.end(), value.expose_mutable().begin());
  }
  // Octets behind a length of `width` octets.
  void counted(std::size_t width, std::string_view field, Octets& value) {
    value = to_octets(take(static_cast<std::size_t>(take_uint(width, field)), field));
  }
  void counted(std::size_t width, std::string_view field, std::string& value) {
    value = std::string(text_of(take(static_cast<std::size_t>(take_uint(width, field)), field)));
  }
  void secret(std::size_t width, std::string_view field, SecretOctets& value) {
    value = SecretOctets(take(static_cast<std::size_t>(take_uint(width, field)), field));
  }
  // A list of records behind a count of `width` octets; `each(io, element)` describes one. Every element
  // takes at least one octet, so the count is bounded by what remains.
  template <class T, class Each>
  void list(std::size_t width, std::string_view field, std::vector<T>& values, Each each) {
    const std::uint64_t count = take_uint(width, field);
    values.clear();
    if (count > remaining())
      return reject(Errc::malformed, std::string(field) + " counts more elements than octets remain");
    for (std::uint64_t i = 0; i < count && !failed(); ++i) each(*this, values.emplace_back());
  }

 private:
  OctetsView input_;
  std::string clause_;
  std::size_t at_ = 0;
  std::optional<Error> error_;
};

class Writer {
 public:
  static constexpr bool reads = false;

  [[nodiscard]] const Octets& octets() const& noexcept { return out_; }
  [[nodiscard]] Octets octets() && noexcept { return std::move(out_); }

  // Room enough that no growth leaves a copy of a secret behind; the caller wipes what it takes out.
  void reserve_for_secret(std::size_t size) { out_.reserve(size); }
  void put_uint(std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void put(OctetsView octets) { append(out_, octets); }
  // An octet written before, for a field that is known only when what follows is.
  void overwrite(std::size_t at, std::uint8_t octet) { out_[at] = octet; }

  template <class T>
  void uint(std::size_t width, std::string_view, const T& value) {
    put_uint(width, static_cast<std::uint64_t>(value));
  }
  template <std::size_t N>
  void fixed(std::string_view, const Fixed<N>& value) {
    put(value);
  }
  template <std::size_t N>
  void secret_fixed(std::string_view, const Secret<N>& value) {
    put(value.expose());
  }
  void counted(std::size_t width, std::string_view, const Octets& value) { put_counted(width, value); }
  void counted(std::size_t width, std::string_view, const std::string& value) {
    put_counted(width, view(value));
  }
  // The caller seals or wipes what it takes out of a Writer that has held a secret (see base/record.hpp).
  void secret(std::size_t width, std::string_view, const SecretOctets& value) {
    put_counted(width, value.expose());
  }
  template <class T, class Each>
  void list(std::size_t width, std::string_view, const std::vector<T>& values, Each each) {
    put_uint(width, values.size());
    for (const T& value : values) each(*this, value);
  }

 private:
  void put_counted(std::size_t width, OctetsView value) {
    // In every build: a shortened length would make a record that nobody can read.
    if (width < 8 && value.size() >> (8 * width) != 0)
      broken_invariant("a counted value fits its length", __FILE__, __LINE__);
    put_uint(width, value.size());
    put(value);
  }
  Octets out_;
};

}  // namespace regroup
