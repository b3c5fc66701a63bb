// SPDX-License-Identifier: Apache-2.0
// The three worked messages (tests/vectors/worked-imessage.json): opened, and made again octet for octet up
// to SIGN.
#include "gktp/world.hpp"
#include "mcx/srtp_keys.hpp"

namespace regroup::gktp {
namespace {

using test::id;
using test::unhex;

class WorkedMessages : public testing::Test {
 protected:
  WorkedMessages() {
    const auto& kms = file_.at("kms");
    lab_ = std::make_unique<test::LabKms>(
        test::LabKms::make(kms.at("z"), kms.at("KSAK"), kms.at("uri").get<std::string>(),
                           kms.at("key_period_s"), kms.at("key_period_offset_s"), {"mcptt.example.org"}));
    EXPECT_EQ(hex(lab_->certificate.z.octets()), kms.at("Z"));
    EXPECT_EQ(hex(lab_->certificate.kpak.octets()), kms.at("KPAK"));
    keys_.push_back(lab_->issue(file_.at("responder").at("uri").get<std::string>(), time_));
    EXPECT_TRUE(domains_.add(lab_->certificate).ok());
  }
  Reception reception() const {
    Reception out{keys_.front().identity(), lab_->certificate.kms_uri, domains_, keys_};
    out.authorised_initiators = {id(gms_)};
    out.group = "sip:tgroup.7@mcptt.example.org";
    out.now = time_;
    return out;
  }
  KeyMaterial material() const {
    KeyMaterial out = test::material();
    out.parameters = {
        mcx::Purpose::gmk, false, false, 1764633600, 0, "TG-7", {"sip:tgroup.7@mcptt.example.org"}};
    return out;
  }

  const nlohmann::json file_ = test::vectors("worked-imessage.json");
  const std::string gms_ = file_.at("initiator").at("uri");
  const NtpTime time_{file_.at("ntp_seconds"), 0};
  std::unique_ptr<test::LabKms> lab_;
  std::vector<mcx::KeySet> keys_;
  mcx::Domains domains_;
};

TEST_F(WorkedMessages, OpenToTheirKeyAndEverythingAroundIt) {
  ASSERT_EQ(file_.at("messages").size(), 3U);
  EXPECT_EQ(hex(keys_.front().rsk().octets().expose()), file_.at("responder").at("RSK"));
  for (const auto& [name, message] : file_.at("messages").items()) {
    SCOPED_TRACE(name);
    const auto opened = test::open_message(unhex(message), reception());
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    EXPECT_EQ(hex(opened->material.key.expose()), file_.at("gmk"));
    EXPECT_EQ(opened->material.id.text(), file_.at("gmk_id"));
    EXPECT_EQ(opened->guk_id.text(), file_.at("guk_id"));
    EXPECT_EQ(hex(opened->material.rand), file_.at("rand"));
    EXPECT_EQ(opened->material.parameters, material().parameters);
    EXPECT_EQ(opened->initiator, id(gms_));
    EXPECT_EQ(opened->time, time_);
    EXPECT_TRUE(opened->fired.empty());
    EXPECT_EQ(opened->material.policy.form == SecurityPolicy::Form::empty_map,
              name == "empty_map_default_profile");
    const auto srtp =
        mcx::srtp_keys(opened->material.key.expose(), 4, opened->guk_id.value, opened->material.rand);
    EXPECT_EQ(hex(srtp.key.expose()), file_.at("expected").at("srtp_master_key"));
    EXPECT_EQ(hex(srtp.salt.expose()), file_.at("expected").at("srtp_master_salt"));
  }
}

TEST_F(WorkedMessages, AreMadeAgainOctetForOctetUpToTheSignature) {
  const auto& initiator = file_.at("initiator");
  const auto keys = mcx::KeySet::validate(
      lab_->certificate, id(gms_), file_.at("key_period_no"),
      crypto::sakke::extract(lab_->z, unhex(initiator.at("uid"))).value().octets().expose(),
      test::ssk_of(initiator.at("SSK")), unhex(initiator.at("PVT")));
  ASSERT_TRUE(keys.ok());
  const std::vector<Receiver> to{{keys_.front().identity(), &lab_->certificate}};
  for (const auto& [name, message] : file_.at("messages").items()) {
    SCOPED_TRACE(name);
    KeyMaterial key = material();
    if (name == "empty_map_default_profile") key.policy = {SecurityPolicy::Form::empty_map, {}, {}};
    SealOptions options;
    options.hide_initiator = options.hide_responder = name == "hidden_identities";
    Octets draws = unhex(std::string("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"));
    draws.resize(draws.size() + 256, 0x11);
    test::QueuedRandom random(draws);
    const auto sealed = seal(key, Sender{lab_->certificate, *keys}, to, time_, random, options);
    ASSERT_TRUE(sealed.ok()) << sealed.error().text();
    const Octets expected = unhex(message), made = sealed->front().message;
    ASSERT_EQ(made.size(), file_.at("lengths").at(name).get<std::size_t>());
    EXPECT_EQ(hex(OctetsView(made).first(made.size() - 129)),
              hex(OctetsView(expected).first(expected.size() - 129)));
    EXPECT_EQ(hex(OctetsView(made).last(65)), initiator.at("PVT"));
    EXPECT_TRUE(test::open_message(made, reception()).ok());
  }
}

}  // namespace
}  // namespace regroup::gktp
