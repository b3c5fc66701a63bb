// SPDX-License-Identifier: Apache-2.0
// One fault in each function, for the test that tools/object-code finds it. Never run.
#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace planted {

__m512i gather(const std::uint64_t* table, __m512i secret) {
  return _mm512_i64gather_epi64(secret, table, 8);
}
void scatter(std::uint64_t* table, __m512i secret) { _mm512_i64scatter_epi64(table, secret, secret, 8); }

std::uint64_t division(std::uint64_t secret, std::uint64_t by) { return secret / by; }

void multiply(std::uint64_t& value);
void branch(std::uint64_t secret, std::uint64_t& value) {
  if (secret & 1) multiply(value);
}

std::uint64_t index(const std::uint64_t* table, std::uint64_t secret) { return table[secret]; }

std::uint64_t lane(__m512i secret) { return static_cast<std::uint64_t>(_mm512_cvtsi512_si32(secret)); }
std::uint64_t mask(__m512i secret) { return _cvtmask8_u32(_mm512_testn_epi64_mask(secret, secret)); }

int library(const void* secret, const void* other, std::size_t size) {
  return std::memcmp(secret, other, size);
}
std::uint64_t pointer(std::uint64_t (*other)(std::uint64_t), std::uint64_t secret) {
  return other(secret) + 1;
}

__m512i compress(__m512i secret) {
  return _mm512_maskz_compress_epi64(_mm512_test_epi64_mask(secret, secret), secret);
}

[[gnu::noinline]] void act(int) { __asm__ volatile(""); }
void table(unsigned secret, void (*acts[])(int)) {
  static const void* const places[] = {&&first, &&second, &&third};
  goto* places[secret];
first:
  act(1);
second:
  act(2);
third:
  act(3);
  (void)acts;
}

__m512i nothing(__m512i secret, __m512i other) { return _mm512_add_epi64(secret, other); }

}  // namespace planted
