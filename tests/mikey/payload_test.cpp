// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/all.hpp"

#include <gtest/gtest.h>

#include <set>

#include "mikey/messages.hpp"

namespace regroup::mikey {
namespace {

using test::unhex;

// One well-formed value of every structure, with each optional part filled.
template <class Structure>
Structure sample() {
  return {};
}
template <>
Hdr sample() {
  Hdr hdr;
  hdr.csb_id = 0x05553e9d;
  hdr.map.type = MapType::generic_id;
  hdr.map.generic = {GenericIdEntry{4, kProtSrtp, true, {0}, Octets(10, 7), unhex("0abcdef105553e9d")},
                     GenericIdEntry{5, kProtSrtp, false, {1, 2}, {}, {}}};
  return hdr;
}
template <>
Idr sample() {
  return Idr::uri(Role::initiator, "sip:gms1@mcptt.example.org");
}
template <>
Cert sample() {
  return Cert{PayloadType::sp, 1, {1, 2, 3}};
}
template <>
Sp sample() {
  return Sp::group_default(3);
}
template <>
GeneralExt sample() {
  return GeneralExt{PayloadType::sign, ExtType::vendor_id, {1, 2, 3}};
}
template <>
ProtectedPayload sample() {
  ProtectedPayload frame;
  frame.date_time = 1764633600;
  frame.ciphertext = Octets(20, 9);
  return frame;
}
template <>
KeyParameters sample() {
  KeyParameters parameters;
  parameters.activation = 1764633600;
  parameters.text = to_octets(view("TG-7"));
  parameters.groups = {GroupId{0x7b, to_octets(view("sip:a@x"))}, GroupId{0x7b, to_octets(view("sip:b@x"))}};
  return parameters;
}

// Structures that end with whatever is left: they have no octet too many, and not every cut breaks them.
template <class Structure>
constexpr bool kOpenEnded = std::is_same_v<Structure, V> || std::is_same_v<Structure, KeyParameters>;

TEST(EveryStructure, IsReadBackAsItWasWritten) {
  for_each_structure([]<class Structure>() {
    const Structure value = sample<Structure>();
    const auto back = parse_as<Structure>(write(value));
    ASSERT_TRUE(back.ok()) << Structure::kName << ": " << back.error().text();
    EXPECT_EQ(*back, value) << Structure::kName;
  });
}

TEST(EveryStructure, IsRefusedWhenCutAtAnyOctet) {
  for_each_structure([]<class Structure>() {
    const Octets octets = write(sample<Structure>());
    // V stands on two octets; key parameters end where Reserved begins.
    const std::size_t whole = std::is_same_v<Structure, V> ? 2 : octets.size();
    for (std::size_t size = 0; size < whole; ++size) {
      const auto cut = parse_as<Structure>(OctetsView(octets).first(size));
      ASSERT_FALSE(cut.ok()) << Structure::kName << " cut at " << size;
      EXPECT_NE(cut.error().detail.find("offset"), std::string::npos) << cut.error().text();
      EXPECT_FALSE(cut.error().clause.empty());
    }
  });
}

TEST(EveryStructure, IsRefusedWithAnOctetTooMany) {
  for_each_structure([]<class Structure>() {
    Octets octets = write(sample<Structure>());
    octets.push_back(0);
    EXPECT_EQ(parse_as<Structure>(octets).ok(), kOpenEnded<Structure>) << Structure::kName;
  });
}

TEST(EveryStructure, WithABitFlippedIsRefusedOrWritesWhatItRead) {
  for_each_structure([]<class Structure>() {
    const Octets octets = write(sample<Structure>());
    for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
      Octets flipped = octets;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1 << bit % 8));
      const auto value = parse_as<Structure>(flipped);
      if (value) {
        EXPECT_EQ(hex(write(*value)), hex(flipped)) << Structure::kName << " bit " << bit;
      }
    }
  });
}

TEST(Registry, ListsEachNumberOnceUnderTheNameItsMessageUses) {
  std::set<PayloadType> numbers;
  for (const PayloadInfo& info : kPayloads) {
    EXPECT_TRUE(numbers.insert(info.number).second) << info.name;
    EXPECT_NE(names::payload(static_cast<std::uint64_t>(info.number)), "unknown") << info.name;
    EXPECT_EQ(info_of(info.number), &info);
  }
  EXPECT_EQ(info_of(PayloadType::kemac), nullptr);
}

// The registry's columns against what parse() does with the worked example.
TEST(Registry, TellsWhatMayStandInAMessage) {
  const Octets octets = test::worked();
  for (unsigned type = 0; type < 256; ++type) {
    if (type == static_cast<unsigned>(PayloadType::sign)) continue;
    const PayloadInfo* const info = info_of(static_cast<PayloadType>(type));
    Octets changed = octets;
    changed[472] = static_cast<std::uint8_t>(type);  // what follows the last extension
    const auto message = parse(changed);
    ASSERT_FALSE(message.ok());
    const bool refused_by_name =
        message.error().detail.find("next payload at offset 472") != std::string::npos;
    EXPECT_EQ(refused_by_name, !info || info->place != Place::between)
        << type << ": " << message.error().text();
  }
}

TEST(SpParameters, TravelAsOctetsToo) {
  const Sp sp = Sp::group_default();
  EXPECT_EQ(hex(sp.parameter_octets()), "00010601011002010404010c0501000601000d0101120104130100140110");
  EXPECT_EQ(Sp::from_parameter_octets(sp.parameter_octets())->parameters, sp.parameters);
  EXPECT_FALSE(Sp::from_parameter_octets(unhex("000106000106")).ok());
  EXPECT_FALSE(Sp::from_parameter_octets(unhex("000206")).ok());
}

TEST(SpParameters, AreNumbersOfUpToEightOctets) {
  const auto sp =
      Sp::from_parameter_octets(unhex("0602"
                                      "0100"));
  ASSERT_TRUE(sp.ok()) << sp.error().text();
  EXPECT_EQ(sp->number(SpType::key_derivation_rate), 256U);
  EXPECT_FALSE(Sp::from_parameter_octets(unhex("0609"
                                               "000000000000000001"))
                   .ok());
}

TEST(EncapsulatedData, IsSplitBetweenRAndH) {
  const Octets data = Octets(273, 5);
  EXPECT_EQ(Sakke::from_encapsulated(data)->encapsulated(), data);
  EXPECT_FALSE(Sakke::from_encapsulated(Octets(272)).ok());
  EXPECT_TRUE(Sakke::from_encapsulated(Octets(289))->ssv32());
}

TEST(KeyParameters, OfTheWorkedExampleReadAndWrite) {
  const Octets content = unhex(test::vectors("worked-imessage.json")["key_parameters_plaintext"]);
  const auto parameters = parse_key_parameters(content);
  ASSERT_TRUE(parameters.ok()) << parameters.error().text();
  EXPECT_EQ(parameters->key_type, KeyType::gmk);
  EXPECT_EQ(parameters->status, KeyParameters::kNotRevoked);
  EXPECT_EQ(parameters->activation, 1764633600U);
  EXPECT_EQ(parameters->expiry, 0U);
  EXPECT_EQ(text_of(parameters->text), "TG-7");
  ASSERT_EQ(parameters->groups.size(), 1U);
  EXPECT_EQ(parameters->groups[0].iei, 0x7b);
  EXPECT_EQ(text_of(parameters->groups[0].uri), "sip:tgroup.7@mcptt.example.org");
  EXPECT_EQ(write(*parameters), content);
}

TEST(KeyParameters, OfOtherVendorsRead) {
  std::size_t read = 0;
  for (const auto& domain : test::vendor_domains())
    for (const auto& entry : domain["messages"]) {
      if (!entry.contains("key_parameters") || !entry["key_parameters"].contains("clear")) continue;
      const Octets content = unhex(entry["key_parameters"]["clear"]);
      const auto parameters = parse_key_parameters(content);
      ASSERT_TRUE(parameters.ok()) << parameters.error().text();
      EXPECT_EQ(write(*parameters), content);
      EXPECT_EQ(names::key_type(static_cast<std::uint64_t>(parameters->key_type)),
                entry["kind"].get<std::string>());
      ++read;
    }
  EXPECT_EQ(read, 4U);
}

TEST(KeyParameters, OfAPairHaveNoGroupField) {
  const auto parameters =
      parse_key_parameters(unhex("0100000001"
                                 "0000000000"
                                 "0000000000"
                                 "0000"));
  ASSERT_TRUE(parameters.ok()) << parameters.error().text();
  EXPECT_TRUE(parameters->groups.empty());
  EXPECT_TRUE(parameters->reserved.empty());
}

TEST(KeyParameters, KeepWhatStandsInReserved) {
  const auto parameters =
      parse_key_parameters(unhex("0000000001"
                                 "0000000000"
                                 "0000000000"
                                 "0000"
                                 "000100"
                                 "ffff"));
  ASSERT_TRUE(parameters.ok()) << parameters.error().text();
  EXPECT_EQ(parameters->reserved, unhex("ffff"));
}

TEST(KeyParameters, MayBeWrappedInAnElement) {
  const std::string content =
      "0000000001"
      "0000000000"
      "0000000000"
      "0004"
      "54472d37"
      "000100";
  const auto bare = parse_key_parameters(unhex(content));
  const auto wrapped = parse_key_parameters(unhex("780018" + content));
  ASSERT_TRUE(bare.ok() && wrapped.ok());
  EXPECT_EQ(*wrapped, *bare);
  EXPECT_FALSE(parse_key_parameters(unhex("780019" + content)).ok());  // counts one octet too many
}

TEST(KeyParameters, RefuseGroupListsThatDoNotAddUp) {
  const std::string head =
      "0000000001"
      "0000000000"
      "0000000000"
      "0000";
  EXPECT_FALSE(parse_key_parameters(unhex(head)).ok());           // a GMK has the field
  EXPECT_FALSE(parse_key_parameters(unhex(head + "0000")).ok());  // without its count
  EXPECT_FALSE(parse_key_parameters(unhex(head + "0001"
                                                 "01"))
                   .ok());  // one group, none there
  EXPECT_FALSE(parse_key_parameters(unhex(head + "0005"
                                                 "00"
                                                 "7b000161"))
                   .ok());  // none, one there
  EXPECT_FALSE(parse_key_parameters(unhex(head + "0005"
                                                 "01"
                                                 "7b000261"))
                   .ok());  // URI longer than the list
  EXPECT_TRUE(parse_key_parameters(unhex(head + "0005"
                                                "01"
                                                "7b000161"))
                  .ok());
  EXPECT_FALSE(parse_key_parameters(unhex("07" + head.substr(2) + "000100")).ok());  // key type 7
}

TEST(LegacyKeyParameters, HaveAOneBasedTypeAndNoGroups) {
  const std::string head =
      "00000001"
      "00692e2c00"
      "0000000000";
  for (const auto& [octet, type] :
       {std::pair{"01", KeyType::gmk}, {"02", KeyType::pck}, {"03", KeyType::csk}}) {
    for (const std::string tail : {"", "0000", "000000000000"}) {  // 15, 17 and 21 octets
      const auto parameters = parse_legacy_key_parameters(unhex(octet + head + tail));
      ASSERT_TRUE(parameters.ok()) << parameters.error().text();
      EXPECT_EQ(parameters->key_type, type);
      EXPECT_EQ(parameters->activation, 1764633600U);
      EXPECT_TRUE(parameters->groups.empty());
    }
  }
  EXPECT_FALSE(parse_legacy_key_parameters(unhex("04" + head)).ok());
  EXPECT_FALSE(parse_legacy_key_parameters(unhex("01" + head + "0004")).ok());
  EXPECT_FALSE(starts_legacy_key_parameters(unhex("43")));
}

TEST(ProtectedPayload, RefusesAClearFormTheOtherCipherAndAShortBody) {
  const Octets good = write(sample<ProtectedPayload>());
  const auto with = [&good](std::size_t at, std::uint8_t value) {
    Octets octets = good;
    octets[at] = value;
    return parse_as<ProtectedPayload>(octets);
  };
  EXPECT_TRUE(with(0, 0x40).ok());
  EXPECT_FALSE(with(0, 0x01).ok());
  EXPECT_EQ(error_code(with(11, 2).error()), static_cast<std::uint8_t>(ErrorCode::invalid_encryption));
  EXPECT_TRUE(with(32, 0x00).ok());  // any IEI
  EXPECT_FALSE(with(34, 15).ok());   // no room for the tag
}

TEST(Identity, RawUidsAreNotPrintedAsText) {
  EXPECT_EQ(meaning_of_id(view("sip:a@x")), "'sip:a@x'");
  EXPECT_EQ(meaning_of_id(Octets(32, 0xa5)).substr(0, 8), "UID a5a5");
  EXPECT_EQ(meaning_of_id(unhex("610a")).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace regroup::mikey
