// SPDX-License-Identifier: Apache-2.0
// "Does it match the RFC, and what other vendors published?"
#include <gtest/gtest.h>

#include "crypto/curve/pairing.hpp"
#include "crypto/curve/scheme.hpp"
#include "crypto/sakke.hpp"
#include "vectors.hpp"

namespace regroup::crypto::sakke {
namespace {

using test::unhex;
using test::vectors;
using Set = ParameterSet1;
using F = FieldOf<Set>;

const nlohmann::json& rfc() {
  static const auto file = vectors("rfc6508.json");
  return file;
}
KmsPublicKey kms() { return KmsPublicKey::parse(unhex(rfc().at("Z"))).value(); }
Rsk rsk() { return Rsk::parse(unhex(rfc().at("RSK"))).value(); }
Octets identifier() { return unhex(rfc().at("b")); }

std::string text(const nlohmann::json& value) { return value.get<std::string>(); }

Affine<Set> point(const nlohmann::json& value) {
  static const std::map<std::string, std::string> names{{"[b]P+Z", "bP_plus_Z"}, {"RSK", "RSK"}, {"R", "R"}};
  const std::string name = text(value);
  if (name == "P") return Affine<Set>::generator();
  Affine<Set> out;
  EXPECT_EQ(parse_point<Set>(unhex(names.count(name) ? text(rfc().at(names.at(name))) : name), out),
            PointFlaw::none);
  return out;
}

template <class Value>
std::string hex_of(const Value& value) {
  Octets out(Value::kOctets);
  value.write(out);
  return hex(out);
}

TEST(SakkeRfc6508, MasterSecretGivesThePublishedPublicKey) {
  for (const char* name : {"z", "z_short"}) {
    const auto z = parse_master_secret(unhex(rfc().at(name)));
    ASSERT_TRUE(z.ok());
    EXPECT_EQ(hex(KmsPublicKey::derive(z.value()).octets()), text(rfc().at("Z")));
  }
}

TEST(SakkeRfc6508, ExtractsThePublishedReceiverKeysAndVerifiesThem) {
  const auto z = parse_master_secret(unhex(rfc().at("z"))).value();
  const auto extracted = extract(z, identifier());
  ASSERT_TRUE(extracted.ok());
  EXPECT_EQ(hex(extracted->octets().expose()), text(rfc().at("RSK")));
  EXPECT_TRUE(verify(kms(), identifier(), extracted.value()).ok());
  const auto other = extract(z, unhex(rfc().at("wrong_rsk").at("for_id")));
  EXPECT_EQ(hex(other->octets().expose()), text(rfc().at("wrong_rsk").at("RSK")));
  EXPECT_EQ(verify(kms(), identifier(), other.value()).error().code, Errc::bad_signature);
}

TEST(SakkeRfc6508, EncapsulatesToThePublishedOctets) {
  const auto key = kms();
  const auto id = identifier();
  const Recipient to{id, &key};
  const auto out = encapsulate(unhex(rfc().at("SSV")), {&to, 1});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(hex(out->front()), text(rfc().at("encapsulated_data")));
}

TEST(SakkeRfc6508, DecapsulatesThePublishedOctets) {
  const auto ssv = decapsulate(kms(), identifier(), rsk(), unhex(rfc().at("encapsulated_data")));
  ASSERT_TRUE(ssv.ok());
  EXPECT_EQ(hex(ssv->expose()), text(rfc().at("SSV")));
}

TEST(SakkeRfc6508, EveryIntermediateValueIsThePublishedOne) {
  const auto& step = rfc().at("HashToIntegerRange_r");
  Octets v(128);
  hash_blocks({unhex(step.at("s"))}, v);
  EXPECT_EQ(hex(v), text(step.at("v_concat")));
  const auto r = scheme::derive_r<Set>(unhex(rfc().at("SSV")), identifier());
  EXPECT_EQ(hex_of(r), text(rfc().at("r")));
  const auto w = Generators<Set>::get().g.power(Digits<Set>(r));
  const F value = w.im * w.re.inverse();
  EXPECT_EQ(hex_of(value), text(rfc().at("g_pow_r")));
  Octets mask(16);
  scheme::apply_mask<Set>(value, scheme::MaskRule::rfc6508, mask);
  EXPECT_EQ(hex(mask), text(rfc().at("mask")));
  Octets mask_v1(32);
  scheme::apply_mask<Set>(value, scheme::MaskRule::rfc6508, mask_v1);
  EXPECT_EQ(hex(mask_v1), text(rfc().at("mask_v1")));
  Affine<Set> z;
  ASSERT_EQ(parse_point<Set>(unhex(rfc().at("Z")), z), PointFlaw::none);
  Fixed<kPoint> q;
  scheme::identity_point<Set>(z, identifier())->write(q);
  EXPECT_EQ(hex(q), text(rfc().at("bP_plus_Z")));
}

TEST(SakkeRfc6508, PairingsHaveThePublishedValuesInEitherOrderAndByFixedLines) {
  ASSERT_EQ(rfc().at("pairing").size(), 4U);
  for (const auto& entry : rfc().at("pairing")) {
    const auto a = point(entry.at("A")), b = point(entry.at("B"));
    for (const auto& w :
         {pairing(a, b), pairing(b, a), FixedLines<Set>(a).pairing(b), FixedLines<Set>(b).pairing(a)})
      EXPECT_EQ(hex_of(w.im * w.re.inverse()), text(entry.at("result")));
  }
}

TEST(SakkeRfc6508, PowersInPfpHaveThePublishedValues) {
  ASSERT_EQ(rfc().at("pf_pow").size(), 3U);
  for (const auto& entry : rfc().at("pf_pow")) {
    Mask fits = 0;
    const F base = F::parse(unhex(entry.at("base")), fits);
    ASSERT_TRUE(fits);
    const auto exponent = limbs_from_octets<16>(unhex(entry.at("exp")));
    const auto slow = power_vartime(Fp2<F>::of(base), exponent);
    EXPECT_EQ(hex_of(slow.im * slow.re.inverse()), text(entry.at("result")));
    ASSERT_EQ(hex_of(base), text(rfc().at("g")));  // so the table of g must agree
    const auto fast = Generators<Set>::get().g.power(Digits<Set>(ScalarOf<Set>::of(exponent)));
    EXPECT_EQ(hex_of(fast.im * fast.re.inverse()), text(entry.at("result")));
  }
}

TEST(SakkeRfc6508, RefusesEveryNegativeEntryWithOneAnswer) {
  std::set<std::string> answers;
  ASSERT_EQ(rfc().at("negative").size(), 9U + 1U);
  for (const auto& entry : rfc().at("negative")) {
    const auto ssv = decapsulate(kms(), identifier(), rsk(), unhex(entry.at("encapsulated_data")));
    ASSERT_FALSE(ssv.ok()) << entry.at("name");
    EXPECT_EQ(ssv.error().code, Errc::undecryptable);
    answers.insert(ssv.error().text());
  }
  EXPECT_EQ(answers.size(), 1U);
}

TEST(SakkeRfc6508, AKeyOfAnotherIdentifierDoesNotOpen) {
  const auto wrong = Rsk::parse(unhex(rfc().at("wrong_rsk").at("RSK")));
  ASSERT_TRUE(wrong.ok());
  const auto message = unhex(rfc().at("encapsulated_data"));
  EXPECT_EQ(decapsulate(kms(), identifier(), wrong.value(), message).error().code, Errc::undecryptable);
  const auto other_id = unhex(rfc().at("wrong_rsk").at("for_id"));
  EXPECT_EQ(decapsulate(kms(), other_id, wrong.value(), message).error().code, Errc::undecryptable);
  EXPECT_EQ(decapsulate(kms(), other_id, rsk(), message).error().code, Errc::undecryptable);
}

// The value of g^r begins with a zero octet here: a stripped encoding gives another H.
TEST(SakkeRfc6508, KeepsTheLeadingZeroOctetOfAPower) {
  const auto key = kms();
  const auto id = identifier();
  const Recipient to{id, &key};
  const auto ssv = unhex(std::string("123456789abcdef0123456789abcdfb3"));
  const auto w = Generators<Set>::get().g.power(Digits<Set>(scheme::derive_r<Set>(ssv, id)));
  const std::string power = hex_of(w.im * w.re.inverse());
  EXPECT_EQ(power.substr(0, 16), "009ad1127dd5824d");
  EXPECT_EQ(power.substr(240), "2319b56d11f8831e");
  const auto out = encapsulate(ssv, {&to, 1});
  EXPECT_EQ(hex(OctetsView(out->front()).last(16)), "9808a9bd0c39375c99b6bf34f6aa8672");
  EXPECT_EQ(hex(decapsulate(key, id, rsk(), out->front())->expose()), hex(ssv));
}

TEST(SakkeVendors, A256BitValueHasThePublishedMaskAndOpensUnderBothRules) {
  const auto file = vectors("vendor-messages.json");
  const auto& entry = file.at("ssv32");
  const auto key = kms();
  const auto id = identifier();
  const Recipient to{id, &key};
  const auto out = encapsulate(unhex(entry.at("ssv")), {&to, 1});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(hex(out->front()), text(entry.at("r_point")) + text(entry.at("h_rule_a")));
  for (const char* rule : {"h_rule_a", "h_rule_b"}) {
    const auto message = unhex(text(entry.at("r_point")) + text(entry.at(rule)));
    const auto ssv = decapsulate(key, id, rsk(), message, 32);
    ASSERT_TRUE(ssv.ok()) << rule;
    EXPECT_EQ(hex(ssv->expose()), text(entry.at("ssv")));
    EXPECT_EQ(decapsulate(key, id, rsk(), message).error().code, Errc::undecryptable);  // not asked for
  }
}

TEST(SakkeVendors, PublishedReceiverKeysVerifyExactlyWhereTheirFlagSaysSo) {
  std::size_t good = 0, bad = 0;
  const auto file = vectors("vendor-messages.json");
  for (const auto& domain : file.at("domains")) {
    const auto key = KmsPublicKey::parse(unhex(domain.at("Z")));
    ASSERT_TRUE(key.ok());
    for (const auto& user : domain.at("users")) {
      const auto rsk = Rsk::parse(unhex(user.at("rsk")));
      const bool verified = rsk.ok() && verify(key.value(), unhex(user.at("uid")), rsk.value()).ok();
      EXPECT_EQ(verified, user.at("rsk_ok").get<bool>()) << user.at("uri");
      ++(verified ? good : bad);
    }
  }
  EXPECT_EQ(good, 7U);
  EXPECT_EQ(bad, 1U);
}

}  // namespace
}  // namespace regroup::crypto::sakke
