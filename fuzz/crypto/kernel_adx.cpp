// SPDX-License-Identifier: Apache-2.0
// The kernel `adx` limb for limb against the portable one: products, sums and differences modulo p and q. On
// a processor without the instructions it says so, once, and compares nothing.
#include "choices.hpp"
#include "crypto/adx/arithmetic.hpp"
#include "crypto/curve/parameters.hpp"
#include "expect.hpp"

using namespace regroup;
using namespace regroup::crypto;

namespace {

bool runs_here() {
  static const bool answer = [] {
    if (!adx::supported())
      std::fprintf(stderr, "this processor has no ADX or no BMI2: nothing is compared\n");
    return adx::supported();
  }();
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
#ifdef __x86_64__
  if (!runs_here()) return 0;
  Choices choices({data, size});
  const Modulus<16>& m = choices.below(2) == 0 ? ParameterSet1::p : ParameterSet1::q;
  Limbs<16> a = choices.residue(m), b = choices.residue(m);
  for (int i = 0; i < 8; ++i) {  // results are operands again
    Limbs<16> expected{}, got{};
    montgomery_product_by_columns(expected, a, b, m.m, m.minus_inverse);
    adx::regroup_adx_product16(got.data(), a.data(), b.data(), m.m.data(), m.minus_inverse);
    FUZZ_EXPECT(got == expected);
    adx::regroup_adx_sum16(got.data(), a.data(), b.data(), m.m.data());
    FUZZ_EXPECT(got == add_mod(a, b, m.m));
    adx::regroup_adx_difference16(got.data(), a.data(), b.data(), m.m.data());
    FUZZ_EXPECT(got == subtract_mod(a, b, m.m));
    a = choices.below(2) == 0 ? expected : b;
    b = got;
  }
  // One operand of a product may fill all its limbs.
  const Limbs<16> any = limbs_from_octets<16>(choices.octets<128>());
  Limbs<16> expected{}, got{};
  montgomery_product_by_columns(expected, any, a, m.m, m.minus_inverse);
  adx::regroup_adx_product16(got.data(), any.data(), a.data(), m.m.data(), m.minus_inverse);
  FUZZ_EXPECT(got == expected);
#endif
  return 0;
}
