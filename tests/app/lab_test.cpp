// SPDX-License-Identifier: Apache-2.0
#include "app/cli/lab.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "vectors.hpp"

namespace regroup::app {
namespace {

using test::SeededRandom;
using test::vectors;

class Lab : public testing::Test {
 protected:
  std::string ask(const std::string& line) { return answer_lab_line(line, random_); }
  std::string talk(const std::string& input) {
    std::istringstream in(input);
    std::ostringstream out;
    EXPECT_EQ(run_lab(in, out, random_), 0);
    return out.str();
  }
  void expect_error(const std::string& line, const std::string& reason) {
    const std::string answer = ask(line);
    EXPECT_EQ(answer.rfind("ERR ", 0), 0U) << line << " -> " << answer;
    EXPECT_NE(answer.find(reason), std::string::npos) << line << " -> " << answer;
    EXPECT_EQ(answer.find('\n'), std::string::npos);
  }
  static std::string s(const nlohmann::json& json, const char* name) {
    return json.at(name).get<std::string>();
  }
  static std::string hex_text(const std::string& text) { return hex(view(text)); }

  SeededRandom random_{3};
  nlohmann::json sakke_ = vectors("rfc6508.json");
  nlohmann::json eccsi_ = vectors("rfc6507.json");
  nlohmann::json mcx_ = vectors("3gpp-derivations.json");
};

TEST_F(Lab, EveryVerbIsExplainedInItsHelpAndInTheFormats) {
  std::ifstream file(std::string(REGROUP_TEST_DIR) + "/../docs/formats.md");
  const std::string formats{std::istreambuf_iterator<char>(file), {}};
  const std::string help = lab_help();
  std::istringstream lines(help);
  std::size_t verbs = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t gives = line.find("  ->  ");
    if (gives == std::string::npos) continue;
    ++verbs;
    const std::size_t name = line.find(' ', 2);
    const std::string verb = line.substr(2, name - 2), fields = line.substr(name + 1, gives - name - 1);
    std::string answer = ask(verb);
    EXPECT_NE(answer.find("takes " + std::to_string(1 + std::count(fields.begin(), fields.end(), ' '))),
              std::string::npos)
        << verb << " -> " << answer;
    const std::string row = "| `" + verb + "` | " + fields + " | " + line.substr(gives + 6) + " |";
    EXPECT_NE(formats.find(row), std::string::npos) << row;
  }
  EXPECT_EQ(verbs, 13u);
}

TEST_F(Lab, AnswersTheSakkeValuesOfRfc6508) {
  const auto& v = sakke_;
  EXPECT_EQ(ask("Z " + s(v, "z")), "OK " + s(v, "Z"));
  EXPECT_EQ(ask("RSK " + s(v, "z") + " " + s(v, "b")), "OK " + s(v, "RSK"));
  EXPECT_EQ(ask("RSKOK " + s(v, "Z") + " " + s(v, "b") + " " + s(v, "RSK")), "OK 1");
  EXPECT_EQ(ask("RSKOK " + s(v, "Z") + " 00 " + s(v, "RSK")), "OK 0");
  EXPECT_EQ(ask("ENC " + s(v, "Z") + " " + s(v, "b") + " " + s(v, "SSV")), "OK " + s(v, "encapsulated_data"));
  const std::string dec = "DEC " + s(v, "Z") + " " + s(v, "b") + " " + s(v, "RSK") + " ";
  EXPECT_EQ(ask(dec + s(v, "encapsulated_data")), "OK " + s(v, "SSV"));
  std::string altered = s(v, "encapsulated_data");
  altered.back() = altered.back() == '0' ? '1' : '0';
  expect_error(dec + altered, "undecryptable");
}

TEST_F(Lab, AnswersTheEccsiValuesOfRfc6507) {
  const auto& v = eccsi_;
  const std::string kpak = s(v, "KPAK"), id = s(v, "ID"), ssk = s(v, "SSK"), pvt = s(v, "PVT"),
                    m = s(v, "message");
  EXPECT_EQ(ask("KPAK " + s(v, "KSAK")), "OK " + kpak);
  EXPECT_EQ(ask("PAIROK " + kpak + " " + id + " " + ssk + " " + pvt), "OK 1");
  EXPECT_EQ(ask("PAIROK " + kpak + " 00 " + ssk + " " + pvt), "OK 0");
  EXPECT_EQ(ask("VER " + kpak + " " + id + " " + m + " " + s(v, "signature")), "OK 1");
  for (const auto& entry : v.at("negative")) {
    const std::string answer = ask("VER " + s(entry, "kpak") + " " + s(entry, "id") + " " +
                                   s(entry, "message") + " " + s(entry, "signature"));
    EXPECT_NE(answer, "OK 1") << entry.at("name");
  }
  const std::string signed_ = ask("SIGN " + kpak + " " + id + " " + ssk + " " + pvt + " " + m);
  ASSERT_EQ(signed_.size(), 3U + 258) << signed_;
  EXPECT_EQ(ask("VER " + kpak + " " + id + " " + m + " " + signed_.substr(3)), "OK 1");
  const std::string pair = ask("PAIR " + s(v, "KSAK") + " " + id);
  ASSERT_EQ(pair.size(), 3U + 64 + 1 + 130) << pair;
  EXPECT_EQ(ask("PAIROK " + kpak + " " + id + " " + pair.substr(3)), "OK 1");
  EXPECT_NE(ask("PAIR " + s(v, "KSAK") + " " + id), pair) << "v was used twice";
}

TEST_F(Lab, ReadsPointsWithoutTheirPrefixAndHexOfEitherCase) {
  const auto& v = eccsi_;
  std::string upper = s(v, "KPAK").substr(2);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(
      ask("VER " + upper + "  " + s(v, "ID") + "\t" + s(v, "message") + " " + s(v, "signature") + " \r"),
      "OK 1");
  EXPECT_EQ(ask("PAIROK " + upper + " " + s(v, "ID") + " " + s(v, "SSK") + " " + s(v, "PVT").substr(2)),
            "OK 1");
  EXPECT_EQ(
      ask("RSKOK " + s(sakke_, "Z").substr(2) + " " + s(sakke_, "b") + " " + s(sakke_, "RSK").substr(2)),
      "OK 1");
}

TEST_F(Lab, DerivesEveryPublishedUid) {
  ASSERT_GE(mcx_.at("uid").size(), 10U);
  for (const auto& entry : mcx_.at("uid"))
    EXPECT_EQ(ask("UID " + hex_text(s(entry, "uri")) + " " + hex_text(s(entry, "kms_uri")) + " " +
                  std::to_string(entry.at("key_period_s").get<std::int64_t>()) + " " +
                  std::to_string(entry.at("key_period_offset_s").get<std::int64_t>()) + " " +
                  std::to_string(entry.at("key_period_no").get<std::int64_t>())),
              "OK " + s(entry, "uid"));
}

TEST_F(Lab, DerivesEveryPublishedGukIdAndSrtpKey) {
  ASSERT_GE(mcx_.at("user_salt_guk_id").size(), 5U);
  for (const auto& entry : mcx_.at("user_salt_guk_id"))
    EXPECT_EQ(ask("GUK " + s(entry, "gmk") + " " + s(entry, "gmk_id") + " " + hex_text(s(entry, "uri"))),
              "OK " + s(entry, "guk_id"));
  ASSERT_GE(mcx_.at("srtp").size(), 8U);
  for (const auto& entry : mcx_.at("srtp"))
    EXPECT_EQ(ask("SRTP " + s(entry, "tgk") + " " + s(entry, "rand") + " " +
                  std::to_string(entry.at("cs_id").get<int>()) + " " + s(entry, "csb_id")),
              "OK " + s(entry, "srtp_master_key") + " " + s(entry, "srtp_master_salt"));
}

TEST_F(Lab, NamesTheFieldThatIsWrong) {
  expect_error("NOSUCH 00", "no such verb");
  expect_error("z 00", "no such verb");
  expect_error("Z", "Z takes 1 fields, not 0");
  expect_error("Z 01 02", "Z takes 1 fields, not 2");
  expect_error("Z 0", "z is not hex");
  expect_error("Z xx", "z is not hex");
  expect_error("Z 01", "malformed");  // z = 1
  expect_error("KPAK " + std::string(64, '0'), "KSAK");
  expect_error("KPAK " + std::string(66, '1'), "KSAK");
  expect_error("PAIROK 04 00 00 00", "KPAK");
  expect_error("PAIROK " + s(eccsi_, "KPAK") + " 00 0102 " + s(eccsi_, "PVT"), "SSK has 2 octets");
  expect_error("VER " + s(eccsi_, "KPAK") + " 00 00 0102", "signature has 2 octets");
  expect_error("GUK 00 00000001 61", "gmk has 1 octets");
  expect_error("GUK " + std::string(32, '0') + " 01 61", "gmkid has 1 octets");
  expect_error("UID 61 62 1 2 -3", "number");
  expect_error("UID 61 62 1x 2 3", "period");
  expect_error("UID 61 62 1 99999999999999999999 3", "offset");
  expect_error("SRTP " + std::string(32, '0') + " 00 256 00000001", "csid");
  expect_error("1 2 3 4 5 6 7 8 9 10 11 12", "no such verb");
  expect_error("SIGN 1 2 3 4 5 6 7 8 9 10", "SIGN takes 5");
  expect_error(std::string("Z 0\0"
                           "1",
                           5),
               "z is not hex");
}

TEST_F(Lab, NeverRepeatsASecretInAnError) {
  const std::string ssk = s(eccsi_, "SSK");
  for (const std::string& line : {"PAIROK " + s(eccsi_, "KPAK") + " 00 " + ssk + "00 " + s(eccsi_, "PVT"),
                                  "SIGN " + s(eccsi_, "KPAK") + " 00 " + ssk + " " + s(eccsi_, "PVT") + " 00",
                                  "Z " + ssk + "x", ssk + " 00"})
    EXPECT_EQ(ask(line).find(ssk.substr(0, 16)), std::string::npos) << line.substr(0, 10);
}

TEST_F(Lab, AnswersOneLineForOneLineAndNothingForABlankOne) {
  EXPECT_EQ(talk("\n  \t\r\nKPAK\n\nKPAK 012345\n"), ask("KPAK") + "\nOK " + s(eccsi_, "KPAK") + "\n");
  EXPECT_EQ(talk(""), "");
  EXPECT_NE(lab_help().find("skipped and gets no answer"), std::string::npos);
  EXPECT_EQ(talk("KPAK 012345"), "OK " + s(eccsi_, "KPAK") + "\n") << "the last line may lack its end";
}

TEST_F(Lab, ResynchronisesAfterALineThatIsTooLong) {
  const std::string good = "KPAK 012345\n", answer = "OK " + s(eccsi_, "KPAK") + "\n";
  const std::string padded = "KPAK 012345" + std::string(kMostLabLine - 11, ' ') + "\n";
  EXPECT_EQ(talk(padded + good), answer + answer) << "65536 octets are allowed";
  for (const std::size_t size : {kMostLabLine + 1, kMostLabLine + 2, 10 * kMostLabLine}) {
    const std::string out = talk(std::string(size, 'a') + "\n" + good);
    EXPECT_EQ(out.rfind("ERR limit", 0), 0U);
    EXPECT_EQ(out.substr(out.find('\n') + 1), answer) << size;
  }
}

// Counts what had been flushed when each read happened: a peer that waits for its answer must not wait for
// ever.
TEST_F(Lab, FlushesEachAnswerBeforeItReadsOn) {
  class Pipe : public std::stringbuf {
   public:
    int sync() override {
      ++flushes;
      return 0;
    }
    int flushes = 0;
  } pipe;
  std::ostream out(&pipe);
  std::istringstream in("KPAK 01\nKPAK 02\nKPAK 03\n");
  EXPECT_EQ(run_lab(in, out, random_), 0);
  EXPECT_EQ(pipe.flushes, 3);
}

TEST_F(Lab, EndsWhenItsOutputIsGone) {
  std::istringstream in("KPAK 01\nKPAK 02\n");
  std::ostream out(nullptr);
  EXPECT_EQ(run_lab(in, out, random_), 1);
}

}  // namespace
}  // namespace regroup::app
