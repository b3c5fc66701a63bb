// SPDX-License-Identifier: Apache-2.0
#include "xcap/group_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data.hpp"

namespace regroup::xcap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

GroupDocument parsed(const std::string& text) {
  auto out = parse_group_document(view(text));
  EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().phrase) << "\n" << text.substr(0, 600);
  return out.ok() ? std::move(out).value() : GroupDocument{};
}

ErrorKind kind_of(const std::string& text) {
  const auto out = parse_group_document(view(text));
  EXPECT_FALSE(out.ok()) << text.substr(0, 600);
  return out.ok() ? ErrorKind::not_found : out.error().kind;
}

// A group with `inside` among the children of list-service.
std::string group_with(const std::string& inside, const std::string& uri = "sip:g@x.example") {
  return "<group xmlns=\"urn:oma:xml:poc:list-service\" xmlns:mcpttgi=\"urn:3gpp:ns:mcpttGroupInfo:1.0\" "
         "xmlns:rl=\"urn:ietf:params:xml:ns:resource-lists\" "
         "xmlns:cp=\"urn:ietf:params:xml:ns:common-policy\" "
         "xmlns:oxe=\"urn:oma:xml:xdm:extensions\"><list-service uri=\"" +
         uri + "\">" + inside + "</list-service></group>";
}
std::string rule(const std::string& conditions, const std::string& actions) {
  return "<cp:ruleset><cp:rule id=\"r\"><cp:conditions>" + conditions + "</cp:conditions><cp:actions>" +
         actions + "</cp:actions></cp:rule></cp:ruleset>";
}
const std::string kSeeList =
    "<mcpttgi:on-network-allow-getting-member-list>true</mcpttgi:on-network-allow-getting-member-list>";

TEST(GroupDocument, ReadsTheExampleOfTheSpecification) {
  const GroupDocument group = parsed(data("group.xml"));
  EXPECT_EQ(group.uri, "sip:fire-1@mcx.example");
  EXPECT_EQ(group.display_name, "Fire 1");
  ASSERT_TRUE(group.list.has_value());
  ASSERT_EQ(group.list->size(), 2u);
  EXPECT_EQ((*group.list)[0].uri, "sip:ann@mcx.example");
  EXPECT_EQ((*group.list)[0].participant_type, "chair");
  EXPECT_TRUE(group.has_member("sip:bob@mcx.example"));
  EXPECT_FALSE(group.has_member("sip:eve@mcx.example"));
  ASSERT_EQ(group.regrouped.size(), 1u);
  const Regrouped& regrouped = group.regrouped[0];
  EXPECT_EQ(regrouped.temporary, "sip:tmp-0042@mcx.example");
  EXPECT_EQ(regrouped.requestor, "sip:dispatch@mcx.example");
  EXPECT_THAT(regrouped.constituents, ElementsAre("sip:fire-1@mcx.example", "sip:police-9@partner.example"));
  EXPECT_EQ(regrouped.levels.priority, 200);
  EXPECT_EQ(group.invite_members, true);
  EXPECT_EQ(group.levels.priority, std::nullopt) << "the priority inside on-network-regrouped is another one";
  EXPECT_TRUE(group.protects_media());
  EXPECT_TRUE(group.is_mcptt());
  EXPECT_FALSE(group.temporary.has_value());
}

TEST(GroupDocument, TakesAbsentProtectionAsTrueAndFalseOnlyWhenWritten) {
  const GroupDocument silent = parsed(group_with(""));
  EXPECT_TRUE(silent.protects_media());
  EXPECT_TRUE(silent.protects_floor());
  EXPECT_FALSE(silent.levels.protect_media.has_value());
  const GroupDocument open = parsed(group_with(
      "<mcpttgi:protect-media> 0 </mcpttgi:protect-media>"
      "<mcpttgi:protect-floor-control-signalling>false</mcpttgi:protect-floor-control-signalling>"));
  EXPECT_FALSE(open.protects_media());
  EXPECT_FALSE(open.protects_floor());
}

TEST(GroupDocument, ReadsEveryElementTheProductUses) {
  const GroupDocument group = parsed(group_with(
      "<list><entry "
      "uri=\"sip:a@x\"><rl:display-name>Ann</rl:display-name><mcpttgi:user-priority>7</mcpttgi:user-priority>"
      "<mcpttgi:on-network-required/><mcpttgi:on-network-recvonly/></entry></list>"
      "<mcpttgi:on-network-disabled/><mcpttgi:on-network-group-priority>255</"
      "mcpttgi:on-network-group-priority>"
      "<mcpttgi:on-network-max-participant-count>40</mcpttgi:on-network-max-participant-count>"
      "<mcpttgi:require-multicast-floor-control-signalling/><mcpttgi:owner>sip:o@x</mcpttgi:owner>"
      "<mcpttgi:preconfigured-group-use-only>true</mcpttgi:preconfigured-group-use-only>"
      "<mcpttgi:on-network-temporary><mcpttgi:constituent-MCPTT-group-IDs><mcpttgi:constituent-MCPTT-group-"
      "ID>sip:c@x"
      "</mcpttgi:constituent-MCPTT-group-ID></mcpttgi:constituent-MCPTT-group-IDs></"
      "mcpttgi:on-network-temporary>"
      "<k:key-plan xmlns:k=\"urn:regroup:group:1\" floor-key=\"mkfc\" procedure=\"two\"/>"));
  ASSERT_EQ(group.list->size(), 1u);
  const Entry wanted{"sip:a@x", "Ann", "", 7, true, true};
  EXPECT_EQ((*group.list)[0], wanted);
  EXPECT_TRUE(group.disabled);
  EXPECT_EQ(group.levels.priority, 255);
  EXPECT_EQ(group.max_participants, 40u);
  EXPECT_TRUE(group.levels.multicast_floor);
  EXPECT_EQ(group.owner, "sip:o@x");
  EXPECT_TRUE(group.preconfigured_only);
  ASSERT_TRUE(group.temporary.has_value());
  EXPECT_THAT(group.temporary->constituents, ElementsAre("sip:c@x"));
  EXPECT_EQ(group.plan, (KeyPlan{FloorKey::mkfc, Procedure::two}));
}

TEST(GroupDocument, NamesTheXcapErrorOfEachBreachOfForm) {
  EXPECT_EQ(kind_of("<group"), ErrorKind::not_well_formed);
  EXPECT_EQ(kind_of("<x/>"), ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of("<group xmlns=\"urn:oma:xml:poc:list-service\"/>"), ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of("<group xmlns=\"urn:oma:xml:poc:list-service\"><list-service uri=\"a\"/><list-service "
                    "uri=\"b\"/></group>"),
            ErrorKind::constraint_failure);
  EXPECT_EQ(kind_of(group_with("<list><entry/></list>")), ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of(group_with("<list><entry uri=\"a b\"/></list>")), ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of(group_with("<list/><list/>")), ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of(group_with("<list><external anchor=\"x\"/></list>")), ErrorKind::constraint_failure);
  EXPECT_EQ(kind_of(group_with("<list><entry uri=\"sip:a@x\"/><entry uri=\"sip:a@x\"/></list>")),
            ErrorKind::uniqueness_failure);
  EXPECT_EQ(kind_of(group_with("<mcpttgi:protect-media>yes</mcpttgi:protect-media>")),
            ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of(group_with("<mcpttgi:protect-media>true</"
                               "mcpttgi:protect-media><mcpttgi:protect-media>false</mcpttgi:protect-media>")),
            ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of(group_with("<mcpttgi:on-network-group-priority>256</mcpttgi:on-network-group-priority>")),
            ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of(group_with("<k:key-plan xmlns:k=\"urn:regroup:group:1\" floor-key=\"both\"/>")),
            ErrorKind::schema_validation_error);
  EXPECT_EQ(kind_of("<!DOCTYPE group><group xmlns=\"urn:oma:xml:poc:list-service\"/>"),
            ErrorKind::constraint_failure);
  EXPECT_EQ(kind_of("<group>\xff</group>"), ErrorKind::not_utf8);
  EXPECT_EQ(kind_of("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><group/>"), ErrorKind::not_utf8);
}

TEST(GroupDocument, RefusesHostileXmlQuickly) {
  for (const std::string& text : hostile_documents("group"))
    EXPECT_FALSE(parse_group_document(view(text)).ok()) << text.substr(0, 80);
  survives_damage(data("group.xml"),
                  [](const std::string& text) { (void)parse_group_document(view(text)).ok(); });
}

TEST(GroupDocument, TakesTenThousandMembersAndNotOneMore) {
  const auto list_of = [](int count) {
    std::string list = "<list>";
    for (int i = 0; i < count; ++i)
      list += "<entry uri=\"sip:member-" + std::to_string(i) + "@mcx.example\"><rl:display-name>Member " +
              std::to_string(i) +
              "</rl:display-name><mcpttgi:participant-type>participant</mcpttgi:participant-type></entry>";
    return list + "</list>";
  };
  const GroupDocument group = parsed(group_with(list_of(10'000)));
  EXPECT_EQ(group.list->size(), 10'000u);
  EXPECT_EQ(parsed(render(group, {.list = true, .regrouped = {}})).list, group.list);
  EXPECT_EQ(kind_of(group_with(list_of(10'001))), ErrorKind::constraint_failure);
  EXPECT_EQ(kind_of(group_with(std::string(std::size_t{4} << 20, ' '))), ErrorKind::constraint_failure);
}

TEST(GroupDocument, KeepsGroupIdsToTheOctet) {
  for (const char* uri : {"sip:g7%40@mcx.example", "sip:g;user=a@mcx.example", "SIP:G7@MCX.Example",
                          "tel:+49123;ext=4", "sip:a&amp;b@x", "sip:\xC3\xBC@x", "urn:x%2Fy"}) {
    const GroupDocument group = parsed(group_with("", uri));
    EXPECT_EQ(parsed(render(group, {})).uri, group.uri) << uri;
    EXPECT_EQ(parsed(write_group_document(group)).uri, group.uri) << uri;
  }
  EXPECT_EQ(parsed(group_with("", "SIP:G7@MCX.Example")).uri, "SIP:G7@MCX.Example");
  EXPECT_EQ(parsed(group_with("", "")).uri, "") << "how a client asks for an ID";
}

TEST(GroupDocument, RendersWithoutTheListAndWithTheRegroupsTheServerKnows) {
  const GroupDocument group = parsed(data("group.xml"));
  const std::string plain = render(group, {});
  EXPECT_THAT(plain, Not(HasSubstr("ann@mcx.example")));
  EXPECT_THAT(plain, Not(HasSubstr("on-network-regrouped")));
  EXPECT_THAT(plain, HasSubstr("Fire 1"));
  EXPECT_FALSE(parsed(plain).list.has_value());

  Regrouped one = group.regrouped[0];
  one.temporary = "sip:tmp-7@mcx.example";
  one.plan = KeyPlan{FloorKey::gmk, Procedure::one};
  const GroupDocument shown = parsed(render(group, {.list = true, .regrouped = {one, group.regrouped[0]}}));
  EXPECT_THAT(shown.regrouped, ElementsAre(one, group.regrouped[0]));
  EXPECT_EQ(shown.list, group.list);
  EXPECT_EQ(shown.root.children[0].children[2].name, "on-network-regrouped")
      << "behind the list, as in the example";
}

TEST(GroupDocument, RendersTheSameContentAsTheSameTextAndOtherContentAsOther) {
  const GroupDocument group = parsed(data("group.xml"));
  const Rendering all{.list = true, .regrouped = group.regrouped};
  EXPECT_EQ(render(group, all), render(parsed(render(group, all)), all));
  EXPECT_NE(render(group, all), render(group, {.list = true, .regrouped = {}}));
}

TEST(GroupDocument, ForeignElementsSurvive) {
  const std::string foreign =
      "<f:thing xmlns:f=\"urn:foreign\" a=\"1\">text<f:inner/></f:thing>"
      "<mcpttgi:mcvideo-protect-media>true</mcpttgi:mcvideo-protect-media>";
  const GroupDocument group = parsed(group_with(foreign));
  EXPECT_THAT(render(group, {}), HasSubstr(foreign));
}

TEST(GroupDocument, LetsAClientNeitherAddNorAlterNorRemoveWhatTheServerWrites) {
  const GroupDocument regrouped = parsed(data("group.xml"));
  const Managed now{regrouped.regrouped, std::nullopt};
  EXPECT_EQ(check_client_change(regrouped, now), std::nullopt) << "repeating it is fine";
  const auto added = check_client_change(regrouped, {});
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(added->kind, ErrorKind::constraint_failure);
  EXPECT_TRUE(check_client_change(parsed(render(regrouped, {})), now).has_value()) << "removed";
  GroupDocument altered = regrouped;
  altered.regrouped[0].levels.priority = 201;
  EXPECT_TRUE(check_client_change(altered, now).has_value());
  GroupDocument temporary = parsed(group_with(""));
  temporary.temporary.emplace();
  EXPECT_TRUE(check_client_change(temporary, {}).has_value());
}

TEST(GroupDocument, ShowsTheListOnlyToThoseARuleNames) {
  const std::string members = "<list><entry uri=\"sip:ann@x\"/></list>";
  const GroupDocument silent = parsed(group_with(members));
  EXPECT_FALSE(silent.may_see_list("sip:ann@x")) << "absent is false";
  const GroupDocument for_members = parsed(group_with(members + rule("<is-list-member/>", kSeeList)));
  EXPECT_TRUE(for_members.may_see_list("sip:ann@x"));
  EXPECT_FALSE(for_members.may_see_list("sip:eve@x"));
  const GroupDocument for_eve =
      parsed(group_with(members + rule("<cp:identity><cp:one id=\"sip:eve@x\"/></cp:identity>", kSeeList)));
  EXPECT_TRUE(for_eve.may_see_list("sip:eve@x"));
  EXPECT_FALSE(for_eve.may_see_list("sip:ann@x")) << "granted to one identity, not to all members";
  const GroupDocument both = parsed(group_with(
      members + rule("<is-list-member/><cp:identity><cp:one id=\"sip:eve@x\"/></cp:identity>", kSeeList)));
  EXPECT_FALSE(both.may_see_list("sip:eve@x")) << "all conditions must hold";
  EXPECT_TRUE(parsed(group_with(rule("", kSeeList))).may_see_list("sip:anyone@x"))
      << "no condition (RFC 4745)";
  const GroupDocument denied = parsed(group_with(rule("", replaced(kSeeList, "true", "false"))));
  EXPECT_FALSE(denied.may_see_list("sip:anyone@x"));
  const GroupDocument other_namespace =
      parsed(group_with(rule("", replaced(replaced(kSeeList, "mcpttgi:", "cp:"), "/mcpttgi:", "/cp:"))));
  EXPECT_FALSE(other_namespace.may_see_list("sip:anyone@x"));
}

TEST(GroupDocument, NeverWidensAConditionItDoesNotUnderstandAndDoesNotStoreIt) {
  for (const char* condition : {"<cp:validity><cp:from>2026-01-01T00:00:00Z</cp:from></cp:validity>",
                                "<cp:identity><cp:many domain=\"x\"/></cp:identity>",
                                "<is-list-member>false</is-list-member>", "<cp:sphere value=\"work\"/>",
                                "<cp:identity/><cp:identity/>", "<cp:identity><cp:one/></cp:identity>"}) {
    const GroupDocument group =
        parsed(group_with("<list><entry uri=\"sip:ann@x\"/></list>" + rule(condition, kSeeList)));
    EXPECT_FALSE(group.may_see_list("sip:ann@x")) << condition;
    const auto refused = check_client_change(group, {});
    ASSERT_TRUE(refused.has_value()) << condition;
    EXPECT_EQ(refused->kind, ErrorKind::constraint_failure);
  }
}

TEST(GroupDocument, WritesWhatItReadsBack) {
  GroupDocument group;
  group.uri = "sip:g@x";
  group.display_name = "A & B";
  group.list =
      std::vector<Entry>{{"sip:a@x", "Ann", "chair", 9, true, true}, {"sip:b@x", "", "", {}, false, false}};
  group.levels = {std::uint8_t{3}, true, false, true};
  group.invite_members = true;
  group.max_participants = 12;
  group.owner = "sip:o@x";
  group.plan = KeyPlan{FloorKey::gmk, Procedure::two};
  const GroupDocument again = parsed(write_group_document(group));
  EXPECT_EQ(again.uri, group.uri);
  EXPECT_EQ(again.display_name, group.display_name);
  EXPECT_EQ(again.list, group.list);
  EXPECT_EQ(again.levels, group.levels);
  EXPECT_EQ(again.invite_members, true);
  EXPECT_EQ(again.max_participants, 12u);
  EXPECT_EQ(again.owner, group.owner);
  EXPECT_EQ(again.plan, group.plan);
  EXPECT_TRUE(again.is_mcptt());
  EXPECT_EQ(again.root.children[0].children.back().name, "key-plan") << "last child of list-service (PR-27)";
  EXPECT_EQ(check_client_change(again, {}), std::nullopt);
  EXPECT_FALSE(again.may_see_list("sip:a@x"));
}

TEST(GroupDocument, ATemporaryGroupHasNoListAndSaysWhatItIs) {
  const Regrouped regrouped = parsed(data("group.xml")).regrouped[0];
  const GroupDocument group = parsed(write_group_document(temporary_group_document(regrouped, "Big fire")));
  EXPECT_EQ(group.uri, "sip:tmp-0042@mcx.example");
  EXPECT_FALSE(group.list.has_value());
  ASSERT_TRUE(group.temporary.has_value());
  EXPECT_EQ(group.temporary->constituents, regrouped.constituents);
  EXPECT_EQ(group.levels, regrouped.levels);
  EXPECT_TRUE(group.is_mcptt());
  EXPECT_TRUE(group.regrouped.empty());
}

}  // namespace
}  // namespace regroup::xcap
