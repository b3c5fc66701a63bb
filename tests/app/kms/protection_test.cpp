// SPDX-License-Identifier: Apache-2.0
#include "app/kms/protection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/kms/documents.hpp"
#include "app/kms/worked_keys.hpp"
#include "crypto/key_wrap.hpp"
#include "kms/domain_alpha.hpp"
#include "kmsxml/data.hpp"

namespace regroup::app {
namespace {

using kms::Wrapping;
using test::kms_document;
using test::worked_keys;
using testing::HasSubstr;

// The plain set of the same identity and period as in the wrapped worked example.
kmsxml::KmsKeySet plain_set() {
  auto sets = kmsxml::find_key_sets(view(kms_document("keyprov.xml"))).value();
  return std::move(sets[0]);
}

kmsxml::KmsKeyProv worked() {
  const auto keys = worked_keys();
  auto answer =
      kmsxml::open_response(view(kms_document("keyprov_wrapped_signed.xml")), signing_key_of(keys)).value();
  return std::get<kmsxml::KmsKeyProv>(std::move(answer.content));
}

void expect_same_keys(const kmsxml::KmsKeySet& a, const kmsxml::KmsKeySet& b) {
  EXPECT_FALSE(a.wrapped);
  EXPECT_TRUE(ct_equal(a.user_decrypt_key.expose(), b.user_decrypt_key.expose()));
  EXPECT_TRUE(ct_equal(a.user_signing_key_ssk.expose(), b.user_signing_key_ssk.expose()));
  EXPECT_EQ(a.user_pub_token_pvt, b.user_pub_token_pvt);
}

TEST(KmsProtection, OpensTheWorkedExampleToTheListedKeys) {
  kmsxml::KmsKeyProv provided = worked();
  ASSERT_EQ(provided.key_sets.size(), 1u);
  const auto unwrapped = unwrap(provided.key_sets[0], worked_keys());
  ASSERT_TRUE(unwrapped.ok()) << unwrapped.error().text();
  // The worked plain answer is another derivation of the same set: its RSK is the same, SSK and PVT are valid
  // too.
  EXPECT_TRUE(
      ct_equal(provided.key_sets[0].user_decrypt_key.expose(), plain_set().user_decrypt_key.expose()));
  const auto init = certificates_in(view(kms_document("init.xml"))).value();
  mcx::Domains domains;
  ASSERT_TRUE(domains.add(init[0]).ok());
  EXPECT_TRUE(key_set_of(provided.key_sets[0], domains).ok());

  EXPECT_EQ(hex(unwrap_transport_key(provided.new_transport_keys[0], worked_keys())->expose()),
            "820c395586ce2a6a3a168179ba3733d9f6b216baa7d7dc98f8a6dd2b9d42b3a4");
  EXPECT_EQ(hex(unwrap_transport_key(provided.new_integrity_keys[0], worked_keys())->expose()),
            "02a77ec8fd22224d70c6c597c63ac7739869753978f2e3a87845c03cca85bfdd");
}

TEST(KmsProtection, WrapsInThreeWaysAndOpensThemAll) {
  const struct {
    Wrapping wrapping;
    std::size_t rsk, ssk, pvt;
  } kCases[] = {{Wrapping::w1, 272, 40, 80}, {Wrapping::w2, 264, 40, 72}, {Wrapping::w3, 272, 40, 80}};
  for (const auto& one : kCases) {
    kmsxml::KmsKeySet set = plain_set();
    wrap(set, worked_keys(), one.wrapping);
    ASSERT_TRUE(set.wrapped);
    EXPECT_TRUE(set.user_decrypt_key.empty() && set.user_signing_key_ssk.empty() &&
                set.user_pub_token_pvt.empty());
    EXPECT_EQ(set.wrapped->user_decrypt_key.cipher.size(), one.rsk);
    EXPECT_EQ(set.wrapped->user_signing_key_ssk.cipher.size(), one.ssk);
    EXPECT_EQ(set.wrapped->user_pub_token_pvt.cipher.size(), one.pvt);
    EXPECT_EQ(set.wrapped->user_decrypt_key.key_name, "tk.0007.user.001@alpha.example");
    const bool padded = crypto::unwrap_key(crypto::KeyWrap::rfc5649, worked_keys().trk,
                                           set.wrapped->user_signing_key_ssk.cipher)
                            .ok();
    EXPECT_EQ(padded, one.wrapping == Wrapping::w1);
    ASSERT_TRUE(unwrap(set, worked_keys()).ok());
    expect_same_keys(set, plain_set());
  }
}

// The SSK of field data: zeros in front, or too short for a scalar (trap T-5).
TEST(KmsProtection, BringsAScalarToItsSize) {
  const auto with = [](const Octets& scalar) {
    kmsxml::KmsKeySet set = plain_set();
    wrap(set, worked_keys(), Wrapping::w3);
    set.wrapped->user_signing_key_ssk.cipher =
        crypto::wrap_key(crypto::KeyWrap::rfc5649, worked_keys().trk, scalar);
    const auto unwrapped = unwrap(set, worked_keys(), kmsxml::Profile::all_forms());
    return unwrapped.ok() ? hex(set.user_signing_key_ssk.expose()) : unwrapped.error().text();
  };
  const std::string ssk = hex(plain_set().user_signing_key_ssk.expose());
  EXPECT_EQ(with(test::unhex("0000" + ssk)), ssk);
  EXPECT_EQ(with(test::unhex(ssk.substr(2))), "00" + ssk.substr(2));
  EXPECT_THAT(with(test::unhex("0100" + ssk)), HasSubstr("34 octets"));
  EXPECT_THAT(with(Octets(65, 0)), HasSubstr("65 octets"));
}

TEST(KmsProtection, RefusesAnotherKeyAlteredOctetsAndOtherSizesByName) {
  const auto refusal = [](const auto& change) {
    kmsxml::KmsKeySet set = plain_set();
    wrap(set, worked_keys(), Wrapping::w3);
    kms::TransportKeys keys = worked_keys();
    change(*set.wrapped, keys);
    const auto unwrapped = unwrap(set, keys);
    EXPECT_FALSE(unwrapped.ok());
    return unwrapped.ok() ? Error{} : unwrapped.error();
  };
  const auto altered = [&](auto part, const char* name) {
    const Error error =
        refusal([&](kmsxml::WrappedKeys& keys, kms::TransportKeys&) { (keys.*part).cipher[9] ^= 1; });
    EXPECT_EQ(error.code, Errc::undecryptable);
    EXPECT_THAT(error.text(), HasSubstr(name));
  };
  altered(&kmsxml::WrappedKeys::user_decrypt_key, "UserDecryptKey");
  altered(&kmsxml::WrappedKeys::user_signing_key_ssk, "UserSigningKeySSK");
  altered(&kmsxml::WrappedKeys::user_pub_token_pvt, "UserPubTokenPVT");
  EXPECT_EQ(refusal([](auto&, kms::TransportKeys& keys) { keys.trk.expose_mutable()[0] ^= 1; }).code,
            Errc::undecryptable);
  const Error other = refusal([](auto&, kms::TransportKeys& keys) { keys.trk_id = "tk.0008.x"; });
  EXPECT_THAT(other.text(), HasSubstr("tk.0008.x"));
  const Error swapped = refusal([](kmsxml::WrappedKeys& keys, auto&) {
    std::swap(keys.user_decrypt_key.cipher, keys.user_pub_token_pvt.cipher);
  });
  EXPECT_THAT(swapped.text(), HasSubstr("UserDecryptKey: 65 octets"));
}

TEST(KmsProtection, WithoutATransportKeyAWrappedSetIsNoKeySet) {
  kmsxml::KmsKeySet set = plain_set();
  wrap(set, worked_keys(), Wrapping::w3);
  mcx::Domains domains;
  ASSERT_TRUE(domains.add(certificates_in(view(kms_document("init.xml"))).value()[0]).ok());
  const auto keys = key_set_of(set, domains);
  ASSERT_FALSE(keys.ok());
  EXPECT_THAT(keys.error().text(), HasSubstr("transport_keys"));
}

}  // namespace
}  // namespace regroup::app
