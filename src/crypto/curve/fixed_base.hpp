// SPDX-License-Identifier: Apache-2.0
// Tables for multiples of a fixed point and powers of a fixed PF_p element: for each digit position i the odd
// multiples 1, 3 ... 2^W - 1 of 2^(Wi) B. Then a multiple is one addition per digit and nothing else.
// A look-up reads every entry of its position under masks: no load depends on a digit.
// Bounds for parameter set 1, W = 6: 171 positions, 32 entries; 2.1 MB for a point, 0.7 MB for g.
#pragma once

#include <bit>
#include <memory>

#include "crypto/curve/digits.hpp"
#include "crypto/curve/edwards.hpp"
#include "crypto/field/pfp.hpp"

namespace regroup::crypto {

// A secret choice of one among `count` entries of 1 or 3 field elements, made by reading them all.
template <class Entry, class F>
[[nodiscard]] Entry chosen(const Entry* entries, std::size_t count, Limb index) {
  constexpr std::size_t kParts = sizeof(Entry) / sizeof(F);
  static_assert(sizeof(Entry) == kParts * sizeof(F) && std::is_trivially_copyable_v<Entry>);
  if constexpr (F::kLimbs == 16) {
    static_assert(kParts == 1 || kParts == 3);
    ct::Wiped<std::array<Limbs<16>, kParts>> found;
    kernel::choose16(found->data(), reinterpret_cast<const Limbs<16>*>(entries), count, kParts, index);
    return std::bit_cast<Entry>(*found);
  } else {
    Entry out{};
    for (std::size_t e = 0; e < count; ++e) out = Entry::choose(mask_if_equal(e, index), entries[e], out);
    return out;
  }
}

template <class Set, std::size_t W = Set::window>
class PointTable {
 public:
  using F = FieldOf<Set>;
  using Scalar = Digits<Set, W>;

  // `base` has order q.
  explicit PointTable(const Affine<Set>& base) : entries_(Scalar::kCount * Scalar::kEntries) {
    std::vector<F> z(entries_.size());
    Edwards<Set> b = Edwards<Set>::of(base);
    for (std::size_t at = 0; at < entries_.size(); at += Scalar::kEntries) {
      Edwards<Set> multiple = b, twice = b;
      twice.twice();
      for (std::size_t i = 0; i < Scalar::kEntries; ++i, multiple.add(twice)) {
        entries_[at + i] = {multiple.x, multiple.y, F()};
        z[at + i] = multiple.z;
      }
      for (std::size_t i = 0; i < W; ++i) b.twice();
    }
    [[maybe_unused]] const Mask divisible = invert_all<Set::p>(z);
    RG_ASSERT(divisible);
    for (std::size_t i = 0; i < entries_.size(); ++i)
      entries_[i] = EdwardsEntry<Set>::of(entries_[i].minus * z[i], entries_[i].plus * z[i]);
  }

  // sum += [k]B.
  void add_multiple(Edwards<Set>& sum, const Scalar& k) const {
    using Entry = EdwardsEntry<Set>;
    for (std::size_t i = 0; i < Scalar::kCount; ++i)
      sum.add(chosen<Entry, F>(&entries_[i * Scalar::kEntries], Scalar::kEntries, k.index(i)), k.negative(i));
  }
  [[nodiscard]] const EdwardsEntry<Set>& entry(std::size_t position, std::size_t index) const {
    return entries_[position * Scalar::kEntries + index];
  }
  [[nodiscard]] std::size_t octets() const { return entries_.size() * sizeof(EdwardsEntry<Set>); }

 private:
  std::vector<EdwardsEntry<Set>> entries_;
};

template <class Set, std::size_t W = Set::window>
class PowerTable {
 public:
  using F = FieldOf<Set>;
  using Scalar = Digits<Set, W>;

  // The class of t has order q.
  explicit PowerTable(const F& t) : entries_(Scalar::kCount * Scalar::kEntries) {
    std::vector<F> re(entries_.size());
    Fp2<F> b = Fp2<F>::of(t);
    for (std::size_t at = 0; at < entries_.size(); at += Scalar::kEntries) {
      Fp2<F> power = b;
      const Fp2<F> square = b.square();
      for (std::size_t i = 0; i < Scalar::kEntries; ++i, power = power * square) {
        entries_[at + i].t = power.im;
        re[at + i] = power.re;
      }
      for (std::size_t i = 0; i < W; ++i) b = b.square();
    }
    [[maybe_unused]] const Mask divisible = invert_all<Set::p>(re);
    RG_ASSERT(divisible);
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].t = entries_[i].t * re[i];
  }

  // A member of the class of base^k: two products per digit.
  [[nodiscard]] Fp2<F> power(const Scalar& k) const {
    Fp2<F> product = Fp2<F>::one();
    for (std::size_t i = 0; i < Scalar::kCount; ++i) {
      const F t = chosen<Entry, F>(&entries_[i * Scalar::kEntries], Scalar::kEntries, k.index(i)).t;
      product = product.times(F::choose(k.negative(i), -t, t));
    }
    return product;
  }
  [[nodiscard]] const F& entry(std::size_t position, std::size_t index) const {
    return entries_[position * Scalar::kEntries + index].t;
  }

 private:
  struct Entry {
    F t;
    [[nodiscard]] static Entry choose(Mask mask, const Entry& yes, const Entry& no) {
      return {F::choose(mask, yes.t, no.t)};
    }
  };
  std::vector<Entry> entries_;
};

// The tables of P and g: made once per process, on first use (about 60 ms), shared by all threads.
template <class Set>
struct Generators {
  PointTable<Set> p{Affine<Set>::generator()};
  PowerTable<Set> g{FieldOf<Set>::of(Set::g)};

  [[nodiscard]] static const Generators& get() {
    static const Generators tables;
    return tables;
  }
};

}  // namespace regroup::crypto
