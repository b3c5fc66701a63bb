// SPDX-License-Identifier: Apache-2.0
// Printed shares of a passphrase; the first octet picks:
//   l  a line as somebody typed it
//   b  a line without its check, which is added: so that a fuzzer comes past it
#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/shares.hpp"
#include "refusal.hpp"

using namespace regroup;
using namespace regroup::crypto;

namespace {

// What one share, under the numbers of as many as are needed, gives: whatever it is, it has the right size.
void check_combining(const Share& share) {
  std::vector<Share> all;
  for (std::uint8_t number = 1; number <= share.threshold; ++number) {
    all.push_back(share.duplicate());
    all.back().number = number;
  }
  const auto secret = combine_shares(all);
  if (!secret.ok()) return expect_refusal(secret.error());
  FUZZ_EXPECT(secret->size() + 8 == share.value.size());
}

void check_line(OctetsView line) {
  const auto share = parse_share(line);
  if (!share.ok()) return expect_refusal(share.error());
  FUZZ_EXPECT(share->threshold >= 2 && share->threshold <= kMostShares);
  FUZZ_EXPECT(share->number >= 1 && share->number <= kMostShares);
  FUZZ_EXPECT(share->value.size() > 8 && share->value.size() <= kMostShared + 8);
  SecretOctets written = write_share(*share);
  const auto again = parse_share(written.expose());
  FUZZ_EXPECT(again.ok() && again->number == share->number && again->set == share->set);
  FUZZ_EXPECT(text_of(write_share(*again).expose()) == text_of(written.expose()));
  const auto alone = combine_shares(std::span(&*share, 1));
  FUZZ_EXPECT(!alone.ok() && alone.error().code == Errc::usage);
  check_combining(*share);
  written.expose_mutable().back() ^= 1;
  FUZZ_EXPECT(!parse_share(written.expose()).ok());
}

void check_body(OctetsView body) {
  Octets line = to_octets(body);
  append(line, view("-" + hex(OctetsView(sha256(body)).first(4))));
  check_line(line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView input(data, size);
  if (input.empty()) return 0;
  if (input[0] == 'l') check_line(input.subspan(1));
  if (input[0] == 'b') check_body(input.subspan(1));
  return 0;
}
