// SPDX-License-Identifier: Apache-2.0
// Random operations against wolfSSL's SAKKE and ECCSI, in both directions. REGROUP_SEED=n repeats a run,
// REGROUP_LONG=1 makes it 1000 operations instead of 100.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "crypto/eccsi.hpp"
#include "crypto/sakke.hpp"
#include "oracle.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using test::SeededRandom;
using test::unhex;

int operations() { return std::getenv("REGROUP_LONG") ? 1000 : 100; }

template <class Key>
std::string text(const Key& key) {
  return hex(key.expose());
}
std::string text(const Octets& octets) { return hex(octets); }
template <std::size_t N>
std::string text(const Fixed<N>& octets) {
  return hex(octets);
}
std::string text(const std::string& word) { return word; }

// One pair of security domains, ours and wolfSSL's idea of the same secrets, and one user in it.
class WolfsslCrossCheck : public testing::Test {
 protected:
  WolfsslCrossCheck() : seed_(test::chosen_seed()), random_(seed_), oracle_(REGROUP_WOLFSSL) {
    std::cout << "seed " << seed_ << " (repeat with REGROUP_SEED=" << seed_ << ")\n";
    RecordProperty("seed", std::to_string(seed_));
    renew();
  }

  // What wolfSSL answers to "VERB field ...": the text after OK, or "ERR".
  template <class... Fields>
  std::string wolfssl(const std::string& verb, const Fields&... fields) {
    std::string line = verb;
    ((line += " " + text(fields)), ...);
    const std::string answer = oracle_.ask(line);
    return answer.rfind("OK ", 0) == 0 ? answer.substr(3) : "ERR";
  }

  Octets some(std::size_t least, std::size_t most) {
    const Fixed<2> draw = random_.octets<2>();
    Octets out(least + (static_cast<std::size_t>(draw[0]) << 8 | draw[1]) % (most - least + 1));
    random_.fill(out);
    return out;
  }

  void renew() {
    // Now and then a short z, as in RFC 6508's own example.
    z_ = random_.octets<1>()[0] % 4 == 0 ? parse_short_z() : sakke::make_master_secret(random_);
    kms_ = sakke::KmsPublicKey::derive(z_);
    ksak_ = eccsi::make_ksak(random_);
    kpak_ = eccsi::Kpak::derive(ksak_);
    renew_user();
  }
  void renew_user() {
    id_ = random_.octets<1>()[0] % 2 == 0 ? some(32, 32) : some(1, 100);
    rsk_ = sakke::extract(z_, id_).value();
    user_ = eccsi::UserKey::make(ksak_, *kpak_, id_, random_);
    message_ = some(1, 700);
  }

  void check_z() { EXPECT_EQ(wolfssl("Z", z_), hex(kms_->octets())); }
  void check_rsk() { EXPECT_EQ(wolfssl("RSK", z_, id_), hex(rsk_->octets().expose())); }
  void check_rskok() {
    Octets other = id_;
    other.back() ^= 1;
    EXPECT_EQ(wolfssl("RSKOK", kms_->octets(), id_, rsk_->octets()), "1");
    EXPECT_EQ(wolfssl("RSKOK", kms_->octets(), other, rsk_->octets()), "0");
    EXPECT_TRUE(sakke::verify(*kms_, id_, *rsk_).ok());
    EXPECT_FALSE(sakke::verify(*kms_, other, *rsk_).ok());
  }
  Octets encapsulate(OctetsView ssv) {
    const sakke::Recipient recipient{id_, &*kms_};
    return sakke::encapsulate(ssv, {&recipient, 1}).value().front();
  }
  void check_enc() {
    const Octets ssv = some(16, 16);
    EXPECT_EQ(wolfssl("ENC", kms_->octets(), id_, ssv), hex(encapsulate(ssv)));
  }
  void check_dec() {
    const Octets ssv = some(16, 16);
    EXPECT_EQ(wolfssl("DEC", kms_->octets(), id_, rsk_->octets(), encapsulate(ssv)), hex(ssv));
    Octets data = unhex(wolfssl("ENC", kms_->octets(), id_, ssv));
    const auto opened = sakke::decapsulate(*kms_, id_, *rsk_, data);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    EXPECT_TRUE(ct_equal(opened->expose(), ssv));
    data[1 + random_.octets<1>()[0]] ^= 0x10;  // an octet of R
    EXPECT_FALSE(sakke::decapsulate(*kms_, id_, *rsk_, data).ok());
    EXPECT_EQ(wolfssl("DEC", kms_->octets(), id_, rsk_->octets(), data), "ERR");
  }
  void check_kpak() { EXPECT_EQ(wolfssl("KPAK", ksak_), hex(kpak_->octets())); }
  void check_pair() {
    EXPECT_EQ(wolfssl("PAIROK", kpak_->octets(), id_, user_->ssk(), user_->pvt()), "1");
    Octets other = id_;
    other.front() ^= 1;
    EXPECT_EQ(wolfssl("PAIROK", kpak_->octets(), other, user_->ssk(), user_->pvt()), "0");
    const std::string pair = wolfssl("PAIR", ksak_, id_);
    ASSERT_EQ(pair.size(), 64U + 1 + 130) << pair;
    const auto ssk = [&] { return eccsi::Ssk(fixed_from_hex<32>(pair.substr(0, 64)).value()); };
    const Octets pvt = unhex(pair.substr(65));
    EXPECT_TRUE(eccsi::UserKey::validate(*kpak_, id_, ssk(), pvt).ok());
    EXPECT_FALSE(eccsi::UserKey::validate(*kpak_, other, ssk(), pvt).ok());
  }
  void check_sign() {
    const auto ours = eccsi::sign(*user_, message_, random_);
    EXPECT_EQ(wolfssl("VER", kpak_->octets(), id_, message_, ours), "1");
    const Octets theirs = unhex(wolfssl("SIGN", kpak_->octets(), id_, user_->ssk(), user_->pvt(), message_));
    EXPECT_TRUE(eccsi::verify(*kpak_, id_, message_, theirs).ok());
    Octets altered = message_;
    altered[altered.size() / 2] ^= 0x20;
    EXPECT_NE(wolfssl("VER", kpak_->octets(), id_, altered, ours), "1");
    EXPECT_FALSE(eccsi::verify(*kpak_, id_, altered, theirs).ok());
  }

  using Check = void (WolfsslCrossCheck::*)();
  static constexpr Check kChecks[] = {&WolfsslCrossCheck::check_z,     &WolfsslCrossCheck::check_rsk,
                                      &WolfsslCrossCheck::check_rskok, &WolfsslCrossCheck::check_enc,
                                      &WolfsslCrossCheck::check_dec,   &WolfsslCrossCheck::check_kpak,
                                      &WolfsslCrossCheck::check_pair,  &WolfsslCrossCheck::check_sign};

  std::uint64_t seed_;
  SeededRandom random_;
  test::Oracle oracle_;
  sakke::MasterSecret z_;
  std::optional<sakke::KmsPublicKey> kms_;
  eccsi::Ksak ksak_;
  std::optional<eccsi::Kpak> kpak_;
  Octets id_, message_;
  std::optional<sakke::Rsk> rsk_;
  std::optional<eccsi::UserKey> user_;

 private:
  sakke::MasterSecret parse_short_z() { return sakke::parse_master_secret(some(1, 64)).value(); }
};

TEST_F(WolfsslCrossCheck, EveryOperationOfOneDomainAgrees) {
  for (const Check check : kChecks) (this->*check)();
}

TEST_F(WolfsslCrossCheck, RandomOperationsAgreeInBothDirections) {
  for (int i = 0; i < operations(); ++i) {
    if (i % 25 == 24) renew();
    if (i % 5 == 4) renew_user();
    const std::size_t which = random_.octets<1>()[0] % std::size(kChecks);
    SCOPED_TRACE("operation " + std::to_string(i) + " kind " + std::to_string(which));
    (this->*kChecks[which])();
    if (HasFailure()) return;
  }
}

TEST_F(WolfsslCrossCheck, OutOfRangeSignaturesAreRefusedWhateverThePeerSays) {
  const auto signature = eccsi::sign(*user_, message_, random_);
  const std::string zero(64, '0'), q = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
  for (const std::string& r : {zero, q})
    for (const std::string& s : {zero, q}) {
      const std::string forged = r + s + hex(OctetsView(signature).subspan(64));
      EXPECT_FALSE(eccsi::verify(*kpak_, view("anybody"), message_, unhex(forged)).ok());
      std::cout << "wolfSSL's verdict on r = " << r.substr(0, 8) << ".. s = " << s.substr(0, 8)
                << "..: " << wolfssl("VER", kpak_->octets(), to_octets(view("anybody")), message_, forged)
                << "\n";
    }
}

}  // namespace
}  // namespace regroup::crypto
