// SPDX-License-Identifier: Apache-2.0
#include "gktp/policy.hpp"

namespace regroup::gktp {
namespace {

using mikey::ErrorCode;
using mikey::SpType;

constexpr std::uint64_t kLastEncryption = 6, kLastAuthentication = 4;  // AES-GCM; RCCm3
constexpr std::uint64_t kNullEncryption = 0, kKeyLength = 16;

Error refused(ErrorCode code, SpType type, std::uint64_t value, const std::string& expected) {
  const auto number = static_cast<std::uint64_t>(type);
  return mikey::refuse(Errc::unsupported, code, "TS 33.179 Table E.2-1",
                       "SP parameter " + std::to_string(number) + " (" + mikey::names::sp_parameter(number) +
                           ") is " + std::to_string(value) + ", expected " + expected,
                       "the sender must use the profile of the table");
}

Result<void> check_sp(const mikey::Sp& sp) {
  const auto encryption = sp.number(SpType::encryption_algorithm);
  if (encryption && (*encryption == kNullEncryption || *encryption > kLastEncryption))
    return refused(ErrorCode::invalid_policy, SpType::encryption_algorithm, *encryption, "6 (AES-GCM)");
  const auto key_length = sp.number(SpType::session_encryption_key_length);
  if (key_length && *key_length != kKeyLength)
    return refused(ErrorCode::invalid_policy_parameter, SpType::session_encryption_key_length, *key_length,
                   "16 octets");
  const auto authentication = sp.number(SpType::authentication_algorithm);
  if (authentication && *authentication > kLastAuthentication)
    return refused(ErrorCode::invalid_policy, SpType::authentication_algorithm, *authentication, "4 (RCCm3)");
  return {};
}

const mikey::Sp* governing(const mikey::Unsigned& message) {
  if (!message.hdr.map.generic.empty()) return message.policy_of(message.hdr.map.generic.front().cs_id);
  return message.policies.size() == 1 ? &message.policies.front() : nullptr;
}

}  // namespace

Result<void> write_policy(const KeyMaterial& material, OctetsView spi, mikey::Unsigned& into) {
  if (material.parameters.key_type == mcx::Purpose::mkfc) return {};
  const SecurityPolicy& policy = material.policy;
  const bool explicit_map = policy.form == SecurityPolicy::Form::explicit_policy;
  if (explicit_map && (policy.cs_ids.empty() || policy.cs_ids.size() > mikey::kMostSessions))
    return fail(Errc::usage, "RFC 6043 6.1.1", "an explicit policy names 1 to 8 CS IDs", "name 1 to 8");
  if (explicit_map) {
    into.hdr.map.type = mikey::MapType::generic_id;
    for (const std::uint8_t cs_id : policy.cs_ids)
      into.hdr.map.generic.push_back({cs_id, mikey::kProtSrtp, false, {0}, {}, to_octets(spi)});
    if (into.hdr.map.names_a_session_twice())
      return fail(Errc::usage, "RFC 6043 6.1.1", "an explicit policy names each CS ID once",
                  "remove the CS ID that stands twice");
  }
  if (!policy.sp_parameters.empty())
    into.policies.push_back(TRY(mikey::Sp::from_parameter_octets(policy.sp_parameters)));
  if (explicit_map && into.policies.empty()) into.policies.push_back(mikey::Sp::group_default());
  return {};
}

Result<void> check_policy(const mikey::Unsigned& message) {
  for (const mikey::Sp& sp : message.policies) TRY(check_sp(sp));
  const mikey::Sp* const first = governing(message);
  for (const mikey::GenericIdEntry& entry : message.hdr.map.generic) {
    const mikey::Sp* const other = message.policy_of(entry.cs_id);
    if ((other == nullptr) == (first == nullptr) && (!other || other->parameters == first->parameters))
      continue;
    return mikey::refuse(Errc::unsupported, ErrorCode::invalid_policy, "RFC 3830 6.10",
                         "crypto session " + std::to_string(entry.cs_id) +
                             " has another policy than session " +
                             std::to_string(message.hdr.map.generic.front().cs_id),
                         "send one message per policy");
  }
  return {};
}

SecurityPolicy read_policy(const mikey::Unsigned& message) {
  SecurityPolicy policy;
  policy.cs_ids.clear();
  for (const mikey::GenericIdEntry& entry : message.hdr.map.generic) policy.cs_ids.push_back(entry.cs_id);
  if (policy.cs_ids.empty()) policy.form = SecurityPolicy::Form::empty_map;
  if (const mikey::Sp* sp = governing(message)) policy.sp_parameters = sp->parameter_octets();
  return policy;
}

}  // namespace regroup::gktp
