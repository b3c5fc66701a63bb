// SPDX-License-Identifier: Apache-2.0
// Configuration files: every error names file, line, key, rule and cure.
#include "app/toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace regroup::app {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TomlTable parse(const std::string& text) { return TomlTable::parse(text, "some.toml").value(); }

// The place, and that nothing is left out.
void expect_at(const Error& error, const std::string& place, const std::string& says) {
  EXPECT_EQ(error.code, Errc::usage);
  EXPECT_THAT(error.detail, StartsWith(place + ": "));
  EXPECT_THAT(error.detail, HasSubstr(says));
  EXPECT_FALSE(error.clause.empty()) << error.text();
  EXPECT_FALSE(error.cure.empty()) << error.text();
}

TEST(Toml, ABrokenLineIsNamed) {
  const auto broken = TomlTable::parse("a = 1\nb = = 2\n", "some.toml");
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().detail, StartsWith("some.toml:2: "));
}

TEST(Toml, AnUnknownKeyIsAnErrorAlsoInAnInnerTableAndAnArrayOfTables) {
  TomlTable root =
      parse("known = \"x\"\n[inner]\nknwon = 1\n[[list]]\nok = \"1\"\n[[list]]\nok = \"2\"\nno = 3\n");
  EXPECT_TRUE(root.only({"known", "inner", "list"}).ok());
  expect_at(root.table("inner", {"known"}).error(), "some.toml:3", "inner.knwon: is not a known key");
  expect_at(root.tables("list", {"ok"}).error(), "some.toml:8", "list.no: is not a known key");
  EXPECT_TRUE(root.tables("list", {"ok", "no"}).ok());
  EXPECT_TRUE(root.table("absent", {}).ok());
}

TEST(Toml, TheFirstUnknownKeyIsNamedAndWhatMayHaveBeenMeant) {
  const Error error = parse("zeta = 1\nknwon = 2\nalpha = 3\n").only({"known", "last"}).error();
  expect_at(error, "some.toml:1", "zeta: is not a known key");
  EXPECT_THAT(error.cure, HasSubstr("lists the keys"));
  EXPECT_EQ(parse("knwon = 2\n").only({"last", "known"}).error().cure, "did you mean known?");
}

TEST(Toml, AMissingKeyIsNamedWithTheTableItBelongsTo) {
  TomlTable root = parse("a = 1\n\n[kms]\nuri = \"\"\n");
  TomlTable kms = root.table("kms", {"uri", "url"}).value();
  expect_at(kms.text("url").error(), "some.toml:3", "kms.url: is missing");
  expect_at(kms.text("uri").error(), "some.toml:4", "kms.uri: is empty");
  TomlTable absent = root.table("tls", {"cert"}).value();
  expect_at(absent.text("cert").error(), "some.toml:1", "tls.cert: is missing");
}

TEST(Toml, AWrongTypeAndAWrongRangeAreNamed) {
  TomlTable root = parse("n = \"x\"\nbig = 11\nlist = [\"a\",\n 2]\ntable = 1\nflag = 1\n");
  expect_at(root.integer_or("n", 1, 0, 9).error(), "some.toml:1", "n: must be a whole number");
  expect_at(root.integer_or("big", 1, 0, 9).error(), "some.toml:2", "between 0 and 9");
  expect_at(root.texts_or("list", {}).error(), "some.toml:4", "list of texts");
  expect_at(root.table("table", {}).error(), "some.toml:5", "must be a table");
  expect_at(root.tables("table", {}).error(), "some.toml:5", "array of tables");
  expect_at(root.flag_or("flag", true).error(), "some.toml:6", "true or false");
}

TEST(Toml, TheErrorOfAParserGetsItsPlaceAndKeepsItsClauseAndCure) {
  TomlTable root = parse("good = \"yes\"\nvalue = \"no\"\nlist = [\"yes\",\n  \"no\"]\n");
  const auto only_yes = [](const std::string& text) -> Result<int> {
    if (text == "yes") return 1;
    return fail(Errc::malformed, "TS 1.2", "'" + text + "' is not yes", "write yes");
  };
  EXPECT_EQ(root.parsed("good", only_yes).value(), 1);
  const Error error = root.parsed("value", only_yes).error();
  expect_at(error, "some.toml:2", "value: 'no' is not yes");
  EXPECT_EQ(error.clause, "TS 1.2");
  EXPECT_EQ(error.cure, "write yes");
  expect_at(root.each("list", only_yes).error(), "some.toml:4", "'no' is not yes");
  EXPECT_EQ(root.each("absent", only_yes).value().size(), 0u);
}

TEST(Toml, FileNamesAreRelativeToTheConfigurationFile) {
  TomlTable root = TomlTable::parse("a = \"b.pem\"\nc = \"/d.pem\"\n", "/etc/regroup/gms.toml").value();
  EXPECT_EQ(root.file("a").value(), "/etc/regroup/b.pem");
  EXPECT_EQ(root.file("c").value(), "/d.pem");
}

TEST(Toml, AFileThatMustBeThereIsLookedForOnDemand) {
  TomlTable root =
      TomlTable::parse("a = \"x\"\n[t]\nca = \"null\"\nb = \"none\"\n", "/dev/some.toml").value();
  TomlTable inner = root.table("t", {"ca", "b"}).value();
  EXPECT_EQ(inner.present_file("ca").value(), "/dev/null");
  EXPECT_TRUE(root.check_files().ok());
  ASSERT_TRUE(inner.present_file("b").ok());
  expect_at(root.check_files().error(), "/dev/some.toml:4", "t.b: /dev/none cannot be read: No such file");
}

}  // namespace
}  // namespace regroup::app
