// SPDX-License-Identifier: Apache-2.0
// The visitors of a MIKEY layout. A payload is a plain struct with one static function `wire(io, self)` that
// names its fields in wire order; FieldReader and FieldWriter run it, and a FieldReader with an Observer
// explains it, so reading, writing and explaining cannot disagree. Reading fails once and stays failed; what
// fails is named by payload, field, offset, clause and cure. Numbers are big-endian throughout (RFC 3830 6).
#pragma once

#include "base/wire.hpp"
#include "mikey/error_code.hpp"
#include "mikey/numbers.hpp"

namespace regroup::mikey {

// A field's name and clause, and how people are told its value.
struct Field {
  std::string_view name;
  std::string_view clause;
  std::string (*number)(std::uint64_t) = nullptr;  // what a number means
  std::string (*data)(OctetsView) = nullptr;       // octets as text; hexadecimal without it
  bool hexadecimal = false;                        // a number that is an identifier
};
inline constexpr Field kNextPayload{"next payload", "RFC 3830 6.1", names::payload};

// Sees each field as it is read.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void enter(std::string_view payload) = 0;
  virtual void number(std::size_t offset, OctetsView octets, const Field& field, std::uint64_t value) = 0;
  virtual void bits(std::size_t offset, OctetsView octets, const Field& high, std::uint64_t high_value,
                    const Field& low, std::uint64_t low_value) = 0;
  virtual void data(std::size_t offset, OctetsView octets, const Field& field) = 0;
};

class FieldReader {
 public:
  static constexpr bool reads = true;

  // Offsets are told from `base`: the place of `input` in a larger message.
  explicit FieldReader(OctetsView input, Observer* observer = nullptr, std::size_t base = 0)
      : input_(input), limit_(input.size()), base_(base), observer_(observer) {}

  [[nodiscard]] std::size_t offset() const noexcept { return base_ + at_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return limit_ - at_; }
  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  // Where the first failure was seen.
  [[nodiscard]] std::size_t broken_at() const noexcept { return broken_at_; }

  // Names the payload in what follows.
  void enter(std::string_view payload);
  // The first failure; `at` is the offset it is about.
  void reject(Error error, std::size_t at);
  // Refuses octets left over.
  void end();
  // end(), then the first failure.
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] Error take_error() { return std::move(*error_); }

  // Visitors.
  void next_payload(PayloadType& next) { uint(1, kNextPayload, next); }
  template <class T>
  void uint(std::size_t width, const Field& field, T& value) {
    const OctetsView octets = take(width, field);
    const std::uint64_t number = number_of(octets);
    value = static_cast<T>(number);
    last_value_ = number;
    if (observer_ && !failed()) observer_->number(offset() - width, octets, field, number);
  }
  // Two values in one number: `low_bits` of the second, the first above them.
  template <class T, class U>
  void split(std::size_t width, std::size_t low_bits, const Field& high, T& a, const Field& low, U& b) {
    const OctetsView octets = take(width, high);
    const std::uint64_t both = number_of(octets);
    a = static_cast<T>(both >> low_bits);
    b = static_cast<U>(both & ((std::uint64_t{1} << low_bits) - 1));
    if (observer_ && !failed())
      observer_->bits(offset() - width, octets, high, both >> low_bits, low,
                      both & ((std::uint64_t{1} << low_bits) - 1));
  }
  template <std::size_t N>
  void fixed(const Field& field, Fixed<N>& value) {
    const OctetsView octets = taken(N, field);
    if (octets.size() == N) std::copy(octets.begin(), octets.end(), value.begin());
  }
  // `count` octets, the count having been read before.
  void octets(std::size_t count, const Field& field, Octets& value) {
    value = to_octets(taken(count, field));
  }
  // Octets behind a length of `width` octets.
  void counted(std::size_t width, const Field& length, const Field& field, Octets& value) {
    octets(length_of(width, length), field, value);
  }
  // `count` records; a record takes at least one octet, so `count` is bounded by what remains.
  template <class T, class Each>
  void repeat(std::size_t count, const Field& field, std::vector<T>& values, Each each) {
    values.clear();
    if (count > remaining()) {
      short_of(count, field);
      return;
    }
    for (std::size_t i = 0; i < count && !failed(); ++i) each(*this, values.emplace_back());
  }
  // A part of its own behind a length of `width` octets; `inside` must use it up exactly.
  template <class Inside>
  void region(std::size_t width, const Field& length, Inside inside) {
    const std::size_t size = length_of(width, length);
    if (size > remaining()) short_of(size, length);
    if (failed()) return;
    const std::size_t outer = limit_;
    limit_ = at_ + size;
    inside(*this);
    end();
    limit_ = outer;
  }
  // Records until the region ends.
  template <class T, class Each>
  void records(std::vector<T>& values, Each each) {
    values.clear();
    while (!failed() && remaining()) each(*this, values.emplace_back());
  }
  // Whether a field at the end of older layouts is there.
  [[nodiscard]] bool more(const Octets&) const noexcept { return !failed() && remaining() != 0; }
  // All but the last `keep` octets of what remains.
  void all_but(std::size_t keep, const Field& field, Octets& value);
  // A rule about the field read last.
  void require(bool holds, Errc errc, ErrorCode code, std::string_view expected, std::string_view cure);

 private:
  static std::uint64_t number_of(OctetsView octets) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
  }
  OctetsView take(std::size_t count, const Field& field);
  OctetsView taken(std::size_t count, const Field& field);  // take, and show
  std::size_t length_of(std::size_t width, const Field& length) {
    std::size_t size = 0;
    uint(width, length, size);
    return size;
  }
  void short_of(std::size_t count, const Field& field);

  OctetsView input_;
  std::size_t at_ = 0;
  std::size_t limit_;
  std::size_t base_;
  Observer* observer_;
  std::string_view payload_;
  // The field read last, where it stands, and its value when it is one number.
  std::string_view last_field_, last_clause_;
  std::size_t last_at_ = 0;
  std::size_t last_size_ = 0;
  std::optional<std::uint64_t> last_value_;
  std::optional<Error> error_;
  std::size_t broken_at_ = 0;
};

class FieldWriter {
 public:
  static constexpr bool reads = false;

  [[nodiscard]] const Octets& octets() const& noexcept { return out_.octets(); }
  [[nodiscard]] Octets octets() && noexcept { return std::move(out_).octets(); }

  // The payload written last names `next` as its follower, whatever its struct says.
  void follow_with(PayloadType next) {
    RG_ASSERT(next_at_.has_value());
    out_.overwrite(*next_at_, static_cast<std::uint8_t>(next));
  }

  void next_payload(PayloadType next) {
    next_at_ = out_.octets().size();
    out_.put_uint(1, static_cast<std::uint64_t>(next));
  }
  template <class T>
  void uint(std::size_t width, const Field& field, const T& value) {
    RG_ASSERT(width >= 8 || static_cast<std::uint64_t>(value) >> (8 * width) == 0);
    out_.uint(width, field.name, value);
  }
  template <class T, class U>
  void split(std::size_t width, std::size_t low_bits, const Field&, const T& a, const Field&, const U& b) {
    out_.put_uint(width, static_cast<std::uint64_t>(a) << low_bits | static_cast<std::uint64_t>(b));
  }
  template <std::size_t N>
  void fixed(const Field&, const Fixed<N>& value) {
    out_.put(value);
  }
  void octets(std::size_t count, const Field&, const Octets& value) {
    RG_ASSERT(value.size() == count);
    out_.put(value);
  }
  void counted(std::size_t width, const Field&, const Field& field, const Octets& value) {
    out_.counted(width, field.name, value);
  }
  template <class T, class Each>
  void repeat(std::size_t count, const Field&, const std::vector<T>& values, Each each) {
    RG_ASSERT(values.size() == count);
    for (const T& value : values) each(*this, value);
  }
  template <class Inside>
  void region(std::size_t width, const Field& length, Inside inside) {
    FieldWriter part;
    inside(part);
    out_.counted(width, length.name, part.octets());
  }
  template <class T, class Each>
  void records(const std::vector<T>& values, Each each) {
    repeat(values.size(), {}, values, each);
  }
  void all_but(std::size_t, const Field&, const Octets& value) { out_.put(value); }
  [[nodiscard]] bool more(const Octets& value) const noexcept { return !value.empty(); }
  // We write nothing we would refuse.
  void require(bool holds, Errc, ErrorCode, std::string_view, std::string_view) { RG_ASSERT(holds); }

 private:
  Writer out_;
  std::optional<std::size_t> next_at_;  // the next-payload octet written last
};

// One structure from octets that hold nothing else, and back.
template <class T>
[[nodiscard]] Result<T> parse_as(OctetsView octets) {
  FieldReader in(octets);
  in.enter(T::kName);
  T value;
  T::wire(in, value);
  if (auto read = in.finish(); !read) return std::move(read).error();
  return value;
}
template <class T>
[[nodiscard]] Octets write(const T& value) {
  FieldWriter out;
  T::wire(out, value);
  return std::move(out).octets();
}

}  // namespace regroup::mikey
