// SPDX-License-Identifier: Apache-2.0
// TS 33.179 7.3.5.1: any authorised entity can create and key a group from nothing but MCPTT IDs; its key
// material is that of any user, and what sets it apart is that others have its identity on their lists.
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "mikey/message.hpp"
#include "process/traces.hpp"
#include "process/two_systems.hpp"
#include "xcap/address.hpp"
#include "xcap/group_document.hpp"

namespace regroup::process {
namespace {

using testing::HasSubstr;
using testing::Not;

class Authority : public TwoSystems {
 protected:
  static json row_of(const std::string& group, const std::string& member) {
    const json known = ledger(alpha(), group);
    for (const json& row : known["rows"])
      if (row.value("member", "") == member) return row;
    return json::object();
  }
  static std::string initiator_of(const json& row) {
    const auto message = mikey::parse(from_base64(row.value("message", "")).value());
    return message.ok() ? std::string(message->initiator.text()) : message.error().text();
  }
};

TEST_F(Authority, OfAUserLikeIdentityKeysAGroupForWhoeverListsItAndForNobodyElse) {
  const std::string watch = alpha().group("watch"), outsider = alpha().outsider;
  for (const std::string& user : alpha().users)
    EXPECT_THAT(contents(alpha().file("gms.toml")), Not(HasSubstr(user)));
  auto other = lab().start_client(alpha(), outsider);
  ASSERT_TRUE(other.ok()) << other.error().text();

  std::vector<std::string> members = alpha().users;
  members.push_back(outsider);
  const Ending created = create(alpha(), alpha().dispatcher, watch, members);
  ASSERT_EQ(created.code, 0) << created.err;
  EXPECT_TRUE(wait_until([&] { return missing(alpha(), watch, 1, "INSTALLED").empty(); }))
      << missing(alpha(), watch, 1, "INSTALLED");
  for (const std::string& user : alpha().users) {
    const json row = row_of(watch, user);
    EXPECT_EQ(initiator_of(row), kUserLikeGms);
    EXPECT_EQ(lab().fingerprint(user, watch, row.value("key", "")),
              ledger(alpha(), watch)["keys"][0].value("key_fingerprint", "-"));
  }

  EXPECT_TRUE(wait_until([&] { return row_of(watch, outsider).value("state", "") == "FAILED"; }))
      << row_of(watch, outsider).dump();
  EXPECT_EQ(row_of(watch, outsider).value("reason", ""), "not-authorised");
  EXPECT_EQ((*other)->stop(), 0);
  EXPECT_EQ(lab().fingerprint(outsider, watch, row_of(watch, outsider).value("key", "")), "");
  EXPECT_TRUE(ring_of(alpha(), outsider, watch).empty());
  EXPECT_THAT(contents(alpha().file("outsider.log")), HasSubstr(kUserLikeGms));
}

TEST_F(Authority, ToCreateIsRefusedWith403ToARequesterOffTheList) {
  const std::string group = alpha().group("upstart");
  const Ending refused = create(alpha(), alpha().outsider, group, alpha().users);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("403"));

  xcap::GroupDocument document;
  document.uri = group;
  document.list.emplace();
  for (const std::string& user : alpha().users) document.list->emplace_back().uri = user;
  for (const std::string& xui : {alpha().gms_uri, alpha().rogue}) {
    xcap::Address address;
    address.auid = std::string(xcap::auid::kGroups);
    address.global = false;
    address.xui = xui;
    address.names = {"group.xml"};
    const auto put = lab().as_client(alpha(), alpha().rogue, "PUT", xcap::write_address(address),
                                     std::string(xcap::mime::kGroup), xcap::write_group_document(document));
    ASSERT_TRUE(put.ok()) << put.error().text();
    EXPECT_EQ(put->status, 403U) << xui;
  }
  EXPECT_TRUE(ledger(alpha(), group)["keys"].empty());
}

}  // namespace
}  // namespace regroup::process
