// SPDX-License-Identifier: Apache-2.0
// Tables for multiples of a fixed point B and powers of a fixed PF_p element: for the digit positions 0, S,
// 2S ... the odd multiples 1, 3 ... 2^W - 1 of 2^(Wi) B. Position i of a scalar looks into the table at or
// below it, and its sum is one of S, which (S - 1) W doublings join at the end: tables of a S-th of the size,
// which stay nearer to the processor, for those doublings. Otherwise a multiple is one addition per digit and
// nothing else. A look-up reads every entry of its table under masks: no load depends on a digit. Bounds for
// parameter set 1, W = 7, S = 3: 49 tables of 64 entries; 1.2 MB for a point, 0.4 MB for g.
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

inline constexpr std::size_t kSpacing = 3;  // S; measured, as the window

// The sums of the S classes of positions, of any number of scalars and tables.
template <class Set, std::size_t W = Set::window, std::size_t S = kSpacing>
class SpacedSum {
 public:
  SpacedSum() = default;
  explicit SpacedSum(const Edwards<Set>& start) { of_[0] = start; }

  [[nodiscard]] Edwards<Set>& at(std::size_t position) { return of_[position % S]; }
  [[nodiscard]] Edwards<Set> total() const {
    Edwards<Set> sum = of_[S - 1];
    for (std::size_t s = S - 1; s-- > 0;) {
      for (std::size_t i = 0; i < W; ++i) sum.twice();
      sum.add(of_[s]);
    }
    return sum;
  }

 private:
  std::array<Edwards<Set>, S> of_;
};

template <class Set, std::size_t W = Set::window, std::size_t S = kSpacing>
class PointTable {
 public:
  using F = FieldOf<Set>;
  using Scalar = Digits<Set, W>;
  static constexpr std::size_t kTables = (Scalar::kCount + S - 1) / S;

  // `base` has order q.
  explicit PointTable(const Affine<Set>& base) : entries_(kTables * Scalar::kEntries) {
    std::vector<F> z(entries_.size());
    Edwards<Set> b = Edwards<Set>::of(base);
    for (std::size_t at = 0; at < entries_.size(); at += Scalar::kEntries) {
      Edwards<Set> multiple = b, twice = b;
      twice.twice();
      for (std::size_t i = 0; i < Scalar::kEntries; ++i, multiple.add(twice)) {
        entries_[at + i] = {multiple.x, multiple.y, F()};
        z[at + i] = multiple.z;
      }
      for (std::size_t i = 0; i < S * W; ++i) b.twice();
    }
    [[maybe_unused]] const Mask divisible = invert_all<Set::p>(z);
    RG_ASSERT(divisible);
    for (std::size_t i = 0; i < entries_.size(); ++i)
      entries_[i] = EdwardsEntry<Set>::of(entries_[i].minus * z[i], entries_[i].plus * z[i]);
  }

  // sum += [k]B.
  void add_multiple(SpacedSum<Set, W, S>& sum, const Scalar& k) const {
    using Entry = EdwardsEntry<Set>;
    for (std::size_t i = 0; i < Scalar::kCount; ++i)
      sum.at(i).add(chosen<Entry, F>(&entry(i / S, 0), Scalar::kEntries, k.index(i)), k.negative(i));
  }
  [[nodiscard]] const EdwardsEntry<Set>& entry(std::size_t table, std::size_t index) const {
    return entries_[table * Scalar::kEntries + index];
  }
  [[nodiscard]] static constexpr std::size_t octets() {
    return kTables * Scalar::kEntries * sizeof(EdwardsEntry<Set>);
  }

 private:
  std::vector<EdwardsEntry<Set>> entries_;
};

template <class Set, std::size_t W = Set::window, std::size_t S = kSpacing>
class PowerTable {
 public:
  using F = FieldOf<Set>;
  using Scalar = Digits<Set, W>;
  static constexpr std::size_t kTables = (Scalar::kCount + S - 1) / S;

  // The class of t has order q.
  explicit PowerTable(const F& t) : entries_(kTables * Scalar::kEntries) {
    std::vector<F> re(entries_.size());
    Fp2<F> b = Fp2<F>::of(t);
    for (std::size_t at = 0; at < entries_.size(); at += Scalar::kEntries) {
      Fp2<F> power = b;
      const Fp2<F> square = b.square();
      for (std::size_t i = 0; i < Scalar::kEntries; ++i, power = power * square) {
        entries_[at + i].t = power.im;
        re[at + i] = power.re;
      }
      for (std::size_t i = 0; i < S * W; ++i) b = b.square();
    }
    [[maybe_unused]] const Mask divisible = invert_all<Set::p>(re);
    RG_ASSERT(divisible);
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].t = entries_[i].t * re[i];
  }

  // A member of the class of base^k: two products per digit.
  [[nodiscard]] Fp2<F> power(const Scalar& k) const {
    ct::Wiped<std::array<Fp2<F>, S>> of;
    of->fill(Fp2<F>::one());
    for (std::size_t i = 0; i < Scalar::kCount; ++i) {
      const F t = chosen<Entry, F>(&entries_[i / S * Scalar::kEntries], Scalar::kEntries, k.index(i)).t;
      (*of)[i % S] = (*of)[i % S].times(F::choose(k.negative(i), -t, t));
    }
    Fp2<F> product = (*of)[S - 1];
    for (std::size_t s = S - 1; s-- > 0;) {
      for (std::size_t i = 0; i < W; ++i) product = product.square();
      product = product * (*of)[s];
    }
    return product;
  }
  [[nodiscard]] const F& entry(std::size_t table, std::size_t index) const {
    return entries_[table * Scalar::kEntries + index].t;
  }
  [[nodiscard]] static constexpr std::size_t octets() { return kTables * Scalar::kEntries * sizeof(F); }

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
