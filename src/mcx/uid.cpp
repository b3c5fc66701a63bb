// SPDX-License-Identifier: Apache-2.0
#include "mcx/uid.hpp"

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::mcx {
namespace {

void add(Octets& to, OctetsView parameter) {
  append(to, parameter);
  append(to, be16(static_cast<std::uint16_t>(parameter.size())));
}

Octets minimal(std::int64_t number) {
  const auto value = static_cast<std::uint64_t>(number);
  Octets out;
  for (int shift = 56; shift >= 0; shift -= 8)
    if (!out.empty() || value >> shift || shift == 0)
      out.push_back(static_cast<std::uint8_t>(value >> shift));
  return out;
}

}  // namespace

Octets uid_input(std::string_view identity, std::string_view kms_uri, std::int64_t period,
                 std::int64_t offset, std::int64_t period_no) {
  Octets s{0x00};
  add(s, view("MIKEY-SAKKE-UID"));
  add(s, view(identity));
  add(s, view(kms_uri));
  for (const std::int64_t number : {period, offset, period_no}) add(s, minimal(number));
  return s;
}

Uid uid(std::string_view identity, std::string_view kms_uri, std::int64_t period, std::int64_t offset,
        std::int64_t period_no) {
  return crypto::sha256(OctetsView(uid_input(identity, kms_uri, period, offset, period_no)));
}

Result<void> self_test() {
  const Uid made = uid("sip:gms1@mcptt.example.org", "kms.example.org", 2592000, 0, 1533);
  if (hex(made) == "49b8013b2d11c2998f0000bb8d73c5ff9c43f8b5cdbeceeb084c8afbac487b86") return {};
  return fail(Errc::internal, "TS 33.179 F.2.1", "the UID of a known identity comes out wrong");
}

Octets rfc6509_identifier(std::string_view year_month, std::string_view tel_uri) {
  Octets out = to_octets(view(year_month));
  out.push_back(0);
  append(out, view(tel_uri));
  out.push_back(0);
  return out;
}

}  // namespace regroup::mcx
