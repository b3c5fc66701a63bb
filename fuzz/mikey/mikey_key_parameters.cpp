// SPDX-License-Identifier: Apache-2.0
// Key parameters as they come out of a protected payload, and their legacy clear form.
#include "expect.hpp"
#include "mikey/payload/key_parameters.hpp"

using namespace regroup;
using namespace regroup::mikey;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input(data, size);
  if (const auto strict = parse_as<KeyParameters>(input)) FUZZ_EXPECT(write(*strict) == to_octets(input));
  if (const auto content = parse_key_parameters(input)) {
    const auto again = parse_key_parameters(write(*content));
    FUZZ_EXPECT(again.ok() && *again == *content);
  }
  if (const auto legacy = parse_legacy_key_parameters(input)) {
    FUZZ_EXPECT(starts_legacy_key_parameters(input));
    FUZZ_EXPECT(legacy->groups.empty() && legacy->key_type <= KeyType::csk);
  }
  return 0;
}
