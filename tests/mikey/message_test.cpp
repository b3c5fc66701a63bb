// SPDX-License-Identifier: Apache-2.0
#include "mikey/message.hpp"

#include <gtest/gtest.h>

#include "mikey/messages.hpp"

namespace regroup::mikey {
namespace {

using test::unhex;
using test::worked;

Message read(const Octets& octets) {
  auto message = parse(octets);
  if (!message) throw std::runtime_error(message.error().text());
  return std::move(message).value();
}

TEST(Message, TheWorkedExampleHasTheFieldsItWasMadeOf) {
  const auto v = test::vectors("worked-imessage.json");
  const Message m = read(worked());
  EXPECT_EQ(m.hdr.version, 1);
  EXPECT_EQ(m.hdr.data_type, 26);
  EXPECT_FALSE(m.hdr.v);
  EXPECT_EQ(m.hdr.prf, kPrfHmacSha256);
  EXPECT_EQ(m.hdr.csb_id, 0x05553e9dU);
  ASSERT_EQ(m.hdr.map.generic.size(), 1U);
  const GenericIdEntry& session = m.hdr.map.generic.front();
  EXPECT_EQ(session.cs_id, 4);
  EXPECT_FALSE(session.s);
  EXPECT_EQ(session.policies, Octets{0});
  EXPECT_TRUE(session.session_data.empty());
  EXPECT_EQ(session.spi, unhex(v["expected"]["mki"]));
  EXPECT_EQ(m.t.seconds(), v["ntp_seconds"].get<std::uint32_t>());
  EXPECT_EQ(m.t.fraction(), 0U);
  EXPECT_EQ(m.rand.value, unhex(v["rand"]));
  EXPECT_EQ(m.initiator.text(), v["initiator"]["uri"].get<std::string>());
  EXPECT_EQ(m.responder.text(), v["responder"]["uri"].get<std::string>());
  EXPECT_EQ(m.initiator_kms.text(), v["kms"]["uri"].get<std::string>());
  EXPECT_EQ(m.responder_kms.text(), v["kms"]["uri"].get<std::string>());
  EXPECT_FALSE(m.kms_by_role_3());
  ASSERT_EQ(m.policies.size(), 1U);
  EXPECT_EQ(m.policies.front(), Sp::group_default());
  EXPECT_EQ(m.policy_of(4), &m.policies.front());
  EXPECT_EQ(m.sakke.id_scheme, kIdSchemeHashedUid);
  EXPECT_FALSE(m.sakke.ssv32());
  EXPECT_EQ(hex(OctetsView(m.sakke.encapsulated()).last(16)), "f2f15a840181996248550702bce51dfb");
  EXPECT_EQ(Octets(m.sign.pvt.begin(), m.sign.pvt.end()), unhex(v["initiator"]["PVT"]));
}

TEST(Message, ExtensionSevenHoldsAProtectedPayloadNamedByTheCsbId) {
  const Message m = read(worked());
  const GeneralExt* const extension = m.extension(ExtType::key_parameters);
  ASSERT_NE(extension, nullptr);
  EXPECT_EQ(m.extension(ExtType::sakke_to_self), nullptr);
  const auto frame = parse_as<ProtectedPayload>(extension->data);
  ASSERT_TRUE(frame.ok()) << frame.error().text();
  EXPECT_EQ(frame->message_type, 0x43);
  EXPECT_EQ(frame->date_time, 1764633600U);
  EXPECT_EQ(frame->dppk_id, m.hdr.csb_id);
  EXPECT_EQ(frame->iei, 0x78);
  EXPECT_EQ(frame->ciphertext.size(), 57U);
  EXPECT_EQ(hex(frame->tag), "be5d581ed2c3879195b125a1eb7f55ac");
  EXPECT_EQ(frame->associated_data(), to_octets(OctetsView(extension->data).first(32)));
}

TEST(Message, SignedAreAllOctetsUpToTheSignHeaderIncluded) {
  const Octets octets = worked();
  const Message m = read(octets);
  EXPECT_EQ(m.signed_octets().size(), 586U);
  EXPECT_EQ(hex(m.signed_octets().last(2)), "2081");
  EXPECT_EQ(m.signed_octets_without_header().size(), 584U);
  EXPECT_EQ(m.signature().size(), 129U);
  EXPECT_EQ(m.raw, octets);
  EXPECT_EQ(Octets(m.sign.r.begin(), m.sign.r.end()), to_octets(m.signature().first(32)));
}

TEST(Message, TheEmptyMapHasNoSessionAndNoPolicy) {
  const Message m = read(worked("empty_map_default_profile"));
  EXPECT_EQ(m.hdr.map.type, MapType::empty);
  EXPECT_EQ(m.hdr.map.sessions(), 0U);
  EXPECT_EQ(m.policy_of(4), nullptr);
}

TEST(Message, HiddenIdentitiesAreReadByTheirRole) {
  const auto v = test::vectors("worked-imessage.json");
  const Message m = read(worked("hidden_identities"));
  EXPECT_TRUE(m.initiator.hidden());
  EXPECT_TRUE(m.responder.hidden());
  EXPECT_EQ(m.initiator.data, unhex(v["initiator"]["uid"]));
  EXPECT_EQ(m.responder.data, unhex(v["responder"]["uid"]));
}

TEST(Message, WritingGivesTheOctetsThatWereRead) {
  for (const auto& [name, octets] : test::good_messages()) {
    if (name == "vendor B v3/0/GMK") continue;  // below
    const Message m = read(octets);
    EXPECT_EQ(hex(write(m)), hex(octets)) << name;
    EXPECT_EQ(hex(write_to_sign(m)), hex(m.signed_octets())) << name;
  }
}

// Vendor B puts the extension before SAKKE: what is written has our order and the same fields.
TEST(Message, AnotherOrderIsReadAndWrittenInOurs) {
  const Octets octets = test::vendor_messages().at("vendor B v3/0/GMK");
  const Message m = read(octets);
  EXPECT_EQ(m.sakke.next, PayloadType::sign);
  const Message ours = read(write(m));
  EXPECT_NE(ours.raw, octets);
  EXPECT_EQ(ours.raw.size(), octets.size());
  EXPECT_EQ(ours.sakke.encapsulated(), m.sakke.encapsulated());
  EXPECT_EQ(ours.extensions.at(0).data, m.extensions.at(0).data);
  EXPECT_EQ(to_octets(m.signed_octets()), Octets(octets.begin(), octets.end() - 129));
}

TEST(Message, EveryPublishedMessageNamesItsParties) {
  for (const auto& domain : test::vendor_domains()) {
    for (const auto& entry : domain["messages"]) {
      const auto m = parse(from_base64(entry["message"].get<std::string>()).value());
      if (entry["signature_ok"] == false) {
        EXPECT_FALSE(m.ok());
        continue;
      }
      ASSERT_TRUE(m.ok()) << m.error().text();
      EXPECT_EQ(m->raw.size(), entry["octets"].get<std::size_t>());
      EXPECT_EQ(hex(be32(m->hdr.csb_id)), entry["csb_id"].get<std::string>());
      EXPECT_EQ(m->initiator_kms.text(), domain["kms"].get<std::string>());
      EXPECT_EQ(m->responder_kms.text(), domain["kms"].get<std::string>());
      for (const auto& user : domain["users"]) {
        if (user["uri"] == entry["initiator"] && m->initiator.hidden()) {
          EXPECT_EQ(m->initiator.data, unhex(user["uid"]));
        }
        if (user["uri"] == entry["responder"] && m->responder.hidden()) {
          EXPECT_EQ(m->responder.data, unhex(user["uid"]));
        }
      }
      const auto parameters = entry.value("key_parameters", nlohmann::json::object());
      const GeneralExt* const extension = m->extension(ExtType::key_parameters);
      ASSERT_EQ(extension != nullptr, !parameters.empty());
      if (parameters.contains("protected")) {
        const auto frame = parse_as<ProtectedPayload>(extension->data);
        ASSERT_TRUE(frame.ok()) << frame.error().text();
        EXPECT_EQ(frame->dppk_id, m->hdr.csb_id);
        EXPECT_EQ(hex(write(*frame)), parameters["protected"].get<std::string>());
      }
      if (parameters.contains("unprotected")) {
        EXPECT_FALSE(parse_as<ProtectedPayload>(extension->data).ok());
        const auto clear = parse_legacy_key_parameters(extension->data);
        ASSERT_TRUE(clear.ok()) << clear.error().text();
        EXPECT_EQ(clear->key_type, KeyType::gmk);
        EXPECT_EQ(clear->status, 1U);
      }
    }
  }
}

TEST(Message, TheAnnotatedMessageOfAShippingProductReadsAsAnnotated) {
  const Message m = read(test::vendor_messages().at("vendor A reference set v5/0/GMK"));
  EXPECT_EQ(m.raw.size(), 701U);
  EXPECT_EQ(m.hdr.csb_id, 0x06a12aeaU);
  EXPECT_EQ(hex(m.hdr.map.generic.at(0).spi), "0df9bc3906a12aea");
  EXPECT_EQ(m.t.seconds(), 0xec898da8U);
  EXPECT_EQ(hex(m.rand.value), "ca2f5d51ff0866362c1d85a56f84651e");
  EXPECT_EQ(m.initiator.role, Role::initiator_uid);
  EXPECT_EQ(m.responder.role, Role::responder_uid);
  EXPECT_EQ(m.initiator_kms.text(), "kms.mydev.streamwide.com");
  ASSERT_EQ(m.policies.size(), 1U);
  EXPECT_EQ(m.policies[0].parameters.size(), 9U);
  EXPECT_EQ(m.policies[0].number(SpType::encryption_algorithm), 6U);
  EXPECT_EQ(m.policies[0].number(SpType::roc_transmission_rate), std::nullopt);
  EXPECT_EQ(m.extension(ExtType::key_parameters)->data.size(), 71U);
}

TEST(Message, TheLegacyMapNumbersSessionsAndSaysNothingMore) {
  const Message m =
      read(test::vendor_messages().at("vendor A reference set v5/3/GMK (legacy format for IWF)"));
  EXPECT_EQ(m.hdr.map.type, MapType::srtp_id);
  EXPECT_EQ(m.hdr.map.sessions(), 2U);
  EXPECT_EQ(m.hdr.map.srtp[0].ssrc, 0xcafebabeU);
}

TEST(Message, NoSessionsWithAGenericIdMapIsRefused) {
  const auto m = parse(test::vendor_messages().at(std::string(test::kBrokenVendorMessage)));
  ASSERT_FALSE(m.ok());
  EXPECT_EQ(m.error().code, Errc::malformed);
  EXPECT_NE(m.error().detail.find("CS ID map type at offset 9 is 2"), std::string::npos) << m.error().text();
}

// What tolerances may let through is read, not judged.
TEST(Message, ValuesThatATolerancePassesAreKeptForTheOpener) {
  const auto changed = [](auto change) {
    Message m = read(worked());
    change(m);
    return parse(write(m));
  };
  EXPECT_EQ(changed([](Message& m) { m.hdr.prf = 0; })->hdr.prf, 0);
  EXPECT_EQ(changed([](Message& m) { m.hdr.v = true; })->hdr.v, true);
  EXPECT_EQ(changed([](Message& m) { m.sakke.id_scheme = 1; })->sakke.id_scheme, 1);
  EXPECT_TRUE(changed([](Message& m) { m.sakke.h = Octets(32); })->sakke.ssv32());
  EXPECT_EQ(changed([](Message& m) { m.initiator_kms.data.push_back(0); })->initiator_kms.data.back(), 0);
  EXPECT_EQ(changed([](Message& m) { m.t.value = {0x69, 0x2e, 0x2c, 0, 0, 0, 0, 0}; })->t.seconds(),
            0x692e2c00U);
  const auto none = changed([](Message& m) { m.extensions.clear(); });
  EXPECT_EQ(none->extension(ExtType::key_parameters), nullptr);
  const auto clear =
      changed([](Message& m) { m.extensions[0].data = unhex("0100000001000000000000000000000000"); });
  EXPECT_TRUE(starts_legacy_key_parameters(clear->extension(ExtType::key_parameters)->data));
}

TEST(Message, OneOrTwoIdrsOfRoleThreeStandForBothKmss) {
  Message m = read(worked());
  m.initiator_kms.role = m.responder_kms.role = Role::kms;
  m.responder_kms.data = to_octets(view("kms.other.example"));
  const auto two = parse(write(m));
  ASSERT_TRUE(two.ok()) << two.error().text();
  EXPECT_TRUE(two->kms_by_role_3());
  EXPECT_EQ(two->initiator_kms.text(), "kms.example.org");
  EXPECT_EQ(two->responder_kms.text(), "kms.other.example");

  Octets one = write(m);
  const auto second =
      one.begin() + 139;  // the second of the two, 5 + 17 octets; its predecessor names SP next
  one.erase(second, second + 22);
  one[119] = static_cast<std::uint8_t>(PayloadType::sp);
  const auto both = parse(one);
  ASSERT_TRUE(both.ok()) << both.error().text();
  EXPECT_EQ(both->responder_kms.text(), "kms.example.org");
}

TEST(Message, RolesThreeToFiveBesideTheRealOnesAreIgnored) {
  for (const char* const extra : {"0a03010001"
                                  "6b",
                                  "0a04010001"
                                  "6b",
                                  "0a05010001"
                                  "6b"}) {  // one octet, next is SP
    Octets octets = worked();
    const Octets idr = unhex(extra);
    octets[139] = static_cast<std::uint8_t>(PayloadType::idr);
    octets.insert(octets.begin() + 159, idr.begin(), idr.end());
    const auto m = parse(octets);
    ASSERT_TRUE(m.ok()) << m.error().text();
    EXPECT_EQ(m->initiator_kms.text(), "kms.example.org");
    EXPECT_EQ(m->responder_kms.text(), "kms.example.org");
  }
}

TEST(Message, PayloadsBetweenHdrAndSignMayStandInAnyOrder) {
  const Octets octets = worked();
  // T (25..34) moved behind RAND (35..52).
  Octets moved(octets.begin(), octets.begin() + 25);
  moved.insert(moved.end(), octets.begin() + 35, octets.begin() + 53);
  moved.insert(moved.end(), octets.begin() + 25, octets.begin() + 35);
  moved.insert(moved.end(), octets.begin() + 53, octets.end());
  moved[2] = 11;   // HDR -> RAND
  moved[25] = 5;   // RAND -> T
  moved[43] = 14;  // T -> IDR
  const auto m = parse(moved);
  ASSERT_TRUE(m.ok()) << m.error().text();
  EXPECT_EQ(m->signed_octets().size(), 586U);
  EXPECT_EQ(to_octets(m->signed_octets()),
            Octets(moved.begin(), moved.begin() + 586));  // received, not re-encoded
  EXPECT_EQ(write(*m), octets);
}

struct Refusal {
  std::string name;
  std::function<void(Octets&)> change;
  Errc errc;
  ErrorCode code;
  std::string says;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithTheFieldTheClauseAndAMikeyErrorNumber) {
  Octets octets = worked();
  ASSERT_TRUE(parse(octets).ok());
  GetParam().change(octets);
  const auto m = parse(octets);
  ASSERT_FALSE(m.ok());
  EXPECT_EQ(m.error().code, GetParam().errc) << m.error().text();
  EXPECT_EQ(error_code(m.error()), static_cast<std::uint8_t>(GetParam().code)) << m.error().text();
  EXPECT_NE(m.error().detail.find(GetParam().says), std::string::npos) << m.error().text();
  EXPECT_FALSE(m.error().clause.empty());
  EXPECT_FALSE(m.error().cure.empty()) << m.error().text();
}

std::function<void(Octets&)> set(std::size_t at, std::uint8_t value) {
  return [at, value](Octets& o) { o[at] = value; };
}
void insert(Octets& o, std::size_t at, const std::string& octets) {
  const Octets more = unhex(octets);
  o.insert(o.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
}
void erase(Octets& o, std::size_t at, std::size_t count) {
  const auto from = o.begin() + static_cast<std::ptrdiff_t>(at);
  o.erase(from, from + static_cast<std::ptrdiff_t>(count));
}

// Offsets are those of the annotated worked example (docs/wire.md).
INSTANTIATE_TEST_SUITE_P(
    Messages, Refused,
    testing::Values(
        Refusal{"version", set(0, 2), Errc::unsupported, ErrorCode::unspecified, "HDR version at offset 0 is 2"},
        Refusal{"data_type", set(1, 0), Errc::unsupported, ErrorCode::invalid_data_type, "HDR data type at offset 1 is 0"},
        Refusal{"error_message_is_no_i_message", set(1, 6), Errc::unsupported, ErrorCode::invalid_data_type, "offset 1 is 6"},
        Refusal{"nine_sessions", set(8, 9), Errc::limit, ErrorCode::unspecified, "#CS at offset 8 is 9"},
        Refusal{"no_session_with_generic_map", set(8, 0), Errc::malformed, ErrorCode::unspecified, "map type at offset 9 is 2"},
        Refusal{"a_session_with_the_empty_map", set(9, 1), Errc::malformed, ErrorCode::unspecified, "map type at offset 9 is 1"},
        Refusal{"unknown_map", set(9, 3), Errc::unsupported, ErrorCode::unspecified, "map type at offset 9 is 3"},
        Refusal{"session_protocol", set(11, 1), Errc::unsupported, ErrorCode::invalid_policy, "Prot type at offset 11 is 1"},
        Refusal{"a_cs_id_twice",
                [](Octets& o) { o[8] = 2; insert(o, 25, "040001000000080abcdef105553e9d"); },
                Errc::malformed, ErrorCode::invalid_policy, "CS ID at offset 25 is 4, expected each CS ID once"},
        Refusal{"session_data_of_three_octets",
                [](Octets& o) { o[15] = 3; insert(o, 16, "000000"); },
                Errc::malformed, ErrorCode::unspecified, "session data at offset 16 has 3 octets"},
        Refusal{"a_policy_that_no_sp_has", set(13, 7), Errc::malformed, ErrorCode::invalid_policy, "names policy 7"},
        Refusal{"two_sps_and_a_session_that_names_none",
                [](Octets& o) { o[159] = 10; insert(o, 194, "1a01000000"); o[12] = 0; erase(o, 13, 1); },
                Errc::malformed, ErrorCode::invalid_policy, "names none of several SPs"},
        Refusal{"a_policy_number_twice",
                [](Octets& o) { o[159] = 10; insert(o, 194, "1a00000000"); },
                Errc::malformed, ErrorCode::invalid_policy, "policy number 0 again"},
        Refusal{"two_sps_with_the_empty_map",
                [](Octets& o) { o[159] = 10; insert(o, 194, "1a01000000"); o[8] = 0; o[9] = 1; erase(o, 10, 15); },
                Errc::malformed, ErrorCode::invalid_policy, "several SPs"},
        Refusal{"counter_time", set(26, 2), Errc::unsupported, ErrorCode::invalid_timestamp, "TS type at offset 26 is 2"},
        Refusal{"t_twice", [](Octets& o) { insert(o, 25, "0500ecd8aa8000000000"); }, Errc::malformed,
                ErrorCode::unspecified, "5 (T) stands a second time at offset 35"},
        Refusal{"t_missing", [](Octets& o) { o[2] = 11; erase(o, 25, 10); }, Errc::malformed, ErrorCode::unspecified,
                "lacks T"},
        Refusal{"rand_of_15", [](Octets& o) { o[36] = 15; erase(o, 37, 1); }, Errc::malformed, ErrorCode::unspecified,
                "RAND RAND at offset 37 has 15 octets"},
        Refusal{"rand_of_65",
                [](Octets& o) { o[36] = 65; insert(o, 37, std::string(98, '0')); },
                Errc::malformed, ErrorCode::unspecified, "has 65 octets"},
        Refusal{"role_0", set(54, 0), Errc::unsupported, ErrorCode::invalid_id, "IDR role at offset 54 is 0"},
        Refusal{"role_10", set(54, 10), Errc::unsupported, ErrorCode::invalid_id, "IDR role at offset 54 is 10"},
        Refusal{"initiator_twice", set(85, 1), Errc::malformed, ErrorCode::invalid_id, "stands beside IDR role 1"},
        Refusal{"initiator_open_and_hidden",
                [](Octets& o) { insert(o, 53, "0e08010020" + std::string(64, 'a')); },
                Errc::malformed, ErrorCode::invalid_id, "IDR role 1 (initiator)"},
        Refusal{"responder_open_and_hidden",
                [](Octets& o) { insert(o, 84, "0e09010020" + std::string(64, 'a')); },
                Errc::malformed, ErrorCode::invalid_id, "IDR role 2 (responder)"},
        Refusal{"hidden_identity_of_26_octets", set(54, 8), Errc::malformed, ErrorCode::invalid_id, "has 26 octets, expected 32"},
        Refusal{"identity_that_is_a_nai", set(55, 0), Errc::unsupported, ErrorCode::invalid_id, "ID type at offset 55 is 0"},
        Refusal{"open_identity_as_byte_string", set(55, 2), Errc::unsupported, ErrorCode::invalid_id, "ID type at offset 55 is 2"},
        Refusal{"empty_identity", [](Octets& o) { o[57] = 0; erase(o, 58, 26); }, Errc::malformed,
                ErrorCode::invalid_id, "has 0 octets, expected 1 to 2048"},
        Refusal{"identity_of_2049_octets",
                [](Octets& o) { o[56] = 8; o[57] = 1; insert(o, 58, std::string(2 * (2049 - 26), '6')); },
                Errc::malformed, ErrorCode::invalid_id, "has 2049 octets, expected 1 to 2048"},
        Refusal{"responder_missing", [](Octets& o) { erase(o, 84, 35); }, Errc::malformed, ErrorCode::invalid_id,
                "lacks IDRr"},
        Refusal{"kms_missing", [](Octets& o) { erase(o, 119, 20); }, Errc::malformed, ErrorCode::invalid_id,
                "lacks IDRkmsi"},
        Refusal{"role_3_beside_one_kms", set(120, 3), Errc::malformed, ErrorCode::invalid_id, "lacks IDRkmsi"},
        Refusal{"sp_protocol", set(161, 1), Errc::unsupported, ErrorCode::invalid_policy, "SP Prot type at offset 161 is 1"},
        Refusal{"sp_parameter_past_the_payload", set(192, 2), Errc::malformed, ErrorCode::unspecified, "parameter value at offset 193"},
        Refusal{"sp_parameter_twice", set(167, 0), Errc::malformed, ErrorCode::invalid_policy_parameter, "offset 167 is 0, expected each parameter once"},
        Refusal{"sp_parameter_without_value",
                [](Octets& o) { o[165] = 0; erase(o, 166, 1); o[163] = 29; },
                Errc::malformed, ErrorCode::invalid_policy_parameter, "parameter value at offset 166 has 0 octets"},
        Refusal{"sakke_parameter_set", set(195, 2), Errc::unsupported, ErrorCode::unspecified, "SAKKE params at offset 195 is 2"},
        Refusal{"sakke_length", set(198, 0x12), Errc::unsupported, ErrorCode::unspecified, "length at offset 197 is 274"},
        Refusal{"sakke_missing", [](Octets& o) { o[159] = 21; erase(o, 194, 278); }, Errc::malformed,
                ErrorCode::unspecified, "lacks SAKKE"},
        Refusal{"extension_7_twice",
                [](Octets& o) { insert(o, 472, "1507000143"); },
                Errc::malformed, ErrorCode::unspecified, "type 7 stands a second time at offset 477"},
        Refusal{"extension_6_twice",
                [](Octets& o) { insert(o, 472, "1506000143"); insert(o, 472, "1506000143"); },
                Errc::malformed, ErrorCode::unspecified, "type 6 stands a second time"},
        Refusal{"kemac", set(472, 1), Errc::unsupported, ErrorCode::unspecified, "next payload at offset 472 is 1 (KEMAC)"},
        Refusal{"err_inside", set(472, 12), Errc::unsupported, ErrorCode::unspecified, "is 12 (ERR)"},
        Refusal{"v_inside", set(472, 9), Errc::unsupported, ErrorCode::unspecified, "is 9 (V)"},
        Refusal{"key_data_inside", set(472, 20), Errc::unsupported, ErrorCode::unspecified, "is 20 (key data)"},
        Refusal{"unknown_payload", set(472, 99), Errc::unsupported, ErrorCode::unspecified, "is 99 (unknown)"},
        Refusal{"no_sign", [](Octets& o) { o[472] = 0; o.resize(584); }, Errc::malformed, ErrorCode::unspecified,
                "next payload at offset 472 is 0: the message ends without SIGN"},
        Refusal{"rsa_signature", set(584, 0x00), Errc::unsupported, ErrorCode::authentication_failure, "expected S type 2"},
        Refusal{"signature_of_32", set(585, 32), Errc::malformed, ErrorCode::authentication_failure, "length 129"},
        Refusal{"trailing_octet", [](Octets& o) { o.push_back(0); }, Errc::malformed, ErrorCode::unspecified,
                "1 octets left over behind SIGN PVT at offset 715"},
        Refusal{"too_short", [](Octets& o) { o.resize(299); }, Errc::malformed, ErrorCode::unspecified, "299 octets"},
        Refusal{"too_long", [](Octets& o) { o.resize(16385); }, Errc::limit, ErrorCode::unspecified, "16385 octets"}),
    [](const auto& refusal) { return refusal.param.name; });

// What the worked example must hold once: `named_at` is the octet of the payload before that announces it.
struct Mandatory {
  std::string name;
  PayloadType type;
  std::size_t named_at, at, size;
};

TEST(Message, HoldsEachMandatoryPayloadExactlyOnce) {
  const std::vector<Mandatory> all{{"T", PayloadType::t, 2, 25, 10},
                                   {"RAND", PayloadType::rand, 25, 35, 18},
                                   {"IDRi", PayloadType::idr, 35, 53, 31},
                                   {"IDRr", PayloadType::idr, 53, 84, 35},
                                   {"IDRkmsi", PayloadType::idr, 84, 119, 20},
                                   {"IDRkmsr", PayloadType::idr, 119, 139, 20},
                                   {"SAKKE", PayloadType::sakke, 159, 194, 278}};
  for (const Mandatory& one : all) {
    Octets without = worked();
    without[one.named_at] = without[one.at];
    erase(without, one.at, one.size);
    const auto lacks = parse(without);
    ASSERT_FALSE(lacks.ok()) << one.name;
    EXPECT_NE(lacks.error().detail.find("lacks " + one.name + " ("), std::string::npos)
        << lacks.error().text();

    Octets twice = worked();
    insert(twice, one.at, hex(OctetsView(twice).subspan(one.at, one.size)));
    twice[one.at] = static_cast<std::uint8_t>(one.type);
    const auto again = parse(twice);
    ASSERT_FALSE(again.ok()) << one.name;
    const std::string said = again.error().detail;
    EXPECT_TRUE(said.find("a second time") != std::string::npos || said.find("beside") != std::string::npos)
        << again.error().text();
  }
}

TEST(Message, CertificatesAndUnknownExtensionsAreReadPast) {
  Octets octets = worked();
  octets[139] = 7;                        // IDRkmsr -> CERT
  insert(octets, 159, "0a01000341424b");  // CERT -> SP
  const auto m = parse(octets);
  ASSERT_TRUE(m.ok()) << m.error().text();
  Octets more = worked();
  insert(more, 472, "15c8000142");  // an extension of type 200 before type 7
  const auto n = parse(more);
  ASSERT_TRUE(n.ok()) << n.error().text();
  EXPECT_EQ(n->extensions.size(), 2U);
  EXPECT_EQ(write(*n), more);
}

TEST(Message, UnknownSpParametersAreKeptAndIgnored) {
  Octets octets = worked();
  octets[163] += 3;
  insert(octets, 194, "630142");
  const auto m = parse(octets);
  ASSERT_TRUE(m.ok()) << m.error().text();
  EXPECT_EQ(m->policies[0].parameters.size(), 11U);
  EXPECT_EQ(write(*m), octets);
}

TEST(Message, TwoSessionsMayHaveTheirOwnPolicies) {
  Message m = read(worked());
  GenericIdEntry video = m.hdr.map.generic[0];
  video.cs_id = 5;
  video.policies = {1};
  m.hdr.map.generic.push_back(video);
  m.policies.push_back(Sp::group_default(1));
  const auto back = parse(write(m));
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(back->policy_of(4)->policy, 0);
  EXPECT_EQ(back->policy_of(5)->policy, 1);
}

TEST(Message, SakkeToSelfIsAWholeSakkePayload) {
  Message m = read(worked());
  Sakke self = m.sakke;
  self.next = PayloadType::last;
  m.extensions.insert(m.extensions.begin(),
                      GeneralExt{PayloadType::sign, ExtType::sakke_to_self, write(self)});
  const auto back = parse(write(m));
  ASSERT_TRUE(back.ok()) << back.error().text();
  const GeneralExt* const extension = back->extension(ExtType::sakke_to_self);
  ASSERT_NE(extension, nullptr);
  EXPECT_EQ(extension->data.size(), 278U);
  EXPECT_EQ(parse_as<Sakke>(extension->data).value(), self);
}

TEST(Message, AnErrorMessageIsReadAndNothingElseIsTakenForOne) {
  const auto m =
      parse_error_message(unhex("01060c0105553e9d0001"
                                "00090000"));
  ASSERT_TRUE(m.ok()) << m.error().text();
  EXPECT_EQ(m->hdr.csb_id, 0x05553e9dU);
  EXPECT_EQ(m->err.error, 9);
  EXPECT_FALSE(parse_error_message(worked()).ok());
  EXPECT_FALSE(parse_error_message(unhex("01060c0105553e9d0001"
                                         "0009000000"))
                   .ok());
}

TEST(ErrorCode, WithoutANumberInTheDetailTheErrcDecides) {
  EXPECT_EQ(error_code(fail(Errc::bad_signature, "", "SIGN does not verify")), 0);
  EXPECT_EQ(error_code(fail(Errc::expired, "", "T is old")), 1);
  EXPECT_EQ(error_code(fail(Errc::not_for_me, "", "IDRr is another")), 7);
  EXPECT_EQ(error_code(fail(Errc::internal, "", "")), 12);
  EXPECT_EQ(error_code(refuse(Errc::unsupported, ErrorCode::invalid_prf, "", "PRF func 7", "")), 2);
  EXPECT_EQ(error_code(fail(Errc::internal, "", "x (MIKEY error 99: y)")), 12);
}

}  // namespace
}  // namespace regroup::mikey
