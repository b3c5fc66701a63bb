// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "crypto/eccsi/signing.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/random.hpp"
#include "vectors.hpp"

namespace regroup::crypto::eccsi {
namespace {

using test::SeededRandom;
using test::unhex;
using test::vectors;

const std::string kP = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const std::string kQ = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const std::string kQMinus1 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
const std::string kZero(64, '0');

Fixed<32> fixed32(const std::string& text) { return fixed_from_hex<32>(text).value(); }
Scalar scalar(const std::string& text) { return std::move(*Scalar::parse(fixed32(text))); }
Ssk ssk_of(const std::string& text) { return Ssk(fixed32(text)); }
std::string hex_of(const Scalar& x) { return hex(x.octets().expose()); }

// The people and values of RFC 6507 Appendix A.
struct Sample {
  nlohmann::json v = vectors("rfc6507.json");
  std::string text(const char* name) const { return v.at(name).get<std::string>(); }
  Octets octets(const char* name) const { return unhex(v.at(name)); }
  Kpak kpak = Kpak::parse(octets("KPAK")).value();
  Ksak ksak = parse_ksak(octets("KSAK")).value();
  UserKey user = UserKey::validate(kpak, octets("ID"), ssk_of(text("SSK")), octets("PVT")).value();
  Result<void> verify(const Octets& signature) const {
    return eccsi::verify(kpak, octets("ID"), octets("message"), signature);
  }
};

Octets with(Octets octets, std::size_t at, const std::string& replacement) {
  const Octets part = unhex(replacement);
  std::copy(part.begin(), part.end(), octets.begin() + static_cast<std::ptrdiff_t>(at));
  return octets;
}

TEST(Eccsi, ReproducesEveryValueOfRfc6507AppendixA) {
  const Sample s;
  EXPECT_EQ(hex(Kpak::derive(s.ksak).octets()), s.text("KPAK"));
  const PointOctets pvt = times_generator(scalar(s.text("v")));
  EXPECT_EQ(hex(pvt), s.text("PVT"));
  const Fixed<32> hs = hash_identity(s.kpak.octets(), s.octets("ID"), pvt);
  EXPECT_EQ(hex(hs), s.text("HS"));
  EXPECT_EQ(hex(ssk_with_v(s.ksak, hs, scalar(s.text("v"))).value().expose()), s.text("SSK"));

  const PointOctets j = times_generator(scalar(s.text("j")));
  EXPECT_EQ(hex(j), s.text("J"));
  const Octets r(j.begin() + 1, j.begin() + 33);
  EXPECT_EQ(hex(r), s.text("r"));
  const Fixed<32> he = hash_message(hs, r, s.octets("message"));
  EXPECT_EQ(hex(he), s.text("HE"));
  const Scalar e = Scalar::reduce(he).plus(Scalar::reduce(fixed32(hex(r))).times(scalar(s.text("SSK"))));
  EXPECT_EQ(hex_of(e), s.text("HE_plus_r_SSK_mod_q"));
  EXPECT_EQ(hex_of(e.inverse().times(scalar(s.text("j")))), s.text("s"));
  const Scalar h = Scalar::reduce(hs), one = Scalar::one(), zero;
  EXPECT_EQ(hex(combine_vartime(zero, {&h, &pvt}, {&one, &s.kpak.octets()}).value()), s.text("Y"));
}

TEST(Eccsi, ReplaysTheSignatureOfRfc6507AndAcceptsIt) {
  const Sample s;
  EXPECT_EQ(hex(sign_with_j(s.user, s.octets("message"), scalar(s.text("j"))).value()), s.text("signature"));
  EXPECT_TRUE(s.verify(s.octets("signature")).ok());
  EXPECT_EQ(s.octets("signature").size(), s.v.at("signature_len").get<std::size_t>());
  EXPECT_EQ(hex(s.user.hs()), s.text("HS"));
}

TEST(Eccsi, RefusesEveryNegativeEntry) {
  const Sample s;
  ASSERT_EQ(s.v.at("negative").size(), 11U);
  for (const auto& entry : s.v.at("negative")) {
    ASSERT_EQ(entry.at("expect").get<std::string>(), "reject");
    const Kpak kpak = Kpak::parse(unhex(entry.at("kpak"))).value();
    const auto result =
        verify(kpak, unhex(entry.at("id")), unhex(entry.at("message")), unhex(entry.at("signature")));
    ASSERT_FALSE(result.ok()) << entry.at("name");
    EXPECT_FALSE(result.error().detail.empty());
  }
}

TEST(Eccsi, KeepsLeadingZeroOctetsOfHashesAndOfR) {
  // TS 33.179 F.2.1 with key period number 1779, which makes HS begin with a zero octet.
  std::string input;
  const auto file = vectors("3gpp-derivations.json");
  for (const auto& entry : file.at("uid"))
    if (entry.at("uri") == "sip:user.001@mcptt.example.org" && entry.at("kms_uri") == "kms.example.org" &&
        entry.at("key_period_no") == 1533 && entry.at("key_period_offset_s") == 0)
      input = entry.at("S");
  ASSERT_EQ(input.substr(input.size() - 8), "05fd0002");
  const Fixed<32> uid = sha256(unhex(input.replace(input.size() - 8, 4, "06f3")));
  const Sample s;
  const Scalar v = scalar("0000000000000000000000000000000000000000000000000000000000023456");
  const PointOctets pvt = times_generator(v);
  const Fixed<32> hs = hash_identity(s.kpak.octets(), uid, pvt);
  EXPECT_EQ(hex(hs), "00660d7a6633216444a5b0e084fd709278d8955b91120dcbe12d982a76b72cde");
  const UserKey user = UserKey::validate(s.kpak, uid, ssk_with_v(s.ksak, hs, v).value(), pvt).value();

  const Scalar j = scalar("000000000000000000000000000000000000000000000000000000000000017b");
  const auto signature = sign_with_j(user, s.octets("message"), j).value();
  EXPECT_EQ(hex(OctetsView(signature).first(32)),
            "005543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a");
  EXPECT_TRUE(verify(s.kpak, uid, s.octets("message"), signature).ok());
}

TEST(Eccsi, TakesTheKeyPairsOfOtherVendorsAndRefusesTheOneThatDoesNotFit) {
  int accepted = 0, refused = 0;
  const auto file = vectors("vendor-messages.json");
  for (const auto& domain : file.at("domains")) {
    const Kpak kpak = Kpak::parse(unhex(domain.at("KPAK"))).value();
    for (const auto& user : domain.at("users")) {
      const auto key = UserKey::validate(kpak, unhex(user.at("uid")),
                                         ssk_of(user.at("ssk").get<std::string>()), unhex(user.at("pvt")));
      EXPECT_EQ(key.ok(), user.at("pair_ok").get<bool>()) << user.at("uri");
      ++(key.ok() ? accepted : refused);
    }
  }
  EXPECT_EQ(accepted, 7);
  EXPECT_EQ(refused, 1);
}

TEST(Eccsi, RefusesTheForgeryOfZeroSignatures) {
  // r = s = 0 (or q, or p) makes J the neutral element, which some verifiers compare as x = 0 and accept.
  const Sample s;
  for (const std::string& r : {kZero, kQ, kP})
    for (const std::string& z : {kZero, kQ}) {
      const Octets forged = with(with(s.octets("signature"), 0, r), 32, z);
      const auto result = verify(s.kpak, view("anybody"), view("transfer all the groups"), forged);
      ASSERT_FALSE(result.ok()) << r << " " << z;
      EXPECT_EQ(result.error().code, Errc::bad_signature);
    }
}

TEST(Eccsi, RefusesOutOfRangeComponentsByName) {
  const Sample s;
  const Octets good = s.octets("signature");
  const std::vector<std::tuple<std::size_t, std::string, std::string>> cases = {
      {0, kZero, "r of"},
      {0, kP, "r of"},
      {0, std::string(64, 'f'), "r of"},
      {32, kZero, "s of"},
      {32, kQ, "s of"},
      {32, std::string(64, 'f'), "s of"},
      {64, "00", "PVT"},
      {64, "02", "PVT"},
      {64, "03", "PVT"},
      {64, "06", "PVT"},
      {64, "07", "PVT"},
      {65, kP, "coordinate"},
      {97, kP, "coordinate"},
      {65, std::string(128, '0'), "not a point"}};
  for (const auto& [at, value, name] : cases) {
    const auto result = s.verify(with(good, at, value));
    ASSERT_FALSE(result.ok()) << at << " " << value;
    EXPECT_EQ(result.error().code, Errc::bad_signature);
    EXPECT_NE(result.error().detail.find(name), std::string::npos) << result.error().detail;
  }
  for (const std::size_t size : {0U, 1U, 64U, 128U, 130U, 4096U}) {
    Octets other = good;
    other.resize(size);
    ASSERT_FALSE(s.verify(other).ok()) << size;
    EXPECT_EQ(s.verify(other).error().code, Errc::malformed);
  }
}

TEST(Eccsi, AcceptsAnSThatIsTheNegativeOnlyWhenTheEquationSaysSo) {
  // [-s] gives -J, whose x is the same: RFC 6507 compares x only, so (r, q - s) verifies as well. This is the
  // published equation, not an oversight; nothing in this system identifies a message by its signature.
  const Sample s;
  const Scalar minus_one = scalar(kQMinus1);
  const std::string negated = hex_of(scalar(s.text("s")).times(minus_one));
  EXPECT_TRUE(s.verify(with(s.octets("signature"), 32, negated)).ok());
}

// No one can make a valid signature whose r lies in q..p-1: that needs the logarithm of a point with such an
// x, and only one point in 2^128 has one. What can be shown is that the range is the one of F_p and that HE
// hashes r as it stands.
TEST(Eccsi, NeitherRefusesNorReducesAnRBetweenQAndP) {
  const std::string between = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552";
  EXPECT_TRUE(is_field_unit(unhex(between)));
  EXPECT_TRUE(is_field_unit(unhex(kQ)));
  EXPECT_FALSE(is_field_unit(unhex(kP)));
  EXPECT_FALSE(is_field_unit(unhex(kZero)));
  const Sample s;
  const auto result = s.verify(with(s.octets("signature"), 0, between));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().detail.find("r of the signature"), std::string::npos)
      << "refused by range, not by equation";
  EXPECT_NE(hash_message(s.user.hs(), unhex(between), {}),
            hash_message(s.user.hs(), Scalar::reduce(fixed32(between)).octets().expose(), {}));
}

TEST(Eccsi, RefusesEverySingleBitFlipOfASignature) {
  const Sample s;
  Octets signature = s.octets("signature");
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    signature[bit / 8] ^= mask;
    EXPECT_FALSE(s.verify(signature).ok()) << "bit " << bit;
    signature[bit / 8] ^= mask;
  }
  EXPECT_TRUE(s.verify(signature).ok());
}

TEST(Eccsi, BindsASignatureToIdentifierMessageAndKms) {
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 20; ++round) {
    const Ksak ksak = make_ksak(random);
    const Kpak kpak = Kpak::derive(ksak);
    Octets id(1 + random.octets<1>()[0] % 64U), message(random.octets<1>()[0]);
    random.fill(id);
    random.fill(message);
    const UserKey made = UserKey::make(ksak, kpak, id, random);
    const UserKey key = UserKey::validate(kpak, id, made.ssk().duplicate(), made.pvt()).value();
    EXPECT_EQ(key.hs(), made.hs());
    const auto signature = sign(key, message, random);
    ASSERT_TRUE(verify(kpak, id, message, signature).ok());
    const auto again = sign(made.duplicate(), message, random);
    EXPECT_NE(signature, again) << "j was used twice";
    ASSERT_TRUE(verify(kpak, id, message, again).ok());

    Octets other_id = id, other_message = message;
    other_id.back() ^= 1;
    other_message.push_back(0);
    const Kpak other_kpak = Kpak::derive(make_ksak(random));
    EXPECT_FALSE(verify(kpak, other_id, message, signature).ok());
    EXPECT_FALSE(verify(kpak, id, other_message, signature).ok());
    EXPECT_FALSE(verify(other_kpak, id, message, signature).ok());
    EXPECT_FALSE(UserKey::validate(kpak, other_id, made.ssk().duplicate(), made.pvt()).ok());
    EXPECT_FALSE(UserKey::validate(other_kpak, id, made.ssk().duplicate(), made.pvt()).ok());
  }
}

TEST(Eccsi, RefusesUserKeysThatAreOutOfRangeOrOffTheCurve) {
  const Sample s;
  const auto validate = [&](const std::string& ssk, const Octets& pvt) {
    return UserKey::validate(s.kpak, s.octets("ID"), ssk_of(ssk), pvt);
  };
  for (const std::string& ssk : {kZero, kQ, kP}) {
    const auto result = validate(ssk, s.octets("PVT"));
    ASSERT_FALSE(result.ok()) << ssk;
    EXPECT_NE(result.error().detail.find("SSK"), std::string::npos);
    EXPECT_EQ(result.error().code, Errc::malformed);
  }
  const Octets pvt = s.octets("PVT");
  for (const Octets& bad :
       {Octets{}, Octets{0}, Octets(pvt.begin(), pvt.end() - 1), with(pvt, 0, "02"), with(pvt, 64, "00")})
    EXPECT_FALSE(validate(s.text("SSK"), bad).ok()) << hex(bad);
  Octets flipped = unhex(s.text("SSK"));
  flipped[31] ^= 1;
  const auto result = validate(hex(flipped), pvt);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::bad_signature);
  EXPECT_FALSE(result.error().cure.empty());
  EXPECT_EQ(result.error().text().find(hex(flipped)), std::string::npos) << "an error printed the SSK";
}

TEST(Eccsi, RefusesKpaksWithTheReasonThatIsTheirs) {
  const Octets kpak = Sample().octets("KPAK");
  const std::vector<std::pair<Octets, std::string>> cases = {
      {{}, "has 0 octets"},
      {Octets(kpak.begin() + 1, kpak.end()), "has 64 octets"},
      {with(kpak, 0, "03"), "begins with 03"},
      {with(kpak, 1, kP), "coordinate"},
      {with(kpak, 33, kP), "coordinate"},
      {with(kpak, 64, "00"), "not a point"}};
  for (const auto& [octets, reason] : cases) {
    const auto result = Kpak::parse(octets);
    ASSERT_FALSE(result.ok()) << reason;
    EXPECT_EQ(result.error().code, Errc::malformed);
    EXPECT_NE(result.error().detail.find(reason), std::string::npos) << result.error().detail;
  }
}

TEST(Eccsi, ReadsAKsakPaddedAndRefusesWhatIsOutOfRange) {
  EXPECT_EQ(hex(parse_ksak(Octets{0x01, 0x23, 0x45}).value().expose()), Sample().text("KSAK"));
  EXPECT_TRUE(parse_ksak(unhex(kQMinus1)).ok());
  for (const Octets& bad : {Octets{}, Octets{0}, unhex(kZero), unhex(kQ), unhex(kP), Octets(33, 1)})
    EXPECT_FALSE(parse_ksak(bad).ok()) << hex(bad);
}

// A source that gives the same octets for ever, as after a restored snapshot.
class StuckRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{0x42}); }
};

TEST(Eccsi, AStuckSourceOfRandomnessNeverRepeatsANonce) {
  StuckRandom stuck;
  const Sample s;
  std::set<Octets> rs;
  for (int i = 0; i < 8; ++i) {
    const auto signature = sign(s.user, Octets(4, static_cast<std::uint8_t>(i)), stuck);
    EXPECT_TRUE(rs.insert(Octets(signature.begin(), signature.begin() + 32)).second)
        << "j repeats over two messages";
  }
  const UserKey a = UserKey::make(s.ksak, s.kpak, view("a"), stuck);
  const UserKey b = UserKey::make(s.ksak, s.kpak, view("b"), stuck);
  EXPECT_NE(a.pvt(), b.pvt()) << "v repeats over two identifiers";
}

TEST(Eccsi, MixesTheDrawIntoTheNonce) {
  const Sample s;
  SeededRandom one(1), two(2);
  EXPECT_NE(sign(s.user, view("m"), one), sign(s.user, view("m"), two));
}

TEST(Eccsi, PassesItsSelfTest) { EXPECT_TRUE(self_test().ok()); }

TEST(EccsiScalar, AddsMultipliesAndInvertsModuloQ) {
  const Scalar one = Scalar::one(), minus_one = scalar(kQMinus1);
  EXPECT_TRUE(one.plus(minus_one).is_zero());
  EXPECT_EQ(hex_of(minus_one.times(minus_one)), hex_of(one));
  EXPECT_EQ(hex_of(minus_one.inverse()), kQMinus1);
  EXPECT_EQ(hex_of(one.inverse()), hex_of(one));
  EXPECT_TRUE(Scalar().inverse().is_zero());
  EXPECT_TRUE(Scalar::reduce(fixed32(kQ)).is_zero());
  // 2^256 - 1 = q + (2^256 - 1 - q)
  EXPECT_EQ(hex_of(Scalar::reduce(fixed32(std::string(64, 'f')))),
            "00000000ffffffff00000000000000004319055258e8617b0c46353d039cdaae");
  EXPECT_EQ(hex_of(minus_one.plus(minus_one)),
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f");
}

TEST(EccsiScalar, ObeysTheLawsOfAFieldOnRandomValues) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int i = 0; i < 200; ++i) {
    const Scalar a = Scalar::reduce(random.octets<32>()), b = Scalar::reduce(random.octets<32>()),
                 c = Scalar::reduce(random.octets<32>());
    EXPECT_EQ(hex_of(a.times(b.plus(c))), hex_of(a.times(b).plus(a.times(c))));
    EXPECT_EQ(hex_of(a.times(b).times(c)), hex_of(c.times(a).times(b)));
    EXPECT_EQ(hex_of(a.times(a.inverse())), hex_of(Scalar::one()));
    EXPECT_EQ(hex_of(Scalar::reduce(a.octets().expose())), hex_of(a));
  }
}

TEST(EccsiScalar, ParsesExactlyOneToQMinusOne) {
  EXPECT_FALSE(Scalar::parse(fixed32(kZero)));
  EXPECT_FALSE(Scalar::parse(fixed32(kQ)));
  EXPECT_FALSE(Scalar::parse(fixed32(std::string(64, 'f'))));
  EXPECT_EQ(hex_of(scalar(kQMinus1)), kQMinus1);
}

TEST(EccsiPoint, CombinesToTheNeutralElementAndSaysSo) {
  const PointOctets g = generator();
  const Scalar one = Scalar::one(), minus_one = scalar(kQMinus1), zero;
  EXPECT_FALSE(combine_vartime(zero, {&one, &g}, {&minus_one, &g}).has_value());
  EXPECT_EQ(combine_vartime(one, {&one, &g}, {&minus_one, &g}).value(), g);
  EXPECT_EQ(times_generator(one), g);
}

}  // namespace
}  // namespace regroup::crypto::eccsi
