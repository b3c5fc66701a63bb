// SPDX-License-Identifier: Apache-2.0
// Compiled with AVX-512 F, DQ, VL and IFMA. No branch and no address depends on a lane. Bounds are multiples
// of p as in residue8.hpp.
#include "crypto/ifma/pairing.hpp"

#include "crypto/ifma/residue8.hpp"

#ifdef __AVX512IFMA__

namespace regroup::crypto::ifma {
namespace {

// Lane i of row j becomes lane j of row i.
inline void transpose(__m512i (&r)[8]) {
  __m512i a[8], b[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
    a[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      b[i + j] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0x88);
      b[i + j + 2] = _mm512_shuffle_i64x2(a[i + j], a[i + j + 2], 0xdd);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    r[j] = _mm512_shuffle_i64x2(b[j], b[j + 4], 0x88);
    r[j + 4] = _mm512_shuffle_i64x2(b[j], b[j + 4], 0xdd);
  }
}

// One line of each of eight keys, limb by limb.
struct Lines8 {
  Limb8 limb[2 * kLimbs];
};
inline void gather_lines(Lines8& out, const Line* const (&lines)[kLanes], std::size_t n) {
#pragma GCC unroll 5
  for (std::size_t part = 0; part < 2 * kLimbs; part += 8) {
    __m512i rows[8];
#pragma GCC unroll 8
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      rows[lane] = _mm512_load_si512(&lines[lane][n].limb[part]);
    transpose(rows);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) store(out.limb[part + j], rows[j]);
  }
}

// l = slope x / y + constant / y, below 1.1 p: the real part of the line, whose imaginary part is 1.
[[gnu::noinline]] void line_of_one_key(Residue8& l, const Pairings& m, const Line& line, const Constants& k) {
  product_rows(
      l, [&](std::size_t i) { return in_all(line.limb[i]); }, m.x_over_y,
      [&](std::size_t i) { return in_all(line.limb[kLimbs + i]); }, &m.one_over_y, k);
}
[[gnu::noinline]] void line_of_eight(Residue8& l, const Pairings& m, const Lines8& lines,
                                     const Constants& k) {
  product_rows(
      l, [&](std::size_t i) { return load(lines.limb[i]); }, m.x_over_y,
      [&](std::size_t i) { return load(lines.limb[kLimbs + i]); }, &m.one_over_y, k);
}

// re is below 4.1 p and im below 5.3 p; then below 1.1 p and 2.1 p.
void square(Pairings& m, const Constants& k) {
  Residue8 sum, difference, product;
  settle(
      sum, difference,  // 9.4 p, and 0.7 p to 10.1 p
      [&](std::size_t j) { return plus(load(m.re.limb[j]), load(m.im.limb[j])); },
      [&](std::size_t j) {
        const __m512i six = plus(load(k.thrice.limb[j]), load(k.thrice.limb[j]));
        return plus(minus(load(m.re.limb[j]), load(m.im.limb[j])), six);
      });
  below(sum, 9.4), below(difference, 10.1);
  multiply(product, m.re, m.im, k);
  multiply(m.re, sum, difference, k);
  settle(m.im, [&](std::size_t j) {  // 2.1 p
    return plus(load(product.limb[j]), load(product.limb[j]));
  });
  below(m.im, 2.2);
}

// Times l + i. im is below 2.3 p before: at most two lines follow a square.
void times_line(Pairings& m, const Residue8& l, const Constants& k) {
  Residue8 u, v;
  multiply(u, m.re, l, k);
  multiply(v, m.im, l, k);
  settle(
      m.im, m.re,  // im: 2.2 p, after a second line 5.3 p; re: 4.1 p
      [&](std::size_t j) { return plus(load(v.limb[j]), load(m.re.limb[j])); },
      [&](std::size_t j) {
        return plus(minus(load(u.limb[j]), load(m.im.limb[j])), load(k.thrice.limb[j]));
      });
  below(m.im, 5.3), below(m.re, 4.1);
}

void walk(Pairings& m, const bool* squares, std::size_t lines, const Field& field, const Constants& k) {
  constexpr std::uint64_t kZero[kLimbs] = {};
  broadcast(m.re, field.one);
  broadcast(m.im, kZero);
  bool one_key = true;  // which keys are the same is public
  for (std::size_t lane = 1; lane < kLanes; ++lane) one_key &= m.lines[lane] == m.lines[0];
  Residue8 l;
  Lines8 eight;
  for (std::size_t n = 0; n < lines; ++n) {
    if (squares[n]) square(m, k);
    if (one_key) {
      line_of_one_key(l, m, m.lines[0][n], k);
    } else {
      gather_lines(eight, m.lines, n);
      line_of_eight(l, m, eight, k);
    }
    times_line(m, l, k);
  }
  square(m, k);  // (p + 1) / q = 4
  square(m, k);
}

// w = im / re; all share one inversion. re and im are those of a square.
bool divide(Pairings* all, std::size_t vectors, const Constants& k, const Field& field) {
  constexpr std::uint64_t kOne[kLimbs] = {1};
  Residue8 running, plain, inverse;
  broadcast(running, field.one);
  broadcast(plain, kOne);
  for (std::size_t v = 0; v < vectors; ++v) {
    all[v].before = running;
    multiply(running, running, all[v].re, k);
  }
  if (!invert_lanes(running, k, field)) return false;
  for (std::size_t v = vectors; v-- > 0;) {
    Pairings& m = all[v];
    multiply(inverse, running, m.before, k);
    multiply(running, running, m.re, k);
    multiply(m.im, m.im, inverse, k);
    multiply(m.im, m.im, plain, k);
  }
  return true;
}

}  // namespace

bool pair_all(Pairings* all, std::size_t vectors, const bool* squares, std::size_t lines,
              const Field& field) noexcept {
  Constants k;
  make_constants(k, field);
  for (std::size_t v = 0; v < vectors; ++v) walk(all[v], squares, lines, field, k);
  const bool good = divide(all, vectors, k, field);
  wipe_frames<16384>();
  wipe_registers();
  return good;
}

}  // namespace regroup::crypto::ifma

#else

namespace regroup::crypto::ifma {
bool pair_all(Pairings*, std::size_t, const bool*, std::size_t, const Field&) noexcept { return false; }
}  // namespace regroup::crypto::ifma

#endif
