// SPDX-License-Identifier: Apache-2.0
// What the files that are compiled for AVX-512 IFMA share. Only they may include this; everything here has
// internal linkage, so that no inline function with such instructions can be picked for the rest of the
// program.
#pragma once

#include "crypto/ifma/engine.hpp"

#ifdef __AVX512IFMA__
#include <immintrin.h>

namespace regroup::crypto::ifma {

// Bounds of lazy sums, as multiples of p: asserted where the engine is compiled for it
// (tests/crypto/bounds.cpp, which defines this), nothing elsewhere.
#ifdef REGROUP_CHECK_BOUNDS
void expect_below(const Limb8* limbs, std::size_t count, double multiple, const char* file,
                  int line) noexcept;
#endif

namespace {

#ifdef REGROUP_CHECK_BOUNDS
inline void below(const Limb8* limbs, std::size_t count, double multiple, const char* file, int line) {
  expect_below(limbs, count, multiple, file, line);
}
#else
inline void below(const Limb8*, std::size_t, double, const char*, int) {}
#endif

inline __m512i load(const Limb8& from) { return _mm512_load_si512(&from); }
inline void store(Limb8& to, __m512i v) { _mm512_store_si512(&to, v); }
inline __m512i in_all(std::uint64_t limb) { return _mm512_set1_epi64(static_cast<long long>(limb)); }
inline __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi64(a, b); }
inline __m512i minus(__m512i a, __m512i b) { return _mm512_sub_epi64(a, b); }
inline __m512i low52() { return _mm512_set1_epi64((1LL << 52) - 1); }

// The digits of eight members for one window (curve/digits.hpp): which entry, in which group, with which
// sign.
template <std::size_t Window>
struct Choice {
  static constexpr std::size_t kChoiceGroups = (std::size_t{1} << (Window - 1)) / kLanes;
  __m512i index;
  __mmask8 negative;
  __mmask8 group[kChoiceGroups];
};
template <std::size_t Window>
inline Choice<Window> choice_of(const std::uint8_t (&digits)[kLanes]) {
  const __m512i v = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(digits)));
  Choice<Window> out;
  out.negative = _mm512_testn_epi64_mask(v, _mm512_set1_epi64(1LL << (Window - 1)));
  const __m512i flipped = _mm512_mask_xor_epi64(v, out.negative, v, _mm512_set1_epi64(-1));
  out.index = _mm512_and_si512(flipped, _mm512_set1_epi64((1LL << (Window - 1)) - 1));
  const __m512i group = _mm512_srli_epi64(out.index, 3);
#pragma GCC unroll 8
  for (std::size_t h = 0; h < Choice<Window>::kChoiceGroups; ++h)
    out.group[h] = _mm512_cmpeq_epi64_mask(group, _mm512_set1_epi64(static_cast<long long>(h)));
  return out;
}
// One limb of the chosen entries: every group is read.
template <std::size_t Window, std::size_t Groups>
inline __m512i look_up(const Limb8 (&entries)[Groups], const Choice<Window>& choice) {
  static_assert(Groups == Choice<Window>::kChoiceGroups);
  __m512i found = _mm512_permutexvar_epi64(choice.index, load(entries[0]));
#pragma GCC unroll 8
  for (std::size_t h = 1; h < Groups; ++h)
    found = _mm512_mask_permutexvar_epi64(found, choice.group[h], choice.index, load(entries[h]));
  return found;
}

// The frames of the engine held secrets: `Size` octets of stack below the caller.
template <std::size_t Size>
[[gnu::noinline]] void wipe_frames() {
  Limb8 frames[Size / sizeof(Limb8)];
  __builtin_memset(frames, 0, sizeof frames);
  __asm__ volatile("" : : "r"(frames) : "memory");
}
// And so did the registers.
inline void wipe_registers() {
  _mm256_zeroall();  // the lower sixteen
  __asm__ volatile(
      "vpxorq %%xmm16,%%xmm16,%%xmm16\n vpxorq %%xmm17,%%xmm17,%%xmm17\n vpxorq %%xmm18,%%xmm18,%%xmm18\n"
      "vpxorq %%xmm19,%%xmm19,%%xmm19\n vpxorq %%xmm20,%%xmm20,%%xmm20\n vpxorq %%xmm21,%%xmm21,%%xmm21\n"
      "vpxorq %%xmm22,%%xmm22,%%xmm22\n vpxorq %%xmm23,%%xmm23,%%xmm23\n vpxorq %%xmm24,%%xmm24,%%xmm24\n"
      "vpxorq %%xmm25,%%xmm25,%%xmm25\n vpxorq %%xmm26,%%xmm26,%%xmm26\n vpxorq %%xmm27,%%xmm27,%%xmm27\n"
      "vpxorq %%xmm28,%%xmm28,%%xmm28\n vpxorq %%xmm29,%%xmm29,%%xmm29\n vpxorq %%xmm30,%%xmm30,%%xmm30\n"
      "vpxorq %%xmm31,%%xmm31,%%xmm31\n kxorw %%k1,%%k1,%%k1\n kxorw %%k2,%%k2,%%k2\n kxorw %%k3,%%k3,%%k3\n"
      "kxorw %%k4,%%k4,%%k4\n kxorw %%k5,%%k5,%%k5\n kxorw %%k6,%%k6,%%k6\n kxorw %%k7,%%k7,%%k7\n"
      :
      :
      : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
        "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7");
}

}  // namespace
}  // namespace regroup::crypto::ifma

#endif
