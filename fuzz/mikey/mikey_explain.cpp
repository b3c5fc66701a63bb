// SPDX-License-Identifier: Apache-2.0
// Explanations: bounded, in the order of the octets, whole for what is whole, and no control character for a
// terminal.
#include "expect.hpp"
#include "mikey/explain.hpp"
#include "mikey/message.hpp"

using namespace regroup;
using namespace regroup::mikey;

namespace {

bool printable_only(const std::string& text) {
  for (const char c : text)
    if (c < ' ' || c > '~') return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input(data, size);
  const Explanation explanation = explain(input);
  FUZZ_EXPECT(explanation.lines.size() <= 2 * kLargestMessage);
  FUZZ_EXPECT(explanation.breaks_at <= size);
  std::size_t at = 0;
  for (const Line& line : explanation.lines) {
    FUZZ_EXPECT(line.offset == at || line.offset + line.octets.size() == at);
    at = line.offset + line.octets.size();
    FUZZ_EXPECT(at <= size && to_octets(input.subspan(line.offset, line.octets.size())) == line.octets);
    FUZZ_EXPECT(printable_only(line.field) && printable_only(line.value) && printable_only(line.meaning));
  }
  if (explanation.complete()) FUZZ_EXPECT(at == size);
  // An explanation may break inside an extension that parse() leaves to the opener, never the other way
  // round.
  const bool i_message = size > 1 && data[1] == kDataTypeSakke;
  if (explanation.complete() && i_message && size >= kSmallestMessage) FUZZ_EXPECT(parse(input).ok());
  return 0;
}
