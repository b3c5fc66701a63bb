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

TEST(TransportKeys, AreStoredSealedAndComeBack) {
  test::SeededRandom random(6);
  Kms kms = test::alpha();
  EXPECT_TRUE(kms.seal(test::vault(), random).transport.empty());
  ClientKeys made = fresh(kUser, random, Wrapping::w2);
  made.signs = false;
  const TransportKeys kept = made.present().duplicate();
  ASSERT_TRUE(kms.transport_keys().add(kUser, std::move(made)).ok());

  const SealedState state = kms.seal(test::vault(), random);
  const auto opened = Kms::open(state, test::vault());
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  const ClientKeys* found = opened->transport_keys().find("SIP:user.001@ALPHA.example");
  ASSERT_TRUE(found) << "in any spelling of the host";
  EXPECT_FALSE(found->signs);
  EXPECT_EQ(found->wrapping, Wrapping::w2);
  EXPECT_EQ(found->present().trk_id, kept.trk_id);
  EXPECT_TRUE(ct_equal(found->present().trk.expose(), kept.trk.expose()));
  EXPECT_TRUE(ct_equal(found->present().ink.expose(), kept.ink.expose()));
  EXPECT_FALSE(opened->transport_keys().find("sip:user.002@alpha.example"));

  SealedState exchanged = state;
  exchanged.transport = exchanged.registry;
  EXPECT_FALSE(Kms::open(exchanged, test::vault()).ok());
  for (const Octets* one : {&state.transport, &state.registry})
    EXPECT_EQ(text_of(*one).find(text_of(kept.trk.expose())), std::string::npos);
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
  const SecretOctets record = store.write();
  ASSERT_TRUE(TransportKeyStore::parse(record.expose()).ok());
  for (std::size_t size = 1; size < record.size(); ++size)
    EXPECT_FALSE(TransportKeyStore::parse(record.expose().first(size)).ok()) << size;
  const auto with = [&](std::size_t at, std::uint8_t octet) {
    SecretOctets changed = record.duplicate();
    changed.expose_mutable()[at] = octet;
    return TransportKeyStore::parse(changed.expose());
  };
  EXPECT_EQ(with(0, 2).error().code, Errc::unsupported) << "version";
  EXPECT_FALSE(with(7, 'S').ok()) << "an identity that is not folded";
  const std::size_t wrapping = 1 + 4 + 2 + kUser.text().size() + 1;
  EXPECT_FALSE(with(wrapping, 0).ok());
  EXPECT_FALSE(with(wrapping, 4).ok());
  EXPECT_FALSE(with(wrapping + 1, 0).ok()) << "no key";
}

}  // namespace
}  // namespace regroup::kms
