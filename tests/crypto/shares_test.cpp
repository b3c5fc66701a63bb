// SPDX-License-Identifier: Apache-2.0
#include "crypto/shares.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <numeric>
#include <random>
#include <set>

#include "crypto/hash/sha256.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

using Which = std::vector<std::size_t>;

constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr std::string_view kTogether = "these shares do not belong together or one is damaged";

// Another seed for each run; a failure prints it.
struct Seeded {
  std::uint64_t seed = std::random_device{}();
  testing::ScopedTrace trace{__FILE__, __LINE__, "seed " + std::to_string(seed)};
  test::SeededRandom random{seed};

  std::vector<Share> split(unsigned shares, unsigned threshold, std::string_view secret = kPassphrase) {
    return split_secret(view(secret), shares, threshold, random).value();
  }
};

std::vector<Share> some(const std::vector<Share>& all, const Which& which) {
  std::vector<Share> out;
  for (const std::size_t one : which) out.push_back(all[one].duplicate());
  return out;
}

// A refusal has a reason, its clause and a cure, and says nothing of a value.
void expect_refused(std::span<const Share> shares, Errc code, std::string_view detail) {
  const auto secret = combine_shares(shares);
  ASSERT_FALSE(secret.ok()) << detail;
  const Error& error = secret.error();
  EXPECT_EQ(error.code, code) << error.text();
  EXPECT_THAT(error.detail, HasSubstr(std::string(detail)));
  EXPECT_EQ(error.clause, "docs/formats.md, shares");
  EXPECT_FALSE(error.cure.empty());
  for (const Share& one : shares) {
    const OctetsView value = one.value.expose();
    if (value.size() >= 4) {
      EXPECT_THAT(error.text(), Not(HasSubstr(hex(value.first(4)))));
    }
  }
}

// By a script of its own (Python: schoolbook product of polynomials, remainder by 0x11b, power sums,
// hashlib): secret "regroup", set 0102030405060708, 3 of 3, coefficients 7i+3 and 11i+200 (mod 256) of octet
// i.
constexpr std::string_view kLines[] = {
    "regroup-share-1-3-1-0102030405060708-b9bca88384ac5794d9424d7ef78bfd-3e2d60f0",
    "regroup-share-1-3-2-0102030405060708-791010cbace80289340378d06979a3-8035ebce",
    "regroup-share-1-3-3-0102030405060708-b2c9df3a473125a82f6a07c17270a4-8d71dc7a"};

TEST(Shares, OfAnotherProgramGiveTheSecretBack) {
  std::vector<Share> shares;
  for (const std::string_view line : kLines) shares.push_back(parse_share(view(line)).value());
  const auto secret = combine_shares(shares);
  ASSERT_TRUE(secret.ok()) << secret.error().text();
  EXPECT_EQ(text_of(secret->expose()), "regroup");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(text_of(write_share(shares[i]).expose()), kLines[i]);
}

TEST(Shares, AreThoseThatAnotherProgramMakesOfTheSameRandomness) {
  // By the same script: secret 00 01 .. ff, 20 of 32, so that each octet meets each number; set and
  // coefficients (those of x first) are SHA-256 of the 4-octet numbers 0, 1, ... one after the other; the
  // digest is SHA-256 over the 32 lines, each with a line feed.
  constexpr unsigned kThreshold = 20;
  Octets secret(256), stream;
  std::iota(secret.begin(), secret.end(), std::uint8_t{0});
  const std::size_t needed = 8 + (kThreshold - 1) * (secret.size() + 8);
  for (std::uint32_t i = 0; stream.size() < needed; ++i) append(stream, sha256(be32(i)));
  stream.resize(needed);
  test::QueuedRandom random(stream);
  const auto shares = split_secret(secret, 32, kThreshold, random).value();
  Sha256 hash;
  for (const Share& one : shares) hash.update(write_share(one).expose()).update(view("\n"));
  Fixed<32> digest;
  hash.finish(digest);
  EXPECT_EQ(hex(digest), "b608dbe178469a280cd2870e6e1e4fb32b4b6ca001129c91155c177a55008bec");
}

TEST(Shares, AnyEnoughOfThemGiveTheSecretBackAndFewerAreRefused) {
  Seeded seeded;
  const auto all = seeded.split(5, 3);
  ASSERT_EQ(all.size(), 5U);
  for (unsigned mask = 0; mask < 32; ++mask) {
    Which which;
    for (std::size_t i = 5; i-- > 0;)  // the last one first: their order does not matter
      if (mask >> i & 1U) which.push_back(i);
    const auto given = some(all, which);
    if (which.size() < 3) {
      expect_refused(
          given, Errc::usage,
          which.empty() ? "no share was given" : std::to_string(which.size()) + " of the 3 different shares");
      continue;
    }
    const auto secret = combine_shares(given);
    ASSERT_TRUE(secret.ok()) << mask << secret.error().text();
    EXPECT_EQ(text_of(secret->expose()), kPassphrase);
  }
}

TEST(Shares, WorkForEverySizeAndThreshold) {
  Seeded seeded;
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{44}, kMostShared})
    for (const auto& [shares, threshold] : {std::pair{2U, 2U}, {3U, 2U}, {7U, 7U}, {32U, 32U}, {32U, 2U}}) {
      Octets secret(size);
      seeded.random.fill(secret);
      const auto all = split_secret(secret, shares, threshold, seeded.random).value();
      ASSERT_EQ(all.size(), shares);
      for (unsigned i = 0; i < shares; ++i) {
        EXPECT_EQ(all[i].number, i + 1);
        EXPECT_EQ(all[i].threshold, threshold);
        EXPECT_EQ(all[i].value.size(), size + 8);
      }
      const std::span<const Share> last = std::span(all).last(threshold);
      for (const std::span<const Share> given : {std::span<const Share>(all), last}) {
        const auto back = combine_shares(given);
        ASSERT_TRUE(back.ok()) << size << " " << shares << " " << threshold << back.error().text();
        EXPECT_EQ(to_octets(back->expose()), secret);
      }
    }
}

TEST(Shares, OneFewerThanNeededSayNothing) {
  // Over all coefficients each share takes each value once, whatever the secret is.
  for (const std::uint8_t secret : Fixed<3>{0, 1, 255}) {
    std::vector<std::set<std::uint8_t>> values(3);
    for (unsigned coefficient = 0; coefficient < 256; ++coefficient) {
      Octets drawn(8 + 9, static_cast<std::uint8_t>(coefficient));
      test::QueuedRandom random(drawn);
      const auto all = split_secret(Fixed<1>{secret}, 3, 2, random).value();
      for (std::size_t i = 0; i < 3; ++i) values[i].insert(all[i].value.expose()[0]);
    }
    for (const auto& of_one : values) EXPECT_EQ(of_one.size(), 256U);
  }
}

TEST(Shares, ADamagedOneIsFoundOutWhicheverItIs) {
  Seeded seeded;
  const auto all = seeded.split(4, 3, "a passphrase");
  for (std::size_t which = 0; which < 4; ++which)
    for (std::size_t bit = 0; bit < 8 * all[0].value.size(); ++bit) {
      auto given = some(all, {0, 1, 2, 3});
      given[which].value.expose_mutable()[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      expect_refused(given, Errc::bad_signature, "share 4 does not fit the 3 that were given first");
      if (which < 3) expect_refused(std::span(given).first(3), Errc::bad_signature, kTogether);
      given.erase(given.begin() + static_cast<std::ptrdiff_t>(which));
      ASSERT_TRUE(combine_shares(given).ok()) << "and the others still do";
    }
}

TEST(Shares, BeyondTheThresholdAreNamedWhenTheyDoNotFit) {
  Seeded seeded;
  const auto all = seeded.split(6, 2);
  for (std::size_t which = 2; which < 6; ++which) {
    auto given = some(all, {0, 1, 2, 3, 4, 5});
    given[which].value.expose_mutable()[which] ^= 1;
    expect_refused(given, Errc::bad_signature,
                   "share " + std::to_string(which + 1) + " does not fit the 2 that were given first");
  }
}

TEST(Shares, WithAnotherNumberThanTheirOwnAreFoundOut) {
  Seeded seeded;
  const auto all = seeded.split(3, 2);
  auto given = some(all, {0, 1});
  for (const std::uint8_t number : Fixed<3>{3, 4, 32}) {
    given[1].number = number;
    expect_refused(given, Errc::bad_signature, kTogether);
  }
}

TEST(Shares, OfOneSetCannotPassForAnother) {
  // The set is part of what the shared hash is taken of.
  Seeded seeded;
  auto given = some(seeded.split(3, 2), {0, 1});
  for (Share& one : given) one.set[7] ^= 1;
  expect_refused(given, Errc::bad_signature, kTogether);
}

TEST(Shares, WithALowerThresholdGiveNothing) {
  Seeded seeded;
  auto given = some(seeded.split(3, 3), {0, 1});
  for (Share& one : given) one.threshold = 2;
  expect_refused(given, Errc::bad_signature, kTogether);
}

TEST(Shares, TheSameTwiceCountsOnce) {
  Seeded seeded;
  const auto all = seeded.split(3, 2);
  EXPECT_EQ(text_of(combine_shares(some(all, {0, 0, 1, 1})).value().expose()), kPassphrase);
  expect_refused(some(all, {0, 0}), Errc::usage, "1 of the 2 different shares");
  auto given = some(all, {0, 1, 0});
  given[2].value.expose_mutable()[35] ^= 0x80;
  expect_refused(given, Errc::conflict, "share 1 was given twice, with different values");
}

TEST(Shares, OfDifferentSplitsAreRefused) {
  Seeded seeded;
  const auto all = seeded.split(3, 2);
  const auto with = [&](auto change) {
    auto given = some(all, {0, 1, 2});
    change(given[2]);
    return given;
  };
  auto mixed = some(all, {0});
  mixed.push_back(seeded.split(3, 2)[1].duplicate());
  expect_refused(mixed, Errc::conflict, "share 2 and share 1 are of different sets");
  expect_refused(with([](Share& one) { one.threshold = 3; }), Errc::conflict,
                 "share 3 and share 1 say that different numbers of shares are needed, 3 and 2");
  expect_refused(with([](Share& one) { one.value.append(Fixed<1>{0}); }), Errc::conflict,
                 "share 3 and share 1 have values of different sizes, 37 and 36 octets");
}

TEST(Shares, ThatCannotBeAreRefused) {
  Seeded seeded;
  const auto all = seeded.split(3, 2);
  const auto refused = [&](auto change, std::string_view detail) {
    auto given = some(all, {0, 1});
    for (Share& one : given) change(one);
    expect_refused(given, Errc::malformed, detail);
  };
  refused([](Share& one) { one.number = 0; }, "the number 0, not 1 to 32");
  refused([](Share& one) { one.number = 33; }, "the number 33, not 1 to 32");
  for (const std::uint8_t threshold : Fixed<3>{0, 1, 33})
    refused([&](Share& one) { one.threshold = threshold; }, "are needed, not 2 to 32");
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, kMostShared + 9})
    refused([&](Share& one) { one.value = SecretOctets(size); }, "octets, not 9 to 4104");
}

TEST(Shares, OfWhatCannotBeSplitAreRefused) {
  Seeded seeded;
  const auto refused = [&](OctetsView secret, unsigned shares, unsigned threshold) {
    const auto made = split_secret(secret, shares, threshold, seeded.random);
    ASSERT_FALSE(made.ok()) << secret.size() << " " << shares << " " << threshold;
    EXPECT_EQ(made.error().code, Errc::usage);
    EXPECT_EQ(made.error().clause, "docs/formats.md, shares");
    EXPECT_FALSE(made.error().cure.empty());
  };
  for (const auto& [shares, threshold] :
       {std::pair{1U, 1U}, {3U, 1U}, {3U, 0U}, {3U, 4U}, {33U, 2U}, {0U, 0U}, {258U, 2U}, {5U, 259U}})
    refused(view("x"), shares, threshold);
  refused({}, 3, 2);
  refused(Octets(kMostShared + 1), 3, 2);
}

// Of a line that stands beside share 1 of kLines.
void expect_unreadable(const std::string& line) {
  const auto parsed = parse_share(view(line));
  ASSERT_FALSE(parsed.ok()) << line;
  EXPECT_EQ(parsed.error().code, Errc::malformed);
  EXPECT_FALSE(parsed.error().cure.empty());
  for (const char* part : {"b9bca8", "8384ac", "5794", "78bfd", "3e2d"})
    EXPECT_THAT(parsed.error().text(), Not(HasSubstr(part))) << "and not said aloud";
}

bool only_case_differs(char a, char b) {
  return std::isxdigit(static_cast<unsigned char>(a)) && (a ^ b) == 0x20 && std::isalpha(a);
}

TEST(Shares, ComeBackFromPaper) {
  Seeded seeded;
  for (const std::size_t size : {std::size_t{1}, std::size_t{44}, kMostShared})
    for (const Share& one : seeded.split(32, 17, std::string(size, '\x5a'))) {
      const SecretOctets line = write_share(one);
      const auto parsed = parse_share(line.expose());
      ASSERT_TRUE(parsed.ok()) << parsed.error().text();
      EXPECT_EQ(parsed->threshold, 17);
      EXPECT_EQ(parsed->number, one.number);
      EXPECT_EQ(parsed->set, one.set);
      EXPECT_TRUE(ct_equal(parsed->value.expose(), one.value.expose()));
    }
}

TEST(Shares, TakeWhiteSpaceAroundThemAndCapitalDigits) {
  std::string line(kLines[0]);
  for (std::size_t i = 20; i < line.size(); ++i)
    line[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(line[i])));
  for (const std::string& text : {line, "  \t" + line, line + "\r\n", "\n" + line + " \n"}) {
    const auto parsed = parse_share(view(text));
    ASSERT_TRUE(parsed.ok()) << text << parsed.error().text();
    EXPECT_EQ(text_of(write_share(*parsed).expose()), kLines[0]);
  }
  line.insert(40, " ");
  expect_unreadable(line);
}

TEST(Shares, ASlipOfThePenIsFoundAtEveryPlace) {
  const std::string line(kLines[0]);
  for (std::size_t at = 0; at < line.size(); ++at) {
    for (char slip = ' '; slip <= '~'; ++slip) {
      std::string changed = line;
      changed[at] = slip;
      // At an end white space falls away, and the line is one digit short.
      if (slip != line[at] && (at < 20 || !only_case_differs(line[at], slip))) expect_unreadable(changed);
      const bool outside = slip == ' ' && at == 0;
      if (!outside) expect_unreadable(std::string(line).insert(at, 1, slip));
    }
    expect_unreadable(std::string(line).erase(at, 1));
    std::string exchanged = line;
    if (at + 1 < line.size()) std::swap(exchanged[at], exchanged[at + 1]);
    if (exchanged != line) expect_unreadable(exchanged);
  }
}

TEST(Shares, ALineThatIsCutOrGoesOnIsNone) {
  const std::string line(kLines[0]);
  for (std::size_t size = 0; size < line.size(); ++size) expect_unreadable(line.substr(0, size));
  for (const char* more : {"0", "00", "-", "-00000000", " x"}) expect_unreadable(line + more);
  expect_unreadable(line + line);
  expect_unreadable(line + "\n" + line);
  expect_unreadable(line + std::string(1, '\0'));
}

// `body` with the check that belongs to it: what is refused here is refused for itself.
Result<Share> parse_checked(const std::string& body) {
  return parse_share(view(body + "-" + hex(OctetsView(sha256(view(body))).first(4))));
}

TEST(Shares, PartsOutOfTheirRangeAreNamed) {
  const std::string set = "-0102030405060708", value = "-b9bca88384ac5794d9424d7ef78bfd";
  const auto refused = [&](const std::string& body, std::string_view part) {
    const auto parsed = parse_checked("regroup-share-1" + body);
    ASSERT_FALSE(parsed.ok()) << body;
    EXPECT_EQ(parsed.error().code, Errc::malformed);
    EXPECT_EQ(parsed.error().detail, std::string(part) + " of the share cannot be read");
  };
  ASSERT_TRUE(parse_checked("regroup-share-1-3-1" + set + value).ok());
  ASSERT_TRUE(parse_checked("regroup-share-1-32-32" + set + value).ok());
  for (const char* threshold : {"0", "1", "33", "03", "+3", " 3", "", "4294967299"})
    refused(std::string("-") + threshold + "-1" + set + value, "the number of shares needed");
  for (const char* number : {"0", "33", "01", "+1", "", "257"})
    refused(std::string("-3-") + number + set + value, "the number");
  for (const char* other : {"-", "-01020304050607", "-010203040506070809", "-010203040506070g"})
    refused("-3-1" + std::string(other) + value, "the set");
  refused("-3-1" + set + "-0011223344556677", "the value");  // no more than the hash
  refused("-3-1" + set + "-" + std::string(2 * (kMostShared + 9), '0'), "the value");
  ASSERT_TRUE(
      parse_checked("regroup-share-1-3-1" + set + "-" + std::string(2 * (kMostShared + 8), '0')).ok());
}

TEST(Shares, ALongLineIsRefusedUnread) {
  const std::string line(kLines[0]);
  const std::string longest = line + std::string(kMostShareLine - line.size(), ' ');
  EXPECT_TRUE(parse_share(view(longest)).ok());
  const auto parsed = parse_share(view(longest + " "));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, Errc::limit);
  EXPECT_FALSE(parsed.error().cure.empty());
}

}  // namespace
}  // namespace regroup::crypto
