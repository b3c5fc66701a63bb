// SPDX-License-Identifier: Apache-2.0
// Compiled with AVX-512 F, DQ, VL and IFMA. Nothing here gathers, and no branch depends on a lane: a look-up
// permutes every entry of its window. Bounds are multiples of p as in residue8.hpp.
#include "crypto/ifma/sums8.hpp"

#ifdef __AVX512IFMA__

namespace regroup::crypto::ifma {
namespace {

void begin(Sums& m, const Field& field) {
  constexpr std::uint64_t kZero[kLimbs] = {};
  broadcast(m.y, field.one);
  broadcast(m.z, field.one);
  broadcast(m.re, field.one);
  broadcast(m.x, kZero);
  broadcast(m.t, kZero);
  broadcast(m.im, kZero);
}

// ---- few members: the tables come from far away, so every third window serves three positions of digits
// (curve/fixed_base.hpp, S = 3); the three sums are joined by doublings. Coordinates below 1.1 p as above.
constexpr std::size_t kSpacing = 3, kFew = 2;  // vectors; measured

// The sums of the three classes of positions, the highest first; with `power` that of g^r too.
void join(Sums& out, Sums (&of)[kSpacing], bool power, const Field& field, const Constants& k) {
  Residue8 one;
  broadcast(one, field.one);
  for (std::size_t s = 0; power && s < kSpacing; ++s) {
    multiply(of[s].re, of[s].re, one, k);  // below 1.1 p again
    multiply(of[s].im, of[s].im, one, k);
  }
  out = of[kSpacing - 1];
  for (std::size_t s = kSpacing - 1; s-- > 0;) {
    for (std::size_t i = 0; i < kWindow; ++i) twice(out, k);
    add(out, of[s], k);
    for (std::size_t i = 0; power && i < kWindow; ++i) square(out, k);
    if (power) times(out, of[s], k);
  }
}

void sum_few(Members* members, std::size_t vectors, const PointWindow* p, const PointWindow* z,
             const PowerWindow* g, const Field& field, const Constants& k) {
  Sums sums[kFew][kSpacing];
  for (std::size_t v = 0; v < vectors; ++v)
    for (std::size_t s = 0; s < kSpacing; ++s) begin(sums[v][s], field);
  for (std::size_t i = 0; i < kDigits; i += kSpacing) {
    const std::size_t count = i + kSpacing < kDigits ? kSpacing : kDigits - i;
    for (std::size_t s = 0; s < count; ++s)
      for (std::size_t v = 0; v < vectors; ++v) add_entry(sums[v][s], members[v].rb[i + s], p[i], k);
    for (std::size_t s = 0; z && s < count; ++s)
      for (std::size_t v = 0; v < vectors; ++v) add_entry(sums[v][s], members[v].r[i + s], z[i], k);
    for (std::size_t s = 0; g && s < count; ++s)
      for (std::size_t v = 0; v < vectors; ++v) times_entry(sums[v][s], members[v].r[i + s], g[i], k);
  }
  for (std::size_t v = 0; v < vectors; ++v) join(members[v], sums[v], g != nullptr, field, k);
  __builtin_memset(sums, 0, sizeof sums);
  __asm__ volatile("" : : "r"(sums) : "memory");
  wipe_frames<16 * sizeof(Residue8)>();  // below this large one
}

// A window stays in the first cache while all vectors pass it (performance-design 5).
void sum_many(Members* members, std::size_t vectors, const PointWindow* p, const PointWindow* z,
              const PowerWindow* g, const Field& field, const Constants& k) {
  for (std::size_t v = 0; v < vectors; ++v) begin(members[v], field);
  for (std::size_t i = 0; i < kDigits; ++i) {
    for (std::size_t v = 0; v < vectors; ++v) add_entry(members[v], members[v].rb[i], p[i], k);
    for (std::size_t v = 0; z && v < vectors; ++v) add_entry(members[v], members[v].r[i], z[i], k);
    for (std::size_t v = 0; g && v < vectors; ++v) times_entry(members[v], members[v].r[i], g[i], k);
  }
}

// The denominator of R, (Z - Y) X; that of w is re.
void denominator(Residue8& out, const Members& m, const Constants& k) {
  settle(out, [&](std::size_t j) {  // 3.1 p
    return plus(minus(load(m.z.limb[j]), load(m.y.limb[j])), load(k.twice.limb[j]));
  });
  below(out, 3.1);
  multiply(out, out, m.x, k);
}

// To the coordinates of E, out of Montgomery form by the last product.
void finish(Members& m, const Residue8& of_r, const Residue8& of_w, const Field& field, const Constants& k) {
  constexpr std::uint64_t kOne[kLimbs] = {1};
  Residue8 common, plain;
  settle(common, [&](std::size_t j) { return plus(load(m.z.limb[j]), load(m.y.limb[j])); });  // 2.2 p
  below(common, 2.2);
  multiply(common, common, of_r, k);
  broadcast(plain, field.lambda);
  multiply(m.x, m.x, common, k);
  multiply(m.x, m.x, plain, k);
  broadcast(plain, field.s);
  multiply(m.y, m.z, common, k);
  multiply(m.y, m.y, plain, k);
  broadcast(plain, kOne);
  multiply(m.im, m.im, of_w, k);
  multiply(m.im, m.im, plain, k);
}

// All denominators share one inversion, three products each.
bool normalise(Members* members, std::size_t vectors, const Constants& k, const Field& field) {
  Residue8 running, d, of_r, of_w;
  broadcast(running, field.one);
  for (std::size_t v = 0; v < vectors; ++v) {
    Members& m = members[v];
    denominator(d, m, k);
    m.before[0] = running;
    multiply(running, running, d, k);
    m.before[1] = running;
    multiply(running, running, m.re, k);
  }
  if (!invert_lanes(running, k, field)) return false;
  for (std::size_t v = vectors; v-- > 0;) {
    Members& m = members[v];
    denominator(d, m, k);
    multiply(of_w, running, m.before[1], k);
    multiply(running, running, m.re, k);
    multiply(of_r, running, m.before[0], k);
    multiply(running, running, d, k);
    finish(m, of_r, of_w, field, k);
  }
  return true;
}

}  // namespace

bool fan_out(Members* members, std::size_t vectors, const PointWindow* p, const PointWindow* z,
             const PowerWindow* g, const Field& field) noexcept {
  Constants k;
  make_constants(k, field);
  if (vectors <= kFew)
    sum_few(members, vectors, p, z, g, field, k);
  else
    sum_many(members, vectors, p, z, g, field, k);
  const bool good = normalise(members, vectors, k, field);
  wipe_frames<16 * sizeof(Residue8)>();
  wipe_registers();
  return good;
}

void product(Residue8& out, const Residue8& a, const Residue8& b, const Field& field) noexcept {
  Constants k;
  make_constants(k, field);
  multiply(out, a, b, k);
  _mm256_zeroupper();
}

}  // namespace regroup::crypto::ifma

#else

namespace regroup::crypto::ifma {
bool fan_out(Members*, std::size_t, const PointWindow*, const PointWindow*, const PowerWindow*,
             const Field&) noexcept {
  return false;
}
void product(Residue8&, const Residue8&, const Residue8&, const Field&) noexcept {}
}  // namespace regroup::crypto::ifma

#endif
