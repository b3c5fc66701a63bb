// SPDX-License-Identifier: Apache-2.0
// Whole I_MESSAGEs: what is read keeps the received octets, is written, and reads the same again.
#include "expect.hpp"
#include "mikey/message.hpp"

using namespace regroup;
using namespace regroup::mikey;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input(data, size);
  const auto message = parse(input);
  if (!message) {
    FUZZ_EXPECT(!message.error().detail.empty() && !message.error().clause.empty());
    FUZZ_EXPECT(error_code(message.error()) <= 12);
    return 0;
  }
  FUZZ_EXPECT(message->raw == to_octets(input));
  FUZZ_EXPECT(message->signed_octets().size() + kSignature == size);
  const Octets written = write(*message);
  const auto again = parse(written);
  FUZZ_EXPECT(again.ok());
  FUZZ_EXPECT(write(*again) == written);
  FUZZ_EXPECT(write_to_sign(*again) == to_octets(again->signed_octets()));
  FUZZ_EXPECT(again->sakke.encapsulated() == message->sakke.encapsulated() && again->sign == message->sign);
  for (const GeneralExt& extension : message->extensions) {
    (void)parse_as<ProtectedPayload>(extension.data);
    (void)parse_as<Sakke>(extension.data);
    (void)parse_legacy_key_parameters(extension.data);
  }
  return 0;
}
