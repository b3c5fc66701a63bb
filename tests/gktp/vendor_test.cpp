// SPDX-License-Identifier: Apache-2.0
// Messages that other vendors published (tests/vectors/vendor-messages.json) and the worked examples: those
// with a false flag are refused, the others open with exactly the tolerances named here, and to the published
// key.
#include <gtest/gtest.h>

#include <algorithm>

#include "gktp/open.hpp"
#include "vectors.hpp"

namespace regroup::gktp {
namespace {

using nlohmann::json;
using test::unhex;

// One security domain as published, and one receiver in it.
struct Receiver {
  mcx::Domains domains;
  std::vector<mcx::KeySet> key_sets;
  mcx::KmsUri kms;
};

Result<Receiver> receiver_of(const json& domain, const std::string& identity) {
  Receiver out;
  out.kms = TRY(mcx::KmsUri::parse(domain.at("kms").get<std::string>()));
  mcx::KmsCertificate certificate{out.kms,
                                  "",
                                  TRY(mcx::KeyPeriods::make(domain.at("period"), domain.at("offset"))),
                                  TRY(crypto::sakke::KmsPublicKey::parse(unhex(domain.at("Z")))),
                                  TRY(crypto::eccsi::Kpak::parse(unhex(domain.at("KPAK")))),
                                  {},
                                  {},
                                  {},
                                  false};
  for (const json& user : domain.at("users")) {
    if (user.at("uri") != identity) continue;
    const Octets ssk = unhex(user.at("ssk"));
    out.key_sets.push_back(TRY(mcx::KeySet::validate(
        certificate, TRY(mcx::McpttId::parse(identity)), domain.at("number"), unhex(user.at("rsk")),
        crypto::eccsi::Ssk(OctetsView(ssk).first<32>()), unhex(user.at("pvt")))));
  }
  TRY(out.domains.add(std::move(certificate)));
  return out;
}

// Opens as a lab tool does: every kind of key, as of the message's own time.
Result<Opened> open_published(const json& domain, const json& message,
                              const std::vector<std::string>& switches) {
  const std::string responder = message.at("responder"), initiator = message.at("initiator");
  const Receiver receiver = TRY(receiver_of(domain, responder));
  const Octets octets = TRY(from_base64(message.at("message").get<std::string>()));
  const mikey::Message parsed = TRY(mikey::parse(octets));
  Reception with{TRY(mcx::McpttId::parse(responder)), receiver.kms, receiver.domains, receiver.key_sets};
  with.require_authorised_initiator = false;
  with.initiator_candidates = {TRY(mcx::McpttId::parse(initiator))};
  with.expected = {mcx::Purpose::gmk, mcx::Purpose::pck, mcx::Purpose::csk};
  with.now = NtpTime::nearest(parsed.t.value, parse_date_time("2026-01-01T00:00:00Z").value());
  for (const std::string& name : switches) with.tolerances.allow(TRY(parse_tolerance(name)));
  const Verified verified = TRY(verify(octets, with));
  return open(verified, with);
}

std::vector<std::string> names(const Fired& fired) {
  std::vector<std::string> out;
  for (const Tolerance one : fired) out.emplace_back(name_of(one));
  std::sort(out.begin(), out.end());
  return out;
}

TEST(VendorMessages, OpenToThePublishedKeyWithExactlyTheTolerancesTheyNeed) {
  const json file = test::vectors("vendor-messages.json");
  std::size_t opened = 0;
  for (const json& domain : file.at("domains"))
    for (const json& message : domain.at("messages")) {
      const std::string kind = message.at("kind"), name = domain.at("name");
      SCOPED_TRACE(name + " " + kind);
      std::vector<std::string> needed;
      if (kind.find("legacy") != std::string::npos) needed = {"accept_clear_key_parameters"};
      if (name.find("vendor B") != std::string::npos && kind == "GMK")
        needed = {"accept_expiry_all_ones", "accept_status_zero"};
      const bool good = message.at("decap_ok").get<bool>() && message.at("signature_ok").get<bool>();
      const auto result = open_published(domain, message, needed);
      EXPECT_EQ(result.ok(), good) << (result.ok() ? "" : result.error().text());
      if (!result.ok() || !good) continue;
      ++opened;
      EXPECT_EQ(hex(result.value().material.key.expose()), message.at("key").get<std::string>());
      EXPECT_EQ(result.value().material.id.text(), message.at("key_id").get<std::string>());
      EXPECT_EQ(names(result.value().fired), needed);
      if (needed.empty()) continue;
      EXPECT_FALSE(open_published(domain, message, {}).ok()) << "a deviation passes only under its switch";
      std::vector<std::string> others;
      for (std::size_t i = 0; i < kTolerances; ++i) others.emplace_back(name_of(static_cast<Tolerance>(i)));
      std::erase(others, needed.front());
      EXPECT_FALSE(open_published(domain, message, others).ok()) << "the other switches do not replace it";
    }
  EXPECT_EQ(opened, 6u);
}

// Strictly, status 0 is a revocation: with the expiry tolerated alone, vendor B's GMK is one.
TEST(VendorMessages, AStatusOfZeroIsARevocationUnlessItsSwitchIsOn) {
  const json domain = test::vectors("vendor-messages.json").at("domains").at(1);
  const json& message = domain.at("messages").at(0);
  const auto strict = open_published(domain, message, {"accept_expiry_all_ones"});
  ASSERT_TRUE(strict.ok()) << strict.error().text();
  EXPECT_TRUE(strict->material.parameters.revoked);
  const auto lenient = open_published(domain, message, {"accept_expiry_all_ones", "accept_status_zero"});
  ASSERT_TRUE(lenient.ok()) << lenient.error().text();
  EXPECT_FALSE(lenient->material.parameters.revoked);
  EXPECT_EQ(lenient->material.parameters.groups, std::vector<std::string>{"sip:g4.chat@veronica-cluster"});
  EXPECT_EQ(lenient->material.parameters.expiry, 0);
}

TEST(VendorMessages, WithAFalseFlagAreRefusedUnderEverySwitch) {
  const json domain = test::vectors("vendor-messages.json").at("domains").at(1);
  json message = domain.at("messages").at(2);
  ASSERT_FALSE(message.at("decap_ok").get<bool>());
  std::vector<std::string> all;
  for (std::size_t i = 0; i < kTolerances; ++i) all.emplace_back(name_of(static_cast<Tolerance>(i)));
  const auto key_set = receiver_of(domain, message.at("responder"));
  EXPECT_FALSE(key_set.ok()) << "the published key set of its receiver is unusable";
  EXPECT_FALSE(open_published(domain, message, all).ok());
  EXPECT_EQ(mikey::parse(from_base64(message.at("message").get<std::string>()).value()).error().code,
            Errc::malformed);
}

TEST(VendorMessages, NoSingleFlippedOctetOpens) {
  const json file = test::vectors("vendor-messages.json");
  const json& domain = file.at("domains").at(0);
  json message = domain.at("messages").at(0);
  const Octets good = from_base64(message.at("message").get<std::string>()).value();
  for (std::size_t at = 0; at < good.size(); at += 23) {
    Octets bad = good;
    bad[at] = static_cast<std::uint8_t>(bad[at] ^ 0x10);
    message["message"] = base64(bad);
    EXPECT_FALSE(open_published(domain, message, {}).ok()) << "octet " << at;
  }
}

}  // namespace
}  // namespace regroup::gktp
