// SPDX-License-Identifier: Apache-2.0
#include "app/kms/transport_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "app/kms/kms_lab.hpp"
#include "app/kms/worked_keys.hpp"

namespace regroup::app {
namespace {

using test::kWorkedInk;
using test::kWorkedTrk;
using testing::HasSubstr;
using testing::Not;

class TransportFile : public testing::Test {
 protected:
  void put(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path, std::ios::trunc) << text;
    ::chmod(path.c_str(), mode);
  }
  [[nodiscard]] std::string whole() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // What is said about a file with that text; it never quotes a key.
  [[nodiscard]] std::string refusal(const std::string& text) const {
    put(text);
    const auto read = read_transport_key_file(path);
    EXPECT_FALSE(read.ok()) << text;
    if (read.ok()) return {};
    EXPECT_EQ(read.error().code, Errc::usage);
    EXPECT_THAT(read.error().text(), HasSubstr(path));
    EXPECT_THAT(read.error().cure, HasSubstr("--transport-keys-out"));
    EXPECT_THAT(read.error().text(), Not(HasSubstr(std::string(kWorkedTrk).substr(0, 16))));
    EXPECT_THAT(read.error().text(), Not(HasSubstr(std::string(kWorkedInk).substr(0, 16))));
    return read.error().detail;
  }

  test::TemporaryDirectory directory;
  std::string path = directory.path + "/bob-trk.json";
  const std::string trk = "\"trk_id\":\"tk.1\",\"trk\":\"" + std::string(kWorkedTrk) + "\"";
  const std::string ink = "\"ink_id\":\"ink.1\",\"ink\":\"" + std::string(kWorkedInk) + "\"";
};

TEST_F(TransportFile, IsWrittenOnceForItsOwnerAndReadBack) {
  const kms::TransportKeys keys = test::worked_keys();
  ASSERT_TRUE(write_transport_key_file(path, keys).ok());
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_EQ(whole(), "{\"trk_id\":\"tk.0007.user.001@alpha.example\",\"trk\":\"" + std::string(kWorkedTrk) +
                         "\",\"ink_id\":\"ink.0007.user.001@alpha.example\",\"ink\":\"" + kWorkedInk +
                         "\"}\n");
  const auto read = read_transport_key_file(path);
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->trk_id, keys.trk_id);
  EXPECT_EQ(read->ink_id, keys.ink_id);
  EXPECT_TRUE(ct_equal(read->trk.expose(), keys.trk.expose()));
  EXPECT_TRUE(ct_equal(read->ink.expose(), keys.ink.expose()));

  const std::string before = whole();
  const auto again = write_transport_key_file(path, keys);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_EQ(whole(), before);
  EXPECT_EQ(write_transport_key_file(directory.path + "/nowhere/x", keys).error().code, Errc::usage);
}

TEST_F(TransportFile, MayBeLaidOutOtherwiseAndLackTheIntegrityKey) {
  put(" {\n  " + ink + ",\n  " + trk + "\n}\n");
  ASSERT_TRUE(read_transport_key_file(path).ok());
  put("{" + trk + "}");
  const auto without = read_transport_key_file(path);
  ASSERT_TRUE(without.ok()) << without.error().text();
  EXPECT_EQ(without->signing_id(), "tk.1");
}

TEST_F(TransportFile, IsRefusedWhenOthersCanReachItOrItIsMissing) {
  for (const mode_t mode : {0640U, 0604U, 0666U}) {
    put("{" + trk + "," + ink + "}", mode);
    const auto read = read_transport_key_file(path);
    ASSERT_FALSE(read.ok());
    EXPECT_THAT(read.error().text(), HasSubstr("chmod 600 " + path));
  }
  std::filesystem::remove(path);
  EXPECT_THAT(read_transport_key_file(path).error().text(), HasSubstr("--transport-keys-out"));
}

TEST_F(TransportFile, NamesWhatIsWrong) {
  EXPECT_THAT(refusal("{}"), HasSubstr("trk_id is missing"));
  EXPECT_THAT(refusal("{\"trk_id\":\"tk.1\"," + ink + "}"), HasSubstr("trk is missing"));
  EXPECT_THAT(refusal("{" + trk + ",\"ink_id\":\"ink.1\"}"), HasSubstr("ink is missing"));
  EXPECT_THAT(refusal("{" + trk + ",\"ink\":\"" + kWorkedInk + "\"}"), HasSubstr("ink_id is missing"));
  EXPECT_THAT(refusal("{" + trk + "," + trk + "}"), HasSubstr("trk_id stands twice"));
  EXPECT_THAT(refusal("{" + trk + ",\"x\":\"y\"}"), HasSubstr("x is not known"));
  EXPECT_THAT(refusal("{\"trk_id\":\"tk.1\",\"trk\":\"" + std::string(kWorkedTrk).substr(2) + "\"}"),
              HasSubstr("trk is not 64 hex digits"));
  EXPECT_THAT(refusal("{\"trk_id\":\"tk.1\",\"trk\":\"" + std::string(64, 'g') + "\"}"),
              HasSubstr("trk is not 64 hex digits"));
  EXPECT_THAT(refusal("{\"trk_id\":\"\",\"trk\":\"" + std::string(kWorkedTrk) + "\"}"),
              HasSubstr("trk_id is not"));
  EXPECT_THAT(refusal("{\"trk_id\":\"a b\",\"trk\":\"" + std::string(kWorkedTrk) + "\"}"),
              HasSubstr("trk_id is not"));
  EXPECT_THAT(refusal("{" + trk + ",\"ink_id\":\"ink.1\",\"ink\":\"" + kWorkedTrk + "\"}"),
              HasSubstr("one key"));
  EXPECT_THAT(refusal("{" + trk + ",\"ink_id\":\"tk.1\",\"ink\":\"" + kWorkedInk + "\"}"),
              HasSubstr("one name"));
  EXPECT_THAT(refusal("{" + trk + "} x"), HasSubstr("goes on"));
  EXPECT_THAT(refusal("{" + trk + ",}"), HasSubstr("quotes"));
  EXPECT_THAT(refusal("{" + trk + " " + ink + "}"), HasSubstr(", or }"));
  EXPECT_THAT(refusal("{\"trk_id\":\"t\\u006b\"}"), HasSubstr("escape"));
  EXPECT_THAT(refusal("{\"trk_id\":5}"), HasSubstr("quotes"));
  EXPECT_THAT(refusal("{\"trk_id\" \"x\"}"), HasSubstr("no :"));
  for (const char* text : {"", "[]", "{", "{\"", "null", "{\"trk_id\":\"x"}) EXPECT_NE(refusal(text), "");
  put(std::string(9000, ' '));
  EXPECT_THAT(read_transport_key_file(path).error().text(), HasSubstr("more than"));
}

}  // namespace
}  // namespace regroup::app
