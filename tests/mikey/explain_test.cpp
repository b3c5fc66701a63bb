// SPDX-License-Identifier: Apache-2.0
#include "mikey/explain.hpp"

#include <gtest/gtest.h>

#include "mikey/messages.hpp"

namespace regroup::mikey {
namespace {

using test::unhex;
using test::worked;

std::string told(const Line& line) {
  std::string out = std::to_string(line.offset) + " " + std::to_string(line.octets.size()) + " " +
                    line.payload + " " + line.field + " = " + line.value;
  if (!line.meaning.empty()) out += " (" + line.meaning + ")";
  return out;
}

std::vector<std::string> told(const Octets& octets) {
  std::vector<std::string> out;
  for (const Line& line : explain(octets).lines) out.push_back(told(line));
  return out;
}

TEST(Explain, TellsTheWorkedExampleAsItIsAnnotated) {
  const auto lines = told(worked());
  for (const char* line : {
           "0 1 HDR version = 1 (MIKEY version 1)",
           "1 1 HDR data type = 26 (SAKKE message)",
           "2 1 HDR next payload = 5 (T)",
           "3 1 HDR V = 0 (no response expected)",
           "3 1 HDR PRF func = 1 (PRF-HMAC-SHA-256)",
           "4 4 HDR CSB ID = 05553e9d (purpose tag 0: GUK-ID)",
           "8 1 HDR #CS = 1",
           "9 1 HDR CS ID map type = 2 (GENERIC-ID)",
           "10 1 HDR CS ID = 4 (MCPTT group call)",
           "11 1 HDR Prot type = 0 (SRTP)",
           "12 1 HDR S = 0",
           "12 1 HDR #P = 1",
           "13 1 HDR policy numbers = 00",
           "14 2 HDR session data length = 0",
           "16 1 HDR SPI length = 8",
           "17 8 HDR SPI = 0abcdef105553e9d",
           "25 1 T next payload = 11 (RAND)",
           "26 1 T TS type = 0 (NTP-UTC)",
           "27 8 T TS value = seconds 3973622400, fraction 0: 2025-12-02T00:00:00Z",
           "36 1 RAND RAND length = 16",
           "37 16 RAND RAND = a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
           "54 1 IDR role = 1 (initiator)",
           "58 26 IDR ID data = 'sip:gms1@mcptt.example.org'",
           "140 1 IDR role = 7 (responder's KMS)",
           "162 2 SP parameter octets = 30",
           "164 3 SP encryption algorithm = 6 (AES-GCM)",
           "182 3 SP ROC transmission rate = 1 (every packet)",
           "191 3 SP AEAD authentication tag length = 16 (octets)",
           "195 1 SAKKE SAKKE params = 1 (parameter set 1)",
           "196 1 SAKKE ID scheme = 2 (3GPP MCX hashed UID)",
           "199 257 SAKKE R = 257 octets",
           "456 16 SAKKE H = f2f15a840181996248550702bce51dfb",
           "473 1 General extension type = 7 (3GPP key parameters)",
           "476 1 protected payload message type = 67 (protected, DATA PAYLOAD)",
           "477 5 protected payload date and time = 1764633600 (2025-12-02T00:00:00Z)",
           "487 1 protected payload payload algorithm = 1 (AEAD_AES_128_GCM)",
           "504 4 protected payload DPPK-ID = 05553e9d (purpose tag 0: GUK-ID)",
           "508 1 protected payload Payload IEI = 78",
           "511 57 protected payload ciphertext = 57 octets",
           "568 16 protected payload GCM tag = be5d581ed2c3879195b125a1eb7f55ac",
           "584 2 SIGN S type = 2 (ECCSI)",
           "584 2 SIGN signature length = 129",
           "650 65 SIGN PVT = 65 octets",
       })
    EXPECT_NE(std::find(lines.begin(), lines.end(), line), lines.end()) << line;
}

TEST(Explain, CoversEachOctetOfEachMessageOnceAndInOrder) {
  for (const auto& [name, octets] : test::good_messages()) {
    const Explanation explanation = explain(octets);
    EXPECT_TRUE(explanation.complete()) << name << ": " << explanation.error->text();
    std::size_t at = 0;
    for (const Line& line : explanation.lines) {
      if (line.offset + line.octets.size() == at) continue;  // a second value in the same octets
      ASSERT_EQ(line.offset, at) << name << " " << told(line);
      EXPECT_EQ(line.octets, Octets(octets.begin() + static_cast<std::ptrdiff_t>(at),
                                    octets.begin() + static_cast<std::ptrdiff_t>(at + line.octets.size())));
      EXPECT_FALSE(line.clause.empty()) << told(line);
      EXPECT_FALSE(line.value.empty()) << told(line);
      at += line.octets.size();
    }
    EXPECT_EQ(at, octets.size()) << name;
  }
}

TEST(Explain, ATruncatedMessageIsToldUpToWhereItBreaks) {
  const Octets octets = worked();
  for (std::size_t size = 0; size < octets.size(); ++size) {
    const Explanation explanation =
        explain(Octets(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(explanation.complete()) << size;
    EXPECT_LE(explanation.breaks_at, size);
    std::size_t at = 0;
    for (const Line& line : explanation.lines) at = line.offset + line.octets.size();
    EXPECT_EQ(at, explanation.breaks_at) << size << ": " << explanation.error->text();
    EXPECT_NE(explanation.error->detail.find("at offset"), std::string::npos);
  }
}

TEST(Explain, SaysWhichRuleAHostileFieldBreaks) {
  Octets octets = worked();
  octets[198] = 0;  // SAKKE data length
  const Explanation explanation = explain(octets);
  ASSERT_FALSE(explanation.complete());
  EXPECT_EQ(explanation.breaks_at, 197U);
  EXPECT_EQ(told(explanation.lines.back()), "197 2 SAKKE SAKKE data length = 256");
  EXPECT_NE(explanation.error->text().find("RFC 6509 4.2"), std::string::npos);
}

TEST(Explain, AMissingPayloadIsMissedAtTheEnd) {
  Octets octets = worked();
  octets.erase(octets.begin() + 84, octets.begin() + 119);
  const Explanation explanation = explain(octets);
  EXPECT_EQ(explanation.breaks_at, octets.size());
  EXPECT_NE(explanation.error->detail.find("lacks IDRr"), std::string::npos);
}

TEST(Explain, AnExtensionThatBreaksEndsTheExplanationThere) {
  Octets octets = worked();
  octets[487] = 2;  // AES-256 for a 16-octet key
  ASSERT_TRUE(parse(octets).ok());
  const Explanation explanation = explain(octets);
  ASSERT_FALSE(explanation.complete());
  EXPECT_EQ(explanation.breaks_at, 487U);
  EXPECT_EQ(explanation.lines.back().offset, 487U);
}

TEST(Explain, TheLegacyClearFormIsTold) {
  const auto lines =
      told(test::vendor_messages().at("vendor A reference set v5/3/GMK (legacy format for IWF)"));
  const auto type = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("key parameters in clear Key Type = 1 (GMK, 1-based legacy form)") != std::string::npos;
  });
  EXPECT_NE(type, lines.end());
}

TEST(Explain, ForeignTextIsShownWithoutControlCharacters) {
  Octets octets = worked();
  octets[60] = 0x1b;
  for (const std::string& line : told(octets)) EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(Explain, AnErrorMessageIsTold) {
  const Octets octets = unhex("01060c0105553e9d000100090000");
  EXPECT_TRUE(explain(octets).complete());
  const auto lines = told(octets);
  EXPECT_NE(std::find(lines.begin(), lines.end(), "11 1 ERR error = 9 (invalid security policy)"),
            lines.end());
}

TEST(Explain, MoreOctetsThanAMessageMayHaveAreRefused) {
  Octets octets = worked();
  octets.resize(100'000);
  const Explanation explanation = explain(octets);
  ASSERT_FALSE(explanation.complete());
  EXPECT_EQ(explanation.error->code, Errc::limit);
  EXPECT_LE(explanation.lines.size(), 16384U);
}

}  // namespace
}  // namespace regroup::mikey
