// SPDX-License-Identifier: Apache-2.0
// One structure of the registry, REGROUP_STRUCTURE: refused with a reason, or written back octet by octet.
#include "expect.hpp"
#include "mikey/payload/all.hpp"

using namespace regroup;
using namespace regroup::mikey;

// A target for each structure; key parameters have one of their own.
static_assert(std::tuple_size_v<AllStructures> == 12 + 1,
              "add the new structure to fuzz/mikey/CMakeLists.txt");

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input(data, size);
  const auto value = parse_as<REGROUP_STRUCTURE>(input);
  if (!value) {
    FUZZ_EXPECT(!value.error().detail.empty() && !value.error().clause.empty());
    FUZZ_EXPECT(value.error().detail.find("offset") != std::string::npos);
    return 0;
  }
  FUZZ_EXPECT(write(*value) == to_octets(input));
  return 0;
}
