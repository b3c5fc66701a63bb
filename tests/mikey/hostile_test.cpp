// SPDX-License-Identifier: Apache-2.0
// Whole messages cut, extended, flipped and spliced: parse() refuses or reads, never crashes, and what it
// reads is written and read again without change. Explaining and parsing agree on every one of them.
#include <gtest/gtest.h>

#include "mikey/explain.hpp"
#include "mikey/messages.hpp"

namespace regroup::mikey {
namespace {

void expect_stable(const Octets& octets, const std::string& what) {
  const auto message = parse(octets);
  const Explanation explanation = explain(octets);
  if (!message) {
    EXPECT_FALSE(explanation.complete() && octets.size() >= kSmallestMessage) << what;
    EXPECT_FALSE(message.error().detail.empty());
    EXPECT_LE(error_code(message.error()), 12);
    return;
  }
  EXPECT_EQ(message->raw, octets) << what;
  const Octets written = write(*message);
  const auto again = parse(written);
  ASSERT_TRUE(again.ok()) << what << ": " << again.error().text();
  EXPECT_EQ(write(*again), written) << what;
  EXPECT_EQ(again->sign, message->sign) << what;
}

TEST(HostileMessage, CutAtEveryOctetIsRefused) {
  for (const auto& [name, octets] : test::good_messages())
    for (std::size_t size = 0; size < octets.size(); ++size) {
      const auto cut = parse(OctetsView(octets).first(size));
      ASSERT_FALSE(cut.ok()) << name << " cut at " << size;
      EXPECT_EQ(cut.error().code, Errc::malformed) << name << " cut at " << size;
    }
}

TEST(HostileMessage, ExtendedByJunkIsRefused) {
  test::SeededRandom random(1);
  for (const auto& [name, octets] : test::good_messages())
    for (std::size_t extra = 1; extra <= 64; ++extra) {
      Octets longer = octets;
      longer.resize(octets.size() + extra);
      random.fill(std::span(longer).last(extra));
      EXPECT_FALSE(parse(longer).ok()) << name << " with " << extra << " more";
    }
}

// Every bit of the worked example, one bit of every octet of the others.
TEST(HostileMessage, WithABitFlippedIsRefusedOrStable) {
  for (const auto& [name, octets] : test::good_messages()) {
    const std::size_t step = name == "explicit_cs_and_sp" ? 1 : 9;
    for (std::size_t bit = 0; bit < octets.size() * 8; bit += step) {
      Octets flipped = octets;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1 << bit % 8));
      expect_stable(flipped, name + " bit " + std::to_string(bit));
    }
  }
}

TEST(HostileMessage, OfRandomEditsIsRefusedOrStable) {
  constexpr std::uint64_t kSeed = 20261124;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  test::SeededRandom random(kSeed);
  const auto messages = test::good_messages();
  const auto below = [&random](std::size_t bound) {
    Fixed<4> octets{};
    random.fill(octets);
    return load_be32(octets) % bound;
  };
  for (int round = 0; round < 2000; ++round) {
    auto message = messages.begin();
    std::advance(message, below(messages.size()));
    Octets octets = message->second;
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const auto at = octets.begin() + static_cast<std::ptrdiff_t>(below(octets.size()));
      const auto count = static_cast<std::ptrdiff_t>(below(8));
      switch (below(3)) {
        case 0:
          *at = static_cast<std::uint8_t>(below(256));
          break;
        case 1:
          octets.erase(at, at + std::min(count, octets.end() - at - 1));
          break;
        default:
          octets.insert(at, static_cast<std::size_t>(count), static_cast<std::uint8_t>(below(256)));
      }
    }
    expect_stable(octets, "round " + std::to_string(round));
  }
}

// The longest inputs: thousands of the smallest payloads. Bounded work, no quadratic blow-up.
TEST(HostileMessage, OfThousandsOfTinyPayloadsIsReadInBoundedTime) {
  const Octets octets = test::worked();
  for (const std::string tiny :
       {"07000000", "15c80000", "0e0401000161"}) {  // CERT, extension 200, IDR role 4
    Octets one = test::unhex(tiny);
    const std::uint8_t type = tiny[0] == '0' && tiny[1] == '7' ? 7 : tiny[0] == '1' ? 21 : 14;
    one[0] = type;
    Octets many(octets.begin(), octets.begin() + 25);
    many[2] = type;
    while (many.size() + 2 * one.size() + octets.size() - 25 <= kLargestMessage) append(many, one);
    Octets last = one;
    last[0] = 5;
    append(many, last);
    many.insert(many.end(), octets.begin() + 25, octets.end());
    const auto message = parse(many);
    EXPECT_TRUE(message.ok()) << message.error().text();
    EXPECT_TRUE(explain(many).complete());
  }
}

}  // namespace
}  // namespace regroup::mikey
