// SPDX-License-Identifier: Apache-2.0
// Leaks on purpose, each through the product's own types: proof that the check bites. `none` does the same
// work in constant time and must pass.
#include <cstring>

#include "crypto/curve/fixed_base.hpp"
#include "ct/secret.hpp"

namespace {

using namespace regroup;
using namespace regroup::crypto;
using Set = ParameterSet1;

volatile Limb sink;

void run(std::string_view kind) {
  Secret<32> secret;
  secret.expose_mutable()[31] = 5;
  ct::poison(secret.expose());
  const Digits<Set> digits(ScalarOf<Set>::of_octets(secret.expose()));
  struct Entry {
    FieldOf<Set> value;
  };
  std::array<Entry, Digits<Set>::kEntries> table{};
  if (kind == "branch") {  // square and multiply, the multiplication only for a set bit
    auto power = FieldOf<Set>::one();
    const auto exponent = ScalarOf<Set>::of_octets(secret.expose()).plain();
    for (std::size_t at = 8; at-- > 0;) {
      power = power.square();
      if (bit(exponent, at)) power = power * FieldOf<Set>::of(3);
    }
    sink = power.plain()[0];
  }
  if (kind == "index") sink = table[digits.index(0)].value.plain()[0];  // a look-up without the scan
  if (kind == "comparison") {
    const Fixed<32> guess{};
    sink = static_cast<Limb>(std::memcmp(secret.expose().data(), guess.data(), 32) == 0);
  }
  if (kind == "none") {
    const auto found = chosen<Entry, FieldOf<Set>>(table.data(), table.size(), digits.index(0));
    sink = ct::declassify(found.value.plain()[0]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  ct::require(argc == 2, "usage: ct_leak KIND");
  run(argv[1]);
  return 0;
}
