// SPDX-License-Identifier: Apache-2.0
// The same lines to `regroup lab` and to wolfSSL's oracle: equal answers where the standard leaves no choice,
// and each side's random answers accepted by the other.
#include <gtest/gtest.h>

#include <iostream>

#include "app/cli/lab.hpp"
#include "oracle.hpp"
#include "vectors.hpp"

namespace regroup::app {
namespace {

using test::vectors;

class LabAgainstWolfssl : public testing::Test {
 protected:
  LabAgainstWolfssl() { std::cout << "seed " << seed_ << " (repeat with REGROUP_SEED=" << seed_ << ")\n"; }
  std::string ours(const std::string& line) { return answer_lab_line(line, random_); }
  std::string theirs(const std::string& line) { return oracle_.ask(line); }
  void expect_equal(const std::string& line) { EXPECT_EQ(ours(line), theirs(line)) << line; }
  std::string octets(std::size_t n) {
    Octets out(n);
    random_.fill(out);
    return hex(out);
  }
  static std::string value(const std::string& answer) {
    EXPECT_EQ(answer.rfind("OK ", 0), 0U) << answer;
    return answer.size() > 3 ? answer.substr(3) : answer;
  }

  std::uint64_t seed_ = test::chosen_seed();
  test::SeededRandom random_{seed_};
  test::Oracle oracle_{REGROUP_WOLFSSL};
};

TEST_F(LabAgainstWolfssl, AnswersTheRfcLinesAlike) {
  const auto s = vectors("rfc6508.json");
  const auto e = vectors("rfc6507.json");
  const auto f = [](const nlohmann::json& json, const char* name) {
    return " " + json.at(name).get<std::string>();
  };
  expect_equal("Z" + f(s, "z"));
  expect_equal("RSK" + f(s, "z") + f(s, "b"));
  expect_equal("RSKOK" + f(s, "Z") + f(s, "b") + f(s, "RSK"));
  expect_equal("ENC" + f(s, "Z") + f(s, "b") + f(s, "SSV"));
  expect_equal("DEC" + f(s, "Z") + f(s, "b") + f(s, "RSK") + f(s, "encapsulated_data"));
  expect_equal("KPAK" + f(e, "KSAK"));
  expect_equal("PAIROK" + f(e, "KPAK") + f(e, "ID") + f(e, "SSK") + f(e, "PVT"));
  expect_equal("VER" + f(e, "KPAK") + f(e, "ID") + f(e, "message") + f(e, "signature"));
}

TEST_F(LabAgainstWolfssl, AnswersRandomLinesAlikeAndAcceptsEachOthersSignatures) {
  const int rounds = std::getenv("REGROUP_LONG") ? 60 : 6;  // of 17 lines each
  for (int i = 0; i < rounds; ++i) {
    const std::string z = octets(127), ksak = "00" + octets(31), id = octets(32), ssv = octets(16),
                      message = octets(300);
    expect_equal("Z " + z);
    expect_equal("RSK " + z + " " + id);
    expect_equal("KPAK " + ksak);
    const std::string Z = value(ours("Z " + z)), rsk = value(theirs("RSK " + z + " " + id));
    const std::string kpak = value(ours("KPAK " + ksak));
    expect_equal("RSKOK " + Z + " " + id + " " + rsk);
    expect_equal("RSKOK " + Z.substr(2) + " " + octets(32) + " " + rsk.substr(2));
    expect_equal("ENC " + Z + " " + id + " " + ssv);
    expect_equal("DEC " + Z.substr(2) + " " + id + " " + rsk + " " +
                 value(ours("ENC " + Z + " " + id + " " + ssv)));
    for (const bool we_make : {false, true}) {
      const std::string pair =
          value(we_make ? ours("PAIR " + ksak + " " + id) : theirs("PAIR " + ksak + " " + id));
      expect_equal("PAIROK " + kpak + " " + id + " " + pair);
      expect_equal("PAIROK " + kpak + " " + octets(32) + " " + pair);
      const std::string sign = "SIGN " + kpak + " " + id + " " + pair + " " + message;
      const std::string verify = "VER " + kpak + " " + id + " " + message + " ";
      EXPECT_EQ(ours(verify + value(theirs(sign))), "OK 1");
      EXPECT_EQ(theirs(verify + value(ours(sign))), "OK 1");
    }
  }
}

}  // namespace
}  // namespace regroup::app
