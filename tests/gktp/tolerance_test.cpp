// SPDX-License-Identifier: Apache-2.0
// The closed list of deviations: each message is refused as it stands, refused under every other switch, and
// opens under its own, which is then the only one that fired.
#include <set>

#include "gktp/world.hpp"
#include "mcx/guk_id.hpp"

namespace regroup::gktp {
namespace {

using mikey::Unsigned;
using test::id;
using test::open_message;
using test::unhex;
using test::world;

Tolerances all_but(const Fired& these) {
  Tolerances out;
  for (std::size_t i = 0; i < kTolerances; ++i) {
    const auto one = static_cast<Tolerance>(i);
    if (std::find(these.begin(), these.end(), one) == these.end()) out.allow(one);
  }
  return out;
}

// The opened message, for further looks.
Result<Opened> opens_only_under(Tolerance needed, const Octets& message, Reception with = world().user()) {
  with.tolerances = {};
  EXPECT_FALSE(open_message(message, with).ok()) << name_of(needed);
  with.tolerances = all_but({needed});
  EXPECT_FALSE(open_message(message, with).ok()) << name_of(needed);
  with.tolerances = {};
  with.tolerances.allow(needed);
  auto opened = open_message(message, with);
  EXPECT_TRUE(opened.ok()) << name_of(needed) << ": " << (opened.ok() ? "" : opened.error().text());
  if (!opened.ok()) return opened;
  EXPECT_EQ(opened->fired, Fired{needed});
  EXPECT_TRUE(ct_equal(opened->material.key.expose(), test::material().key.expose()) ||
              opened->material.key.is_long());
  return opened;
}

Octets forged(const std::function<void(Unsigned&)>& change) { return world().forged(change); }

TEST(Tolerances, HaveTheNamesOfTheListAndNoOthers) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTolerances; ++i) {
    const auto one = static_cast<Tolerance>(i);
    names.insert(name_of(one));
    EXPECT_EQ(parse_tolerance(name_of(one)).value(), one);
  }
  EXPECT_EQ(names,
            (std::set<std::string_view>{
                "accept_sign_without_header", "accept_clear_key_parameters", "accept_no_key_parameters",
                "accept_status_zero", "accept_expiry_all_ones", "accept_key_type_mismatch",
                "accept_neighbour_period", "accept_id_scheme_1", "accept_ssv32", "accept_kms_role_3",
                "accept_nul_in_uri", "accept_prf_other", "accept_unix_time"}));
  const Error unknown = parse_tolerance("accept_everything").error();
  EXPECT_EQ(unknown.code, Errc::usage);
  for (const std::string_view name : names) EXPECT_THAT(unknown.cure, testing::HasSubstr(std::string(name)));
}

TEST(Tolerances, AllOnLeaveAGoodMessageWithoutOneFired) {
  Reception user = world().user();
  user.tolerances = all_but({});
  const auto opened = open_message(world().message(), user);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_TRUE(opened->fired.empty());
}

TEST(Tolerances, AllOnLetNoChangedOctetThrough) {
  Reception user = world().user();
  user.tolerances = all_but({});
  const Octets good = world().message();
  for (std::size_t i = 0; i < good.size(); i += 3) {
    Octets bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    ASSERT_FALSE(verify(bad, user).ok()) << "octet " << i;
  }
}

TEST(Tolerances, SignWithoutHeader) {
  const mikey::Message good = mikey::parse(world().message()).value();
  crypto::SystemRandom random;
  Octets message = to_octets(good.signed_octets());
  append(message, crypto::eccsi::sign(world().gms.signing(), good.signed_octets_without_header(), random));
  EXPECT_TRUE(opens_only_under(Tolerance::accept_sign_without_header, message).ok());
}

TEST(Tolerances, ClearKeyParameters) {
  const Octets forms[] = {unhex(std::string("010000000100000000000000000000")),
                          unhex(std::string("0100000001000000000000000000000000")),
                          unhex(std::string("010000000100000000000000000000000454472d37"))};
  for (const Octets& form : forms) {
    const auto opened = opens_only_under(Tolerance::accept_clear_key_parameters,
                                         forged([&](Unsigned& m) { m.extensions.front().data = form; }));
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened->material.parameters.key_type, mcx::Purpose::gmk);
    EXPECT_EQ(opened->material.parameters.text, form.size() == 21 ? "TG-7" : "");
  }
}

TEST(Tolerances, NoKeyParametersTakeTimeAndGroupFromTheNotification) {
  const auto opened = opens_only_under(Tolerance::accept_no_key_parameters,
                                       forged([](Unsigned& m) { m.extensions.clear(); }));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->material.parameters.activation, world().now.unix_seconds());
  EXPECT_EQ(opened->material.parameters.expiry, 0);
  EXPECT_EQ(opened->material.parameters.groups, (std::vector<std::string>{std::string(test::kGroup)}));
}

TEST(Tolerances, StatusZeroMakesARevocationALiveKey) {
  KeyMaterial key = test::material();
  key.parameters.revoked = true;
  Reception user = world().user();
  user.tolerances.allow(Tolerance::accept_status_zero);
  const auto opened = open_message(world().message(key), user);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(opened->material.parameters.revoked);
  EXPECT_EQ(opened->fired, Fired{Tolerance::accept_status_zero});
}

Octets with_content(const std::function<void(mikey::KeyParameters&)>& change) {
  const auto frame =
      mikey::parse_as<mikey::ProtectedPayload>(mikey::parse(world().message())->extensions.front().data)
          .value();
  mikey::KeyParameters content;
  change(content);
  return forged([&](Unsigned& m) {
    m.extensions.front().data = test::protect(test::material().key.expose(), frame, mikey::write(content));
  });
}

TEST(Tolerances, ExpiryAllOnesIsNoExpiry) {
  const auto opened =
      opens_only_under(Tolerance::accept_expiry_all_ones,
                       with_content([](mikey::KeyParameters& p) { p.expiry = 0x00ffffffff; }));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->material.parameters.expiry, 0);
}

TEST(Tolerances, ExpiryAllOnesIsThatOneValue) {
  Reception user = world().user();
  user.tolerances = all_but({});
  for (const std::uint64_t expiry : {0x00fffffffeULL, 0xffffffffffULL})
    EXPECT_FALSE(open_message(with_content([=](mikey::KeyParameters& p) { p.expiry = expiry; }), user).ok());
}

TEST(Tolerances, KeyTypeMismatchLetsThePurposeTagDecide) {
  const auto opened =
      opens_only_under(Tolerance::accept_key_type_mismatch,
                       with_content([](mikey::KeyParameters& p) { p.key_type = mikey::KeyType::pck; }));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->material.parameters.key_type, mcx::Purpose::gmk);
}

TEST(Tolerances, IdScheme1) {
  EXPECT_TRUE(
      opens_only_under(Tolerance::accept_id_scheme_1, forged([](Unsigned& m) { m.sakke.id_scheme = 1; }))
          .ok());
}

TEST(Tolerances, KmsRole3) {
  const auto message =
      forged([](Unsigned& m) { m.initiator_kms.role = m.responder_kms.role = mikey::Role::kms; });
  EXPECT_TRUE(opens_only_under(Tolerance::accept_kms_role_3, message).ok());
}

TEST(Tolerances, NulBehindAKmsUri) {
  const auto message = forged([](Unsigned& m) {
    m.initiator_kms.data.push_back(0);
    m.responder_kms.data.push_back(0);
  });
  EXPECT_TRUE(opens_only_under(Tolerance::accept_nul_in_uri, message).ok());
  Reception user = world().user();
  user.tolerances = all_but({});
  EXPECT_FALSE(open_message(forged([](Unsigned& m) { m.initiator.data.push_back(0); }), user).ok());
  EXPECT_FALSE(open_message(forged([](Unsigned& m) {
                              m.initiator_kms.data.push_back(0), m.initiator_kms.data.push_back(0);
                            }),
                            user)
                   .ok());
}

TEST(Tolerances, OtherPrfs) {
  for (const auto prf : std::initializer_list<std::uint8_t>{0, 2})
    EXPECT_TRUE(
        opens_only_under(Tolerance::accept_prf_other, forged([&](Unsigned& m) { m.hdr.prf = prf; })).ok());
  Reception user = world().user();
  user.tolerances = all_but({});
  EXPECT_FALSE(open_message(forged([](Unsigned& m) { m.hdr.prf = 3; }), user).ok());
}

TEST(Tolerances, UnixTimeInFourForms) {
  const auto unix = static_cast<std::uint32_t>(world().now.unix_seconds());
  const Fixed<4> big = be32(unix), little{big[3], big[2], big[1], big[0]};
  const auto put = [](Fixed<8>& t, std::size_t at, const Fixed<4>& octets) {
    t.fill(0);
    std::copy(octets.begin(), octets.end(), t.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (const auto& [at, octets] : {std::pair{4, big}, {0, little}, {0, big}, {4, little}}) {
    const auto message = forged([&, where = at, what = octets](Unsigned& m) {
      put(m.t.value, static_cast<std::size_t>(where), what);
    });
    const auto opened = opens_only_under(Tolerance::accept_unix_time, message);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened->time.unix_seconds(), world().now.unix_seconds());
  }
}

TEST(Tolerances, Ssv32) {
  const auto file = test::vectors("vendor-messages.json").at("ssv32");
  const Octets ssv = unhex(file.at("ssv"));
  const mcx::KmsCertificate& kms = world().alpha.certificate;
  const mcx::Uid uid = kms.uid_at(id(test::kUser), world().now);
  const crypto::sakke::Recipient to[] = {{uid, &kms.z}};
  const Octets rule_a = crypto::sakke::encapsulate(ssv, to).value().front();
  ASSERT_EQ(rule_a.size(), 289U);
  const KeyMaterial key = test::material(hex(ssv));
  const mcx::GmkId id_of_key = key.id;
  const auto message = forged([&](Unsigned& m) {
    m.sakke = mikey::Sakke::from_encapsulated(rule_a).value();
    m.hdr.csb_id = guk_id_of(key.key, key.id, id(test::kUser)).value;
    m.hdr.map.generic.front().spi = to_octets(mcx::mki(key.id, mcx::GukId{m.hdr.csb_id}));
    auto frame = mikey::parse_as<mikey::ProtectedPayload>(m.extensions.front().data).value();
    frame.dppk_id = m.hdr.csb_id;
    m.extensions.front().data = test::protect(key.key.expose(), frame, mikey::write(mikey::KeyParameters()));
  });
  const auto opened = opens_only_under(Tolerance::accept_ssv32, message);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(hex(opened->material.key.expose()), file.at("ssv"));
  EXPECT_EQ(opened->material.id, id_of_key);
}

// A sender that went on with the keys of the period before, a minute into the next one.
class NeighbourPeriod : public testing::Test {
 protected:
  const mcx::KeyPeriods periods_ = test::alpha().certificate.periods;
  const NtpTime boundary_ = periods_.start_of(periods_.number_at(test::kMarch) + 1);
  test::World before_{boundary_.plus(-60)};

  Octets late_message(const SealOptions& options = {}) const {
    return before_.forged(before_.message(test::material(), options),
                          [&](Unsigned& m) { m.t.value = boundary_.plus(60).wire(); });
  }
  Reception reception(const std::vector<mcx::KeySet>& keys) const {
    Reception out = before_.reception(keys);
    out.now = boundary_.plus(60);
    return out;
  }
};

TEST_F(NeighbourPeriod, OpensForAReceiverThatHoldsBothPeriodsOrOnlyTheOld) {
  std::vector<mcx::KeySet> both, old;
  both.push_back(before_.alpha.issue(test::kUser, boundary_));
  both.push_back(before_.alpha.issue(test::kUser, boundary_.plus(-1)));
  old.push_back(before_.alpha.issue(test::kUser, boundary_.plus(-1)));
  for (const bool hidden : {false, true})
    for (const auto* keys : {&both, &old})
      EXPECT_TRUE(opens_only_under(Tolerance::accept_neighbour_period, late_message({hidden, hidden}),
                                   reception(*keys))
                      .ok());
}

// A sender that used the keys of the next period already, a minute before it.
TEST_F(NeighbourPeriod, ReachesThePeriodAfterAsWell) {
  const test::World after(boundary_.plus(60));
  std::vector<mcx::KeySet> both, fresh;
  both.push_back(before_.alpha.issue(test::kUser, boundary_));
  both.push_back(before_.alpha.issue(test::kUser, boundary_.plus(-1)));
  fresh.push_back(before_.alpha.issue(test::kUser, boundary_));
  for (const bool hidden : {false, true})
    for (const auto* keys : {&both, &fresh}) {
      const Octets early = after.forged(after.message(test::material(), {hidden, hidden}),
                                        [&](Unsigned& m) { m.t.value = boundary_.plus(-60).wire(); });
      EXPECT_TRUE(opens_only_under(Tolerance::accept_neighbour_period, early, reception(*keys)).ok());
    }
}

TEST_F(NeighbourPeriod, ReachesOnePeriodAndNotTwo) {
  const NtpTime two_later = periods_.start_of(periods_.number_at(boundary_) + 1).plus(60);
  const Octets message =
      before_.forged(before_.message(), [&](Unsigned& m) { m.t.value = two_later.wire(); });
  std::vector<mcx::KeySet> keys;
  keys.push_back(before_.alpha.issue(test::kUser, boundary_.plus(-1)));
  keys.push_back(before_.alpha.issue(test::kUser, boundary_));
  keys.push_back(before_.alpha.issue(test::kUser, two_later));
  Reception with = reception(keys);
  with.now = two_later;
  with.tolerances = all_but({});
  EXPECT_EQ(verify(message, with).error().code, Errc::bad_signature);
}

}  // namespace
}  // namespace regroup::gktp
