// SPDX-License-Identifier: Apache-2.0
// Group creation (TS 33.179 7.3.4): whole systems in one process.
#include "flow/group_creation.hpp"

#include <gtest/gtest.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

TEST(GroupCreation, KeysEveryMemberAndHearsThatItIsInstalled) {
  LabNetwork net(seed());
  make_groups(net);
  expect_same_keys(net, kFire, {kUsersA[0], kUsersA[1]}, {}, 1);
  expect_all(*net.a, kFire, Delivery::installed);
  EXPECT_TRUE(net.a->ues.at(kUsersA[2])->held(kFire).empty()) << "not a member";
}

TEST(GroupCreation, AMemberOfNoKnownKmsIsUnkeyedAndTheRestIsKeyed) {
  LabNetwork net(seed());
  net.a->create_group(kFire, {kUsersA[0], "sip:stranger@nowhere.example"});
  net.settle();
  const auto rows = net.a->gms->ledger_of(kFire);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]->state, Delivery::unkeyed);
  EXPECT_EQ(rows[0]->reason, "no-kms");
  EXPECT_EQ(rows[1]->state, Delivery::installed);
}

TEST(GroupCreation, NothingIsSealedToADomainWhoseCertificateIsRevokedOrExpired) {
  LabNetwork net(seed());
  const mcx::KmsCertificate* beta = nullptr;
  for (const mcx::KmsCertificate& one : net.domains.all())
    if (one.kms_uri.text() == "kms.beta.example") beta = &one;
  ASSERT_NE(beta, nullptr);
  mcx::KmsCertificate changed = *beta;
  changed.valid_to = net.clock.now().plus(-1);
  ASSERT_TRUE(net.domains.add(changed).ok());
  net.a->create_group(kFire, {kUsersA[0], kUsersB[0]});
  net.settle();
  const auto row_of_beta = [&] {
    for (const auto* row : net.a->gms->ledger_of(kFire))
      if (row->member.text() == kUsersB[0]) return row;
    throw std::runtime_error("no row");
  };
  EXPECT_EQ(row_of_beta()->reason, "kms-not-usable");
  changed.revoked = true;
  ASSERT_TRUE(net.domains.add(changed).ok());
  net.a->create_group(kRescue, {kUsersA[0], kUsersB[0]});
  net.settle();
  for (const auto* row : net.a->gms->ledger_of(kRescue))
    EXPECT_EQ(row->state == Delivery::unkeyed, row->member.text() == kUsersB[0]) << row->member.text();
}

TEST(GroupCreation, TheSameRequestAgainMakesNoSecondKey) {
  LabNetwork net(seed());
  make_groups(net);
  const std::size_t keys = net.a->gms->state().keys.size();
  net.a->create_group(kFire, {kUsersA[0], kUsersA[1]});
  net.settle();
  EXPECT_EQ(net.a->gms->state().keys.size(), keys);
}

TEST(GroupCreation, WhoIsNotOnTheListOfCreatorsIsRefusedAndNothingIsStored) {
  LabNetwork net(seed());
  GroupRequest request;
  request.id = GroupId::parse(kFire).value();
  const auto outcome = flow::group_creation(*net.a->gms, kUsersA[0], request);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::not_authorised);
  EXPECT_TRUE(net.a->gms->state().groups.empty());
}

}  // namespace
}  // namespace regroup::test
