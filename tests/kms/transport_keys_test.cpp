// SPDX-License-Identifier: Apache-2.0
#include "kms/transport_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kms/domain_alpha.hpp"

namespace regroup::kms {
namespace {

const mcx::McpttId kUser = test::id("sip:user.001@alpha.example");

ClientKeys fresh(const mcx::McpttId& identity, Random& random, Wrapping wrapping = Wrapping::w3) {
  ClientKeys out;
  out.wrapping = wrapping;
  out.keys.push_back(make_transport_keys(identity, random));
  return out;
}

TEST(TransportKeys, AreFreshAndNamedAfterTheirOwner) {
  test::SeededRandom random(5);
  const TransportKeys one = make_transport_keys(kUser, random), other = make_transport_keys(kUser, random);
  EXPECT_EQ(one.trk_id, "tk.0001.user.001@alpha.example");
  EXPECT_EQ(one.ink_id, "ink.0001.user.001@alpha.example");
  EXPECT_EQ(make_transport_keys(test::id("tel:+15550100"), random).trk_id, "tk.0001.+15550100");
  EXPECT_FALSE(ct_equal(one.trk.expose(), one.ink.expose()));
  EXPECT_FALSE(ct_equal(one.trk.expose(), other.trk.expose()));
  EXPECT_EQ(one.signing_id(), one.ink_id);
}

TEST(TransportKeys, OfAClientWithoutAnIntegrityKeyTheTransportKeySigns) {
  test::SeededRandom random(5);
  TransportKeys keys = make_transport_keys(kUser, random);
  keys.ink_id.clear();
  EXPECT_EQ(keys.signing_id(), keys.trk_id);
  EXPECT_TRUE(ct_equal(keys.signing_key().expose(), keys.trk.expose()));
}

TEST(TransportKeys, ComeBackAfterARestart) {
  test::SeededRandom random(6);
  Kms kms = test::alpha();
  (void)kms.take_changes();
  ClientKeys made = fresh(kUser, random, Wrapping::w2);
  made.signs = false;
  made.made = test::kAlphaNow;
  const TransportKeys kept = made.present().duplicate();
  ASSERT_TRUE(kms.transport_keys().add(kUser, std::move(made)).ok());
  const auto opened = test::reopened_alpha(test::kept(kms));
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  const ClientKeys* found = opened->transport_keys().find("SIP:user.001@ALPHA.example");
  ASSERT_TRUE(found) << "in any spelling of the host";
  EXPECT_FALSE(found->signs);
  EXPECT_EQ(found->wrapping, Wrapping::w2);
  EXPECT_EQ(found->made.seconds, test::kAlphaNow.seconds);
  EXPECT_EQ(found->present().trk_id, kept.trk_id);
  EXPECT_TRUE(ct_equal(found->present().trk.expose(), kept.trk.expose()));
  EXPECT_TRUE(ct_equal(found->present().ink.expose(), kept.ink.expose()));
  EXPECT_FALSE(opened->transport_keys().find("sip:user.002@alpha.example"));
}

TEST(TransportKeys, ASuccessorStandsBesideThemUntilItIsUsed) {
  test::SeededRandom random(9);
  TransportKeyStore store;
  EXPECT_EQ(store.offer_successor(kUser, test::kAlphaNow, random).error().code, Errc::unknown_group);
  ASSERT_TRUE(store.add(kUser, fresh(kUser, random)).ok());
  EXPECT_FALSE(store.promote(kUser.text())) << "nothing is offered";
  ASSERT_TRUE(store.offer_successor(kUser, test::kAlphaNow, random).value());
  EXPECT_FALSE(store.offer_successor(kUser, test::kAlphaNow, random).value()) << "one at a time";
  const ClientKeys* held = store.find(kUser.text());
  EXPECT_EQ(held->present().trk_id, "tk.0001.user.001@alpha.example");
  ASSERT_TRUE(held->successor());
  EXPECT_EQ(held->successor()->trk_id, "tk.0002.user.001@alpha.example");
  EXPECT_EQ(held->signing("ink.0002.user.001@alpha.example").trk_id, held->successor()->trk_id);
  EXPECT_EQ(held->signing("anything else").trk_id, held->present().trk_id);

  TransportKeyStore again;
  for (const Record& one : test::kept(store)) ASSERT_TRUE(again.take(one).ok());
  ASSERT_TRUE(again.find(kUser.text())->successor()) << "after a restart too";
  ASSERT_TRUE(again.promote("SIP:user.001@alpha.example"));
  EXPECT_EQ(again.find(kUser.text())->present().trk_id, "tk.0002.user.001@alpha.example");
  EXPECT_FALSE(again.find(kUser.text())->successor());
  EXPECT_EQ(test::kept(again).size(), 1U) << "the old one is gone from the disk too";
  ASSERT_TRUE(again.offer_successor(kUser, test::kAlphaNow, random).value());
  EXPECT_EQ(again.find(kUser.text())->successor()->trk_id, "tk.0003.user.001@alpha.example");
}

TEST(TransportKeys, LostOnesAreReplacedUnderAnotherName) {
  test::SeededRandom random(10);
  TransportKeyStore store;
  ASSERT_TRUE(store.add(kUser, fresh(kUser, random)).ok());
  ASSERT_TRUE(store.offer_successor(kUser, test::kAlphaNow, random).value());
  const Secret<32> old(store.find(kUser.text())->present().trk.expose());
  ASSERT_TRUE(store.replace(kUser, test::kAlphaNow, random).ok());
  const ClientKeys* held = store.find(kUser.text());
  EXPECT_EQ(held->present().trk_id, "tk.0003.user.001@alpha.example");
  EXPECT_FALSE(held->successor());
  EXPECT_FALSE(ct_equal(held->present().trk.expose(), old.expose()));
}

TEST(TransportKeys, AreGivenOnce) {
  test::SeededRandom random(7);
  TransportKeyStore store;
  ASSERT_TRUE(store.add(kUser, fresh(kUser, random)).ok());
  const auto again = store.add(test::id("sip:user.001@ALPHA.example"), fresh(kUser, random));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::conflict);
}

TEST(TransportKeys, RefusesARecordThatIsNone) {
  test::SeededRandom random(8);
  TransportKeyStore store;
  ASSERT_TRUE(store.add(kUser, fresh(kUser, random)).ok());
  const Record record = std::move(test::kept(store).at(0));
  const auto taken = [](std::string id, SecretOctets value) {
    return TransportKeyStore().take({"transport", std::move(id), std::move(value)});
  };
  ASSERT_TRUE(taken(record.id, record.value.duplicate()).ok());
  for (std::size_t size = 0; size < record.value.size(); ++size)
    EXPECT_FALSE(taken(record.id, SecretOctets(record.value.expose().first(size))).ok()) << size;
  const auto with = [&](std::size_t at, std::uint8_t octet) {
    SecretOctets changed = record.value.duplicate();
    changed.expose_mutable()[at] = octet;
    return taken(record.id, std::move(changed));
  };
  EXPECT_EQ(with(0, 2).error().code, Errc::unsupported) << "version";
  EXPECT_FALSE(taken("Sip:user.001@alpha.example", record.value.duplicate()).ok()) << "not folded";
  EXPECT_FALSE(with(2, 0).ok()) << "wrapping";
  EXPECT_FALSE(with(2, 4).ok());
  EXPECT_FALSE(with(3, 0).ok()) << "no key";
  EXPECT_FALSE(with(3, 3).ok()) << "more than there can be";
}

}  // namespace
}  // namespace regroup::kms
