// SPDX-License-Identifier: Apache-2.0
// Steps 8-10 of the check order, each violated alone in a message that verifies.
#include "gktp/key_parameters.hpp"
#include "gktp/world.hpp"
#include "mcx/guk_id.hpp"

namespace regroup::gktp {
namespace {

using mikey::Unsigned;
using test::id;
using test::world;
using testing::HasSubstr;

// The refusal of a message that passes steps 1-7.
Error refusal(const Octets& message, const Reception& with) {
  const auto verified = verify(message, with);
  if (!verified.ok()) return fail(Errc::internal, "", "not verified: " + verified.error().text());
  const auto opened = open(*verified, with);
  if (opened.ok()) return fail(Errc::internal, "", "it opened");
  return opened.error();
}
Error refusal(const std::function<void(Unsigned&)>& change) {
  return refusal(world().forged(change), world().user());
}

// Everything from the signature on has one code: nothing finer may reach a peer.
#define EXPECT_UNDECRYPTABLE(expression, reason)                      \
  do {                                                                \
    const Error refused_ = (expression);                              \
    EXPECT_EQ(refused_.code, Errc::undecryptable) << refused_.text(); \
    EXPECT_THAT(refused_.detail, HasSubstr(reason));                  \
    EXPECT_FALSE(refused_.clause.empty());                            \
    EXPECT_EQ(outward(refused_), "undecryptable");                    \
  } while (false)

void encapsulate_to(Unsigned& m, OctetsView identifier, const crypto::sakke::KmsPublicKey& z,
                    const Octets& ssv = Octets(16, 7)) {
  const crypto::sakke::Recipient to[] = {{identifier, &z}};
  m.sakke = mikey::Sakke::from_encapsulated(crypto::sakke::encapsulate(ssv, to).value().front()).value();
}

TEST(Open, Step8RefusesAKeyEncapsulatedToAnotherUidKmsOrPeriod) {
  const test::World& w = world();
  const mcx::KmsCertificate& alpha = w.alpha.certificate;
  const mcx::McpttId user = id(test::kUser);
  const mcx::Uid own = alpha.uid_at(user, w.now), next = alpha.uid_of(user, w.gms.period_no() + 1),
                 other = alpha.uid_at(id("sip:user.002@alpha.example"), w.now);
  std::vector<mcx::KeySet> both;
  both.push_back(w.alpha.issue(test::kUser, w.now));
  both.push_back(w.alpha.issue(test::kUser, w.gms.period_no() + 1));
  for (const mcx::Uid& wrong : {next, other})
    EXPECT_UNDECRYPTABLE(
        refusal(w.forged([&](Unsigned& m) { encapsulate_to(m, wrong, alpha.z); }), w.reception(both)),
        "period 1536");
  EXPECT_UNDECRYPTABLE(refusal([&](Unsigned& m) { encapsulate_to(m, own, w.beta.certificate.z); }),
                       "'sip:user.001@alpha.example' of KMS 'kms.alpha.example'");
}

TEST(Open, Step8RefusesChangedEncapsulatedData) {
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.sakke.h[15] ^= 1; }), "SAKKE");
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.sakke.r[256] ^= 1; }), "SAKKE");
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.sakke.r.fill(0); }), "SAKKE");
}

TEST(Open, Step9RefusesAnSpiThatIsNotTheMki) {
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.hdr.map.generic.front().spi[0] ^= 1; }), "SPI");
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.hdr.map.generic.front().spi.resize(4); }), "SPI");
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.hdr.map.generic.front().spi.push_back(0); }), "SPI");
}

TEST(Open, Step9RefusesAGukIdSaltedWithAnotherUri) {
  const KeyMaterial key = test::material();
  const auto foreign = mcx::guk_id(key.key.expose(), key.id, "sip:user.002@alpha.example");
  EXPECT_UNDECRYPTABLE(refusal([&](Unsigned& m) { m.hdr.csb_id = foreign.value; }), "SPI");
}

TEST(Open, Step9NeedsNoSpi) {
  const Octets message = world().forged([](Unsigned& m) { m.hdr.map.generic.front().spi.clear(); });
  EXPECT_EQ(refusal(message, world().user()).detail, "it opened");
}

// A good message whose extension 7 is replaced; by default it is sealed rightly, with another content.
Error with_extension(const std::function<void(mikey::GeneralExt&)>& change) {
  return refusal([&](Unsigned& m) { change(m.extensions.front()); });
}

struct Content {
  KeyParameters parameters = test::material().parameters;
  std::uint32_t dppk_id = mcx::guk_id(test::material().key.expose(), test::material().id, test::kUser).value;
  Octets key = to_octets(test::material().key.expose());
};
Error with_content(const std::function<void(Content&)>& change) {
  Content content;
  change(content);
  crypto::SystemRandom random;
  const ParameterContext context{content.key, content.dppk_id, mcx::Purpose::gmk, world().now};
  return with_extension([&](mikey::GeneralExt& e) {
    e.data = seal_key_parameters(content.parameters, context, random.octets<16>()).data;
  });
}

TEST(Open, Step10TakesRightlySealedParameters) {
  EXPECT_EQ(with_content([](Content&) {}).detail, "it opened");
}

TEST(Open, Step10RefusesADppkIdThatIsNotTheCsbId) {
  EXPECT_UNDECRYPTABLE(with_content([](Content& c) { c.dppk_id ^= 1; }), "DPPK-ID");
}

TEST(Open, Step10RefusesParametersUnderAnotherKeyOrChanged) {
  EXPECT_UNDECRYPTABLE(with_content([](Content& c) { c.key[0] ^= 1; }), "GCM tag");
  EXPECT_UNDECRYPTABLE(with_extension([](mikey::GeneralExt& e) { e.data.back() ^= 1; }), "GCM tag");
  EXPECT_UNDECRYPTABLE(with_extension([](mikey::GeneralExt& e) { e.data[5] ^= 1; }), "GCM tag");
  EXPECT_UNDECRYPTABLE(with_extension([](mikey::GeneralExt& e) { e.data[40] ^= 1; }), "GCM tag");
  EXPECT_UNDECRYPTABLE(with_extension([](mikey::GeneralExt& e) { e.data.resize(20); }), "key parameters");
  EXPECT_UNDECRYPTABLE(with_extension([](mikey::GeneralExt& e) { e.data.clear(); }), "key parameters");
}

TEST(Open, Step10RefusesAKeyTypeThatContradictsThePurposeTag) {
  EXPECT_UNDECRYPTABLE(with_content([](Content& c) { c.parameters.key_type = mcx::Purpose::mkfc; }),
                       "Key Type says MKFC, the purpose tag of the CSB ID says GMK");
}

TEST(Open, Step10RefusesTimesThatAreNotUnixSeconds) {
  EXPECT_UNDECRYPTABLE(with_content([](Content& c) { c.parameters.activation = 3000000001; }),
                       "Activation Time");
  EXPECT_UNDECRYPTABLE(with_content([](Content& c) { c.parameters.expiry = 3973622400; }), "Expiry Time");
  EXPECT_EQ(with_content([](Content& c) { c.parameters.expiry = 3000000000; }).detail, "it opened");
}

TEST(Open, Step10RefusesExpiredKeysAndExpiryBeforeActivation) {
  const std::int64_t now = world().now.unix_seconds();
  EXPECT_UNDECRYPTABLE(
      with_content([&](Content& c) { c.parameters.activation = now - 10, c.parameters.expiry = now; }),
      "expired");
  EXPECT_EQ(with_content([&](Content& c) {
              c.parameters.activation = now - 10, c.parameters.expiry = now + 1;
            }).detail,
            "it opened");
  EXPECT_UNDECRYPTABLE(
      with_content([&](Content& c) { c.parameters.activation = now + 20, c.parameters.expiry = now + 20; }),
      "not later than activation");
  EXPECT_UNDECRYPTABLE(
      with_content([&](Content& c) { c.parameters.activation = 0, c.parameters.expiry = now; }),
      "not later than activation");
}

TEST(Open, Step10RefusesAnActivationMoreThanAYearAhead) {
  const std::int64_t year = world().now.unix_seconds() + 366 * 86400;
  EXPECT_EQ(with_content([&](Content& c) { c.parameters.activation = year; }).detail, "it opened");
  EXPECT_UNDECRYPTABLE(with_content([&](Content& c) { c.parameters.activation = year + 1; }), "year ahead");
}

TEST(Open, Step10RefusesAKeyForOtherGroupsAndNamesBoth) {
  const Error error = with_content([](Content& c) {
    c.parameters.groups = {"sip:TGROUP.7@alpha.example", "sip:b@c"};
  });
  EXPECT_UNDECRYPTABLE(error, "'sip:TGROUP.7@alpha.example', 'sip:b@c'");
  EXPECT_THAT(error.detail, HasSubstr("'sip:tgroup.7@alpha.example'"));
  EXPECT_EQ(with_content([](Content& c) {
              c.parameters.groups = {"sip:b@c", std::string(test::kGroup)};
            }).detail,
            "it opened");
}

TEST(Open, Step10TakesAnEmptyListOfGroupsAndAToolWithoutAGroup) {
  EXPECT_EQ(with_content([](Content& c) { c.parameters.groups.clear(); }).detail, "it opened");
  Reception lab = world().user();
  lab.group.clear();
  EXPECT_EQ(refusal(world().message(), lab).detail, "it opened");
}

TEST(Open, Step10RefusesAGroupUriThatIsNone) {
  EXPECT_UNDECRYPTABLE(with_content([](Content& c) { c.parameters.groups.push_back("sip:a b"); }),
                       "group URI");
}

TEST(Open, Step10RefusesAKeyOfAGroupWithoutParameters) {
  EXPECT_UNDECRYPTABLE(refusal([](Unsigned& m) { m.extensions.clear(); }), "no extension 7");
  const auto undiversified = [](mcx::Purpose purpose) {
    const Octets message = world().forged([purpose](Unsigned& m) {
      m.hdr.csb_id = static_cast<std::uint32_t>(purpose) << 28 | 1;
      m.hdr.map.generic.front().spi.clear();
      m.extensions.clear();
    });
    Reception user = world().user();
    user.expected = {purpose};
    return refusal(message, user);
  };
  EXPECT_UNDECRYPTABLE(undiversified(mcx::Purpose::mkfc), "no extension 7");
  EXPECT_UNDECRYPTABLE(undiversified(mcx::Purpose::musik), "no extension 7");
  EXPECT_EQ(undiversified(mcx::Purpose::pck).detail, "it opened");
}

TEST(Open, Step10TakesTheContentInsideAWrapper) {
  const KeyMaterial key = test::material();
  const Octets message = world().message();
  const auto frame =
      mikey::parse_as<mikey::ProtectedPayload>(mikey::parse(message)->extensions.front().data).value();
  mikey::KeyParameters content;
  content.groups = {{0x7b, to_octets(view(test::kGroup))}};
  const Octets inside = mikey::write(content);
  Octets wrapped{0x78};
  append(wrapped, be16(static_cast<std::uint16_t>(inside.size())));
  append(wrapped, inside);
  const auto opened = test::open_message(world().forged([&](Unsigned& m) {
    m.extensions.front().data = test::protect(key.key.expose(), frame, wrapped);
  }),
                                         world().user());
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(opened->material.parameters.groups, key.parameters.groups);
}

TEST(Open, ARevocationIsOpenedAsOneWhateverItsTimes) {
  KeyMaterial key = test::material();
  key.parameters.revoked = true;
  key.parameters.activation = 1;
  key.parameters.expiry = 2;
  const auto opened = test::open_message(world().message(key), world().user());
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_TRUE(opened->material.parameters.revoked);
  EXPECT_EQ(opened->material.id, key.id);
  EXPECT_TRUE(opened->fired.empty());
}

TEST(Open, NeedsTheKeySetsOfItsOwnIdentityAndKms) {
  const auto verified = verify(world().message(), world().user()).value();
  std::vector<mcx::KeySet> none;
  Reception without{id(test::kUser), world().alpha.certificate.kms_uri, world().domains, none};
  EXPECT_EQ(open(verified, without).error().code, Errc::undecryptable);
  const mcx::Domains empty;
  Reception unknown{id(test::kUser), world().alpha.certificate.kms_uri, empty, world().user_keys};
  EXPECT_EQ(open(verified, unknown).error().code, Errc::undecryptable);
}

}  // namespace
}  // namespace regroup::gktp
