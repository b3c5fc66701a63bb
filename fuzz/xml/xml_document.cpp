// SPDX-License-Identifier: Apache-2.0
// The XML door: whatever is read can be written, read again and means the same; writing is stable.
#include "expect.hpp"
#include "xml/element.hpp"

using namespace regroup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto read = xml::parse(OctetsView(data, size));
  if (!read.ok()) {
    FUZZ_EXPECT(!read.error().detail.empty());
    return 0;
  }
  const std::string written = xml::write(*read);
  const auto again = xml::parse(written);
  FUZZ_EXPECT(again.ok());
  FUZZ_EXPECT(*again == *read);
  FUZZ_EXPECT(xml::write(*again) == written);
  const auto indented = xml::parse(xml::write(*read, {.declaration = false, .indent = true}));
  FUZZ_EXPECT(indented.ok() && xml::equivalent(*indented, *read));
  xml::wipe(*read);
  return 0;
}
