// SPDX-License-Identifier: Apache-2.0
// Domains whose KMS deviates in what keys are made for and how periods are counted (docs/wire.md, Traps, T-1
// and T-2): configured so, messages are sealed and opened as such a KMS's other clients do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gktp/world.hpp"

namespace regroup::gktp {
namespace {

using test::World;

test::LabKms hex_text_alpha() {
  test::LabKms out = test::alpha();
  out.certificate.form = mcx::IdentifierForm::hex_text;
  return out;
}
test::LabKms unix_alpha() {
  test::LabKms out = test::alpha();
  out.certificate.periods = mcx::KeyPeriods::make(2592000, 0, mcx::Epoch::unix).value();
  return out;
}

TEST(OtherDomains, HexTextOfTheUidIsWhatKeysAreMadeFor) {
  const World there(test::kMarch, hex_text_alpha());
  const Octets text = there.user_keys[0].identifier();
  EXPECT_EQ(text, to_octets(view(hex(there.user_keys[0].uid()))));
  const auto opened = test::open_message(there.message(), there.user());
  ASSERT_TRUE(opened.ok()) << opened.error().text();

  // Neither side takes the other's for its own.
  const World here;
  EXPECT_FALSE(test::open_message(here.message(), there.user()).ok());
  EXPECT_FALSE(test::open_message(there.message(), here.user()).ok());
  const crypto::eccsi::UserKey& key = there.gms.signing();
  EXPECT_FALSE(crypto::eccsi::UserKey::validate(here.alpha.certificate.kpak, there.gms.uid(),
                                                key.ssk().duplicate(), key.pvt())
                   .ok());
}

TEST(OtherDomains, PeriodsAreCountedFrom1970) {
  const World there(test::kMarch, unix_alpha());
  EXPECT_EQ(there.user_keys[0].period_no(), 683);
  EXPECT_EQ(there.alpha.certificate.periods.start_of(683), parse_date_time("2026-02-06T00:00:00Z").value());
  EXPECT_EQ(there.alpha.certificate.periods.number_at(there.alpha.certificate.periods.start_of(683).plus(-1)),
            682);
  EXPECT_TRUE(test::open_message(there.message(), there.user()).ok());
  EXPECT_FALSE(test::open_message(World().message(), there.user()).ok());
}

}  // namespace
}  // namespace regroup::gktp
