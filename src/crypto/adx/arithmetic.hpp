// SPDX-License-Identifier: Apache-2.0
// Montgomery arithmetic on 16 limbs with MULX, ADCX and ADOX, and table look-ups with AVX2 (BMI2, ADX and
// AVX2, in x86-64 processors since 2014): the same results as field/montgomery.hpp limb for limb. Written in
// arithmetic.S.
#pragma once

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include <cstdint>

namespace regroup::crypto::adx {

// Whether this processor has the instructions.
[[nodiscard]] inline bool supported() noexcept {
#if defined(__x86_64__) && defined(REGROUP_CT)
  return __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("avx2");  // Valgrind 3.19 runs ADCX and ADOX but does not announce them
#elif defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;  // clang 14 has no name for ADX
  return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx2") &&
         __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_ADX) != 0;
#else
  return false;
#endif
}

#ifdef __x86_64__
extern "C" {
// out = a b 2^-1024 mod m; a b < 2^1024 m, m < 2^1024 - 2^514. Out may be a or b.
void regroup_adx_product16(std::uint64_t* out, const std::uint64_t* a, const std::uint64_t* b,
                           const std::uint64_t* m, std::uint64_t minus_inverse) noexcept;
// out = a + b and a - b mod m, for a, b < m.
void regroup_adx_sum16(std::uint64_t* out, const std::uint64_t* a, const std::uint64_t* b,
                       const std::uint64_t* m) noexcept;
void regroup_adx_difference16(std::uint64_t* out, const std::uint64_t* a, const std::uint64_t* b,
                              const std::uint64_t* m) noexcept;
// out = the entry of that index among `count` entries of 48 or 16 limbs; every one is read (AVX2).
void regroup_adx_choose48(std::uint64_t* out, const std::uint64_t* entries, std::uint64_t count,
                          std::uint64_t index) noexcept;
void regroup_adx_choose16(std::uint64_t* out, const std::uint64_t* entries, std::uint64_t count,
                          std::uint64_t index) noexcept;
}
#endif

}  // namespace regroup::crypto::adx
