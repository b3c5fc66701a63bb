// SPDX-License-Identifier: Apache-2.0
// Header values and stored dialogs: any text is taken apart in bounded time; a dialog that reads is written
// back equal.
#include "expect.hpp"
#include "sip/subscription.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regroup;
  const std::string_view text = text_of(OctetsView(data, size));
  static_cast<void>(sip::split_parameters(text));
  static_cast<void>(sip::user_of(sip::uri_in(text)));
  static_cast<void>(sip::tag_in(text));
  sip::Request request;
  request.event = "xcap-diff";
  request.accept = std::string(text);
  static_cast<void>(sip::judge_subscribe(request, {}));
  if (const auto dialog = sip::parse_dialog(text); dialog) {
    const auto again = sip::parse_dialog(sip::write_dialog(*dialog));
    FUZZ_EXPECT(again.ok() && *again == *dialog);
  }
  return 0;
}
