// SPDX-License-Identifier: Apache-2.0
// Any input is told apart into octets or refused with a reason; the text forms of octets give these octets
// back.
#include "app/cli/message_input.hpp"

#include "base/text.hpp"
#include "expect.hpp"

using namespace regroup;
using namespace regroup::app::cli;

namespace {

void expect_octets(const std::string& text, InputForm form, OctetsView octets) {
  const auto read = detect_message(view(text));
  FUZZ_EXPECT(read.ok() && read->form == form && read->octets == to_octets(octets));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input(data, size);
  const auto read = detect_message(input);
  if (!read) {
    FUZZ_EXPECT(!read.error().detail.empty());
    return 0;
  }
  FUZZ_EXPECT(read->octets.size() <= size);
  if (read->octets.empty() || read->form != InputForm::binary) return 0;
  expect_octets(hex(read->octets), InputForm::hexadecimal, read->octets);
  expect_octets("a=key-mgmt:mikey " + base64(read->octets), InputForm::sdp, read->octets);
  expect_octets("sip:a@b 05553e9d mikey " + base64(read->octets), InputForm::seal_line, read->octets);
  return 0;
}
