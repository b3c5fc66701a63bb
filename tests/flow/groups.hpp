// SPDX-License-Identifier: Apache-2.0
// Groups and expectations that the tests of the procedures share.
#pragma once

#include <gtest/gtest.h>

#include "flow/lab.hpp"
#include "gms/keying.hpp"

namespace regroup::test {
using namespace regroup::gms;  // NOLINT: test code in the words of gms/

inline const std::vector<std::string> kUsersA{"sip:user1@alpha.example", "sip:user2@alpha.example",
                                              "sip:user3@alpha.example"};
inline const std::vector<std::string> kUsersB{"sip:user1@beta.example", "sip:user2@beta.example",
                                              "sip:user3@beta.example"};
inline const std::string kFire = "sip:fire@alpha.example", kRescue = "sip:rescue@alpha.example",
                         kPolice = "sip:police@beta.example";

inline std::uint64_t seed() {
  const char* given = std::getenv("REGROUP_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20261124;
}

inline void make_groups(LabNetwork& net) {
  net.a->create_group(kFire, {kUsersA[0], kUsersA[1]});
  net.a->create_group(kRescue, {kUsersA[1], kUsersA[2]});
  net.b->create_group(kPolice, kUsersB);
  net.settle();
}

// Every member of both systems holds the same keys for the group.
inline void expect_same_keys(LabNetwork& net, const std::string& group,
                             const std::vector<std::string>& users_a, const std::vector<std::string>& users_b,
                             std::size_t uses) {
  const auto first = net.a->ues.at(users_a.front())->held(group);
  EXPECT_EQ(first.size(), uses);
  for (const std::string& user : users_a) EXPECT_EQ(net.a->ues.at(user)->held(group), first) << user;
  for (const std::string& user : users_b) EXPECT_EQ(net.b->ues.at(user)->held(group), first) << user;
}

inline void expect_all(const LabSystem& system, const std::string& group, Delivery state) {
  const auto rows = system.gms->ledger_of(group);
  EXPECT_FALSE(rows.empty()) << group;
  for (const LedgerRow* row : rows)
    EXPECT_EQ(name_of(row->state), name_of(state)) << row->member.text() << " " << row->reason;
}

}  // namespace regroup::test
