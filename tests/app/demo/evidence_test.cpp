// SPDX-License-Identifier: Apache-2.0
// The directory of the evidence: no file of an earlier run stays, and no file of anybody else goes.
#include "app/demo/evidence.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "app/kms/kms_lab.hpp"

namespace regroup::app::demo {
namespace {

namespace fs = std::filesystem;

struct Evidence : testing::Test {
  void put(const std::string& name) const { std::ofstream(directory.path + "/" + name) << "x"; }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(directory.path)) out.insert(entry.path().filename());
    return out;
  }
  test::TemporaryDirectory directory;
};

TEST_F(Evidence, ANewOrEmptyDirectoryIsTaken) {
  EXPECT_TRUE(prepare_evidence("").ok());
  EXPECT_TRUE(prepare_evidence(directory.path).ok());
  EXPECT_TRUE(prepare_evidence(directory.path + "/a/b").ok());
  EXPECT_TRUE(fs::is_directory(directory.path + "/a/b"));
}

TEST_F(Evidence, WhatAnEarlierRunWroteIsRemovedAndNothingElse) {
  for (const char* name : {"messages.jsonl", "kms.alpha.example.certificate.xml",
                           "alpha.example-user9.keyset.xml", "message.txt", "report.json"})
    put(name);
  ASSERT_TRUE(prepare_evidence(directory.path).ok());
  EXPECT_EQ(names(), (std::set<std::string>{"message.txt", "report.json"}));
}

TEST_F(Evidence, ADirectoryOfSomebodyElseIsRefusedUntouched) {
  put("bob.keyset.xml");
  const auto refused = prepare_evidence(directory.path);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("--evidence"));
  EXPECT_FALSE(refused.error().cure.empty());
  EXPECT_EQ(names(), std::set<std::string>{"bob.keyset.xml"});
}

}  // namespace
}  // namespace regroup::app::demo
