// SPDX-License-Identifier: Apache-2.0
#include "xcap/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data.hpp"

namespace regroup::xcap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Address parsed(std::string_view text) {
  auto out = parse_address(text);
  EXPECT_TRUE(out.ok()) << text << ": " << (out.ok() ? "" : out.error().text());
  return out.ok() ? std::move(out).value() : Address{};
}

TEST(Address, ReadsADocumentByGroupIdEncodedAndRaw) {
  for (const char* text : {"org.openmobilealliance.groups/global/byGroupID/sip%3Ag7%40mcx.example",
                           "org.openmobilealliance.groups/global/byGroupID/sip%3ag7%40mcx.example",
                           "org.openmobilealliance.groups/global/byGroupID/sip:g7@mcx.example"}) {
    const Address address = parsed(text);
    EXPECT_EQ(address, group_address("sip:g7@mcx.example")) << text;
    EXPECT_EQ(address.group_id(), "sip:g7@mcx.example");
    EXPECT_EQ(write_address(address),
              "org.openmobilealliance.groups/global/byGroupID/sip%3Ag7%40mcx.example");
  }
}

TEST(Address, KeepsGroupIdsWithEveryAwkwardCharacter) {
  for (const char* id :
       {"sip:g%40x@mcx.example", "sip:g;user=phone@x", "SIP:G7@MCX.Example", "tel:+49/12;ext=4",
        "sip:a?b=c@x", "sip:~~@x", "urn:x/~~/y", "sip:\xC3\xBC@x", "a b", "[x]\"'<&>"}) {
    for (const Address& address :
         {group_address(id), gktp_address(id), gktp_address("sip:u%@x", id), gktp_keys(id, "GMK-GKTPs")}) {
      const Address again = parsed(write_address(address));
      EXPECT_EQ(again, address) << id;
      EXPECT_EQ(again.group_id(), id);
    }
  }
}

TEST(Address, DecodesOnceAndNeverTurnsAnEncodedSlashIntoASeparator) {
  EXPECT_EQ(parsed("a/global/byGroupID/x%252Fy").group_id(), "x%2Fy");
  EXPECT_THAT(parsed("a/global/x%2Fy/z").names, ElementsAre("x/y", "z"));
}

TEST(Address, ReadsUsersTreesCollectionsAndTheOldAlias) {
  const Address own = parsed("org.3gpp.MCPTT-GKTP/users/sip%3Abob%40x/");
  EXPECT_EQ(own, gktp_collection("sip:bob@x"));
  EXPECT_EQ(write_address(own), "org.3gpp.MCPTT-GKTP/users/sip%3Abob%40x/");
  EXPECT_EQ(own.group_id(), "");
  const Address document = parsed("org.3gpp.MCPTT-GKTP/users/sip:bob@x/sip:g@x");
  EXPECT_EQ(document.xui, "sip:bob@x");
  EXPECT_EQ(document.group_id(), "sip:g@x");
  EXPECT_EQ(parsed("org.openmobilealliance.groups/users/xui/anything").group_id(), "") << "any name";
  EXPECT_EQ(parsed("org.openmobilealliance.groups/global/byGroup/sip:g@x").group_id(), "sip:g@x");
  EXPECT_THAT(parsed("xcap-caps/global/index").names, ElementsAre("index"));
  EXPECT_TRUE(parsed("org.openmobilealliance.groups/users/create-xui/").collection);
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const char* text : {"",
                           "/",
                           "a",
                           "a/",
                           "a/global",
                           "a/other/x",
                           "a/users",
                           "a/users/",
                           "a//global/x",
                           "a/global//x",
                           "a/global/./x",
                           "a/global/%2E%2E/x",
                           "a/global/x%2",
                           "a/global/x%zz",
                           "a/global/x%00",
                           "a/global/%FF",
                           "a/global/x?y=z",
                           "a/global/x/~~/",
                           "a/users/u//~~/y",
                           "a/global/x/~~/y?z",
                           "/a/global/x"})
    EXPECT_FALSE(parse_address(text).ok()) << text;
  EXPECT_EQ(parse_address("a/global/" + std::string(9000, 'x')).error().code, Errc::limit);
}

TEST(Address, FindsWhatIsBelowTheRootAndNothingElse) {
  const char* root = "https://gms.mcx.example:8443/xcap-root/";
  EXPECT_EQ(below_root("https://gms.mcx.example:8443/xcap-root/a/global/b", root).value(), "a/global/b");
  EXPECT_EQ(below_root("HTTPS://GMS.mcx.EXAMPLE:8443/xcap-root/a/global/b/~~/c?xmlns(p=u)", root).value(),
            "a/global/b/~~/c?xmlns(p=u)");
  EXPECT_EQ(below_root("/xcap-root/a/users/u/", root).value(), "a/users/u/");
  EXPECT_EQ(below_root("a/global/sip:b@x", root).value(), "a/global/sip:b@x");
  EXPECT_EQ(below_root("a/global/b%20c/~~/d%5B@x=%22http://y%22%5D", root).value(),
            "a/global/b%20c/~~/d%5B@x=%22http://y%22%5D");
  for (const char* text : {"https://gms.mcx.example/xcap-root/a", "https://other:8443/xcap-root/a",
                           "https://gms.mcx.example:8443/xcap-rootX/a", "https://gms.mcx.example:8443/",
                           "http://gms.mcx.example:8443/xcap-root/a", "/other/a"})
    EXPECT_FALSE(below_root(text, root).ok()) << text;
  EXPECT_FALSE(below_root("a", "https://x/no-end").ok());
}

TEST(Selector, ReadsTheSelectorsOfTheSpecificationInBothForms) {
  const char* start = "org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Afire-1%40mcx.example/~~/";
  const Address whole = parsed(std::string(start) + "GKTPs/GMK-GKTPs");
  EXPECT_EQ(whole, gktp_keys("sip:fire-1@mcx.example", "GMK-GKTPs"));
  EXPECT_EQ(write_address(whole), std::string(start) + "GKTPs/GMK-GKTPs");
  const Address encoded =
      parsed(std::string(start) + "GKTPs/GMK-GKTPs/GKTP%5B@id=%22sip:bob@mcx.example%22%5D");
  const Address raw = parsed(std::string(start) + "GKTPs/GMK-GKTPs/GKTP[@id=\"sip:bob@mcx.example\"]");
  EXPECT_EQ(encoded, raw);
  const Step wanted{"urn:3gpp:ns:mcpttGKTP:1.0", "GKTP", 0, AttributeTest{"", "id", "sip:bob@mcx.example"}};
  EXPECT_EQ(encoded.node->steps[2], wanted);
  EXPECT_EQ(write_address(encoded),
            std::string(start) + "GKTPs/GMK-GKTPs/GKTP%5B@id=%22sip:bob@mcx.example%22%5D");
}

TEST(Selector, ReadsEveryFormOfTheGrammar) {
  const std::vector<xml::Declaration> bindings{{"p", "urn:p"}};
  const auto of = [&](std::string_view text) {
    auto out = parse_selector(text, "urn:d", bindings);
    EXPECT_TRUE(out.ok()) << text << ": " << (out.ok() ? "" : out.error().text());
    return out.ok() ? std::move(out).value() : Selector{};
  };
  EXPECT_EQ(of("a").steps, (std::vector<Step>{{"urn:d", "a", 0, {}}}));
  EXPECT_EQ(of("*/p:b[2]").steps, (std::vector<Step>{{"", "*", 0, {}}, {"urn:p", "b", 2, {}}}));
  EXPECT_EQ(of("a[3][@p:x='it\"s']").steps[0].test, (AttributeTest{"urn:p", "x", "it\"s"}));
  EXPECT_EQ(of("a[@x=\"1/2]&amp;&quot;\"]/b").steps[0].test->value, "1/2]&\"");
  EXPECT_EQ(of("a/@b").attribute, "b");
  EXPECT_EQ(of("a/@b").attribute_ns, "");
  EXPECT_EQ(of("a/@p:b").attribute_ns, "urn:p");
  EXPECT_EQ(of("a/namespace::*").target, Target::namespaces);
}

TEST(Selector, RefusesEverythingElse) {
  std::string many = "a";
  for (int i = 0; i < 32; ++i) many += "/a";
  for (const std::string& text : {std::string(),
                                  std::string("/a"),
                                  std::string("a/"),
                                  std::string("a//b"),
                                  std::string("@a"),
                                  std::string("a[0]"),
                                  std::string("a[-1]"),
                                  std::string("a[+1]"),
                                  std::string("a[]"),
                                  std::string("a[1"),
                                  std::string("a[1][2]"),
                                  std::string("a[@b=c]"),
                                  std::string("a[@b=\"c]"),
                                  std::string("a[@b=\"c\"][1]"),
                                  std::string("a[b]"),
                                  std::string("q:a"),
                                  std::string("a/@b/c"),
                                  std::string("a/namespace::x"),
                                  std::string("id('x')"),
                                  std::string("a|b"),
                                  std::string("a[last()]"),
                                  std::string("../a"),
                                  std::string("a[@b=\"&x;\"]"),
                                  std::string("a[@b=\"<\"]"),
                                  std::string("a[99999999999999999999]"),
                                  many})
    EXPECT_FALSE(parse_selector(text, "urn:d").ok()) << text;
}

TEST(Selector, TakesPrefixesFromTheQuery) {
  const Address address = parsed(
      "org.openmobilealliance.groups/global/byGroupID/g/~~/group/list-service/"
      "m:owner?xmlns(m=urn:3gpp:ns:mcpttGroupInfo:1.0)xmlns(z=urn:%5E(z%5E))");
  EXPECT_EQ(address.node->steps[2].ns, "urn:3gpp:ns:mcpttGroupInfo:1.0");
  EXPECT_EQ(parsed(write_address(address)), address);
  EXPECT_EQ(parse_bindings("xmlns(z=urn:^(z^))").value()[0].uri, "urn:(z)");
  for (const char* query :
       {"xmlns(", "xmlns(a)", "xmlns(=u)", "xmlns(a=u", "ns(a=u)", "xmlns(a=u)x", "xmlns(a:b=u)"})
    EXPECT_FALSE(parse_bindings(query).ok()) << query;
}

TEST(Selector, LeadsToOneNodeToSeveralOrToNone) {
  const auto root =
      xml::parse(std::string_view("<a xmlns=\"urn:d\" xmlns:p=\"urn:p\"><b x=\"1\"/><c><b x=\"2\"/></c><b "
                                  "x=\"2\"/><p:b x=\"1\"/><b x=\"2\" y=\"1\"><d/></b></a>"));
  const auto at = [&](std::string_view text) {
    const auto selector = parse_selector(text, "urn:d", {{"p", "urn:p"}});
    EXPECT_TRUE(selector.ok()) << text;
    return locate(root.value(), selector->steps);
  };
  using Match = Located::Match;
  const auto one = [&](std::string_view text, std::vector<std::size_t> path) {
    const Located found = at(text);
    EXPECT_EQ(found.match, Match::one) << text;
    EXPECT_EQ(found.path, path) << text;
  };
  one("a", {});
  one("*", {});
  one("a/b[1]", {0});
  one("a/b[2]", {2});
  one("a/*[2]", {1});
  one("a/p:b", {3});
  one("a/c/b", {1, 0});
  one("a/b[@x=\"1\"]", {0});
  one("a/b[@y=\"1\"]", {4});
  one("a/b[3][@x=\"2\"]", {4});
  one("a/b/d", {4, 0});
  one("a/*/b", {1, 0});
  EXPECT_EQ(at("a/b").match, Match::several);
  EXPECT_EQ(at("a/b[@x=\"2\"]").match, Match::several);
  for (const char* none :
       {"b", "a/b[4]", "a/b[1][@x=\"2\"]", "a/z", "a/p:c", "a/b[@p:x=\"1\"]", "a[2]", "a/b/d/e"})
    EXPECT_EQ(at(none).match, Match::none) << none;
}

TEST(Selector, SurvivesDamage) {
  survives_damage(
      "org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Ag/~~/GKTPs/p:a[2][@id=\"x&amp;\"]/@b?xmlns(p=urn:x)",
      [](const std::string& text) {
        const auto address = parse_address(text);
        if (!address.ok()) return;
        EXPECT_EQ(parse_address(write_address(address.value())).value(), address.value()) << text;
      });
}

}  // namespace
}  // namespace regroup::xcap
