// SPDX-License-Identifier: Apache-2.0
#include "app/kms/identity_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace regroup::app {
namespace {

using testing::HasSubstr;

Result<IdentityList> parsed(std::string_view text) { return parse_identity_list(view(text)); }

TEST(IdentityList, ReadsItsColumnsInAnyOrder) {
  const auto list = parsed(
      "\xef\xbb\xbfsuspended,uri,transport_keys,server\r\n"
      "false,sip:bob@mcx.example,wrap+sign,\r\n"
      ",\"sip:gms,one@mcx.example\",,true\r\n"
      "\r\n"
      "true,tel:+15550100,wrap,false");
  ASSERT_TRUE(list.ok()) << list.error().text();
  EXPECT_TRUE(list->bad.empty());
  ASSERT_EQ(list->lines.size(), 3U);
  EXPECT_EQ(list->lines[0].identity.text(), "sip:bob@mcx.example");
  EXPECT_EQ(list->lines[0].transport_keys, "wrap+sign");
  EXPECT_FALSE(list->lines[0].server || list->lines[0].suspended);
  EXPECT_EQ(list->lines[1].identity.text(), "sip:gms,one@mcx.example");
  EXPECT_TRUE(list->lines[1].server);
  EXPECT_EQ(list->lines[2].line, 5U);
  EXPECT_TRUE(list->lines[2].suspended);
}

TEST(IdentityList, NeedsTheUriAlone) {
  const auto list = parsed("uri\nsip:bob@mcx.example\n");
  ASSERT_TRUE(list.ok()) << list.error().text();
  EXPECT_EQ(list->lines.size(), 1U);
}

TEST(IdentityList, ReportsEachBadLineAndTakesTheOthers) {
  const auto list = parsed(
      "uri,server,suspended,transport_keys\n"
      "bob,,,\n"
      "sip:ann@mcx.example,yes,,\n"
      "sip:ann@mcx.example,,maybe,\n"
      "sip:ann@mcx.example,,,plain\n"
      "sip:ann@mcx.example,,\n"
      "\"sip:ann@mcx.example,,,\n"
      "sip:a\"nn@mcx.example,,,\n"
      "sip:good@mcx.example,,,\n");
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->lines.size(), 1U);
  EXPECT_EQ(list->lines[0].line, 9U);
  const std::vector<const char*> named = {"'bob'",  "server", "suspended", "transport_keys",
                                          "fields", "quotes", "quotes"};
  ASSERT_EQ(list->bad.size(), named.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    EXPECT_EQ(list->bad[i].line, i + 2);
    EXPECT_THAT(list->bad[i].why.text(), HasSubstr(named[i]));
    EXPECT_FALSE(list->bad[i].why.cure.empty());
  }
}

TEST(IdentityList, RefusesAFirstLineThatNamesNoColumns) {
  for (const char* first : {"", "sip:bob@mcx.example\n", "uri,uri\n", "server,suspended\n", "uri,colour\n"}) {
    const auto list = parsed(first);
    ASSERT_FALSE(list.ok()) << first;
    EXPECT_EQ(list.error().code, Errc::malformed);
  }
}

TEST(IdentityList, IsBounded) {
  const std::string long_line = "uri\nsip:" + std::string(5000, 'b') + "@mcx.example\n";
  EXPECT_THAT(parsed(long_line)->bad.at(0).why.text(), HasSubstr("4096"));
  std::string many = "uri\n";
  many.append(1'000'001, '\n');
  EXPECT_EQ(parsed(many).error().code, Errc::limit);
}

}  // namespace
}  // namespace regroup::app
