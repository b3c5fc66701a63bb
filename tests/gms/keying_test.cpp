// SPDX-License-Identifier: Apache-2.0
// Making a group key: what is drawn, what must differ, T that only grows, and no key without an own key set.
#include "gms/keying.hpp"

#include <gmock/gmock.h>

#include "flow/groups.hpp"

namespace regroup::gms {
namespace {

using namespace test;  // NOLINT: the lab of the flows

// Gives the octets it was told to, then those of a seeded source; counts the draws.
class Scripted final : public Random {
 public:
  explicit Scripted(std::uint64_t seed) : rest_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    if (!script.empty() && script.front().size() == out.size()) {
      std::copy(script.front().begin(), script.front().end(), out.begin());
      script.erase(script.begin());
      return;
    }
    rest_.fill(out);
  }
  std::vector<Octets> script;

 private:
  SeededRandom rest_;
};

struct Keying : testing::Test {
  Keying() : net(seed()), random(seed()), gms(with()) {}
  [[nodiscard]] Surroundings with() {
    Surroundings out = net.a->gms->with();
    return {out.settings, out.domains, out.key_sets, out.presence, out.clock, random};
  }
  [[nodiscard]] Result<Prepared> make(const std::vector<std::string>& members) {
    std::vector<Addressee> to;
    for (const std::string& one : members) to.push_back({McpttId::parse(one).value(), false});
    return make_key(gms, wanted, to);
  }
  [[nodiscard]] const mcx::KeySet& keys_of(const std::string& member) {
    return net.a->ues.at(member)->key_sets.front();
  }
  LabNetwork net;
  Scripted random;
  Gms gms;
  NewKey wanted{GroupId::parse(kFire).value(), mcx::Purpose::gmk, mcx::KeyUse::both, {kFire}};
};

TEST_F(Keying, GmkGmkIdAndRandAreTheOctetsDrawnAndTheIdentifierHasThePurpose) {
  const Octets gmk(16, 0x5a), id{0xab, 0xcd, 0xef, 0x01}, rand(16, 0x77);
  random.script = {gmk, id, rand};
  const auto made = make(kUsersA);
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_EQ(to_octets(made->key.material.key.expose()), gmk);
  EXPECT_EQ(made->key.material.id.text(), "0bcdef01") << "purpose tag 0 of a GMK";
  EXPECT_EQ(made->key.material.rand, rand);
  random.script = {gmk, id, rand};
  wanted.purpose = mcx::Purpose::mkfc;
  EXPECT_EQ(make(kUsersA)->key.material.id.text(), "4bcdef01");
}

TEST_F(Keying, AnIdentifierThatIsInUseIsDrawnAgain) {
  const Octets id{0x00, 0xcd, 0xef, 0x01};
  random.script = {Octets(16, 1), id, Octets(16, 2)};
  const auto first = make(kUsersA);
  Edit edit = gms.edit();
  edit.put(tombstone_of(first->key));
  static_cast<void>(edit.take());
  random.script = {Octets(16, 3), id};
  const auto second = make(kUsersA);
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(random.script.empty());
  EXPECT_NE(second->key.material.id, first->key.material.id) << "a withdrawn one counts as well";
  EXPECT_NE(to_octets(second->key.material.key.expose()), Octets(16, 3));
}

// Two of 400 receivers collide about once in 3,000 keys of 28-bit salts; here such a key is looked for, and
// drawn on purpose.
TEST_F(Keying, NoTwoReceiversShareAGukId) {
  std::vector<Addressee> to;
  for (int i = 0; i < 400; ++i)
    to.push_back({McpttId::parse("sip:user" + std::to_string(i) + "@alpha.example").value(), false});
  const auto collides = [&](const mcx::Gmk& key, GmkId id) {
    std::set<GukId> seen;
    return std::any_of(to.begin(), to.end(), [&](const Addressee& one) {
      return !seen.insert(gktp::guk_id_of(key, id, one.identity)).second;
    });
  };
  std::uint32_t n = 0;
  Octets octets(16, 0);
  for (;; ++n) {
    ASSERT_LT(n, 100'000u);
    std::ranges::copy(be32(n), octets.begin());
    mcx::Gmk key;
    std::copy(octets.begin(), octets.end(), key.expose_mutable().begin());
    if (collides(key, GmkId{1})) break;
  }
  random.script = {octets, Octets{0, 0, 0, 1}};
  const auto made = make_key(gms, wanted, to);
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_TRUE(random.script.empty());
  EXPECT_NE(to_octets(made->key.material.key.expose()), octets);
  EXPECT_FALSE(collides(made->key.material.key, made->key.material.id));
}

TEST_F(Keying, TOfAKeyGrowsThoughTheClockStandsOrGoesBack) {
  Prepared last = make({kUsersA[0]}).value();
  const NtpTime first = last.key.last_t;
  EXPECT_EQ(first, net.clock.now());
  for (const std::int64_t step : {0, -3600, 0}) {
    net.clock.advance(step);
    Prepared next = hand_out(gms, last.key, {{McpttId::parse(kUsersA[1]).value(), false}}).value();
    EXPECT_GT(next.key.last_t, last.key.last_t);
    EXPECT_EQ(mikey::parse(next.rows.front().message)->t.value, next.key.last_t.wire());
    last = std::move(next);
  }
  EXPECT_EQ(last.key.last_t.seconds, first.seconds) << "by the smallest step";
}

TEST_F(Keying, WithoutAnOwnKeySetOfThePeriodNothingIsSealed) {
  net.a->key_sets.clear();
  const auto none = make(kUsersA);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::expired);
  EXPECT_THAT(none.error().text(), testing::HasSubstr("kms.alpha.example"));
  const NtpTime now = net.clock.now();
  net.a->key_sets.push_back(net.kms_a->provision(net.a->gms_uri, now.plus(90 * 86400)));
  EXPECT_FALSE(make(kUsersA).ok()) << "another period's does not do";
  net.a->key_sets.push_back(net.kms_b->provision("sip:gms@alpha.example", now));
  EXPECT_FALSE(make(kUsersA).ok()) << "nor another KMS's";
  net.a->key_sets.push_back(net.kms_a->provision(net.a->gms_uri, now));
  EXPECT_TRUE(make(kUsersA).ok());
}

}  // namespace
}  // namespace regroup::gms
