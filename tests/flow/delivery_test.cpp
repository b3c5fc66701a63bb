// SPDX-License-Identifier: Apache-2.0
// What the ledger believes of each payload, and what it takes for no news (docs/flows.md; PR-33).
#include "gms/delivery.hpp"

#include <gtest/gtest.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

const std::string kStranger = "sip:stranger@nowhere.example";

// A group that is made, and nothing of it delivered yet.
struct DeliveryStates : testing::Test {
  DeliveryStates() : net(seed()) { net.a->create_group(kFire, {kUsersA[0], kUsersA[1], kStranger}); }
  [[nodiscard]] const LedgerRow& row(const std::string& member) const {
    for (const LedgerRow* one : net.a->gms->ledger_of(kFire))
      if (one->member.text() == member && !net.a->gms->state().keys.at(one->key).withdrawn) return *one;
    throw std::runtime_error(member + " has no row");
  }
  [[nodiscard]] std::string state(const std::string& member) const {
    return std::string(name_of(row(member).state));
  }
  void fetch(const std::string& member) { net.a->carry_out(fetched(*net.a->gms, member, kFire)); }
  void notify(const std::string& member, const std::vector<Fixed<32>>& carried = {}) {
    net.a->carry_out(notified(*net.a->gms, member, {kFire}, carried));
  }
  void receipt(const std::string& member, const std::string& result, const Fixed<32>& message) {
    net.a->carry_out(received(*net.a->gms, member, Receipt{message, result, kFire}));
  }
  void receipt(const std::string& member, const std::string& result) {
    receipt(member, result, row(member).hash);
  }
  LabNetwork net;
};

TEST_F(DeliveryStates, MoveForwardOnly) {
  const std::string& member = kUsersA[0];
  notify(member);
  EXPECT_EQ(state(member), "NOTIFIED");
  fetch(member);
  EXPECT_EQ(state(member), "FETCHED");
  notify(member);
  EXPECT_EQ(state(member), "FETCHED");
  receipt(member, "installed");
  fetch(member);
  notify(member, {row(member).hash});
  receipt(member, "expired");
  EXPECT_EQ(state(member), "INSTALLED");
  EXPECT_EQ(state(kUsersA[1]), "PREPARED") << "the other has said nothing";
}

// The client's receipt and its answer to the NOTIFY travel on two connections: either may be first.
TEST_F(DeliveryStates, AReceiptForADocumentThatNobodyHasReadProvesTheNotification) {
  const std::string &first = kUsersA[0], &second = kUsersA[1];
  receipt(first, "installed");
  EXPECT_TRUE(row(first).by_notify);
  notify(first, {row(first).hash});
  EXPECT_TRUE(row(first).by_notify);
  notify(second);
  fetch(second);
  receipt(second, "installed");
  EXPECT_FALSE(row(second).by_notify) << "it was fetched";
  notify(second, {row(second).hash});
  EXPECT_FALSE(row(second).by_notify) << "and came once more";
}

TEST_F(DeliveryStates, FailedAndUnkeyedStayUntilANewPayload) {
  const std::string& member = kUsersA[0];
  receipt(member, "bad-signature");
  fetch(member);
  notify(member, {row(member).hash});
  receipt(member, "installed");
  receipt(member, "expired");
  EXPECT_EQ(state(member), "FAILED");
  EXPECT_EQ(row(member).reason, "bad-signature");
  fetch(kStranger);
  notify(kStranger, {Fixed<32>{}});
  for (const char* result : {"installed", "expired"}) receipt(kStranger, result, Fixed<32>{});
  EXPECT_EQ(state(kStranger), "UNKEYED");
  const LedgerRow old = row(member);
  net.a->create_group(kFire, {member, kStranger});
  EXPECT_EQ(state(member), "PREPARED");
  receipt(member, "withdrawn", old.hash);
  EXPECT_EQ(net.a->gms->state().ledger.at({old.key, member}).state, Delivery::failed);
}

TEST_F(DeliveryStates, AReceiptForASupersededPayloadChangesNothing) {
  const Fixed<32> old = row(kUsersA[0]).hash;
  const GmkId key = row(kUsersA[0]).key;
  net.a->create_group(kFire, {kUsersA[0], kStranger});
  for (const char* result : {"installed", "undecryptable"}) {
    receipt(kUsersA[0], result, old);
    EXPECT_EQ(state(kUsersA[0]), "PREPARED") << result;
    EXPECT_EQ(name_of(net.a->gms->state().ledger.at({key, kUsersA[0]}).state), "PREPARED") << result;
  }
}

}  // namespace
}  // namespace regroup::test
