// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/sp.hpp"

#include <bitset>

namespace regroup::mikey {

Sp Sp::group_default(std::uint8_t policy) {
  Sp sp;
  sp.policy = policy;
  sp.parameters = {{0, {6}}, {1, {16}}, {2, {4}},  {4, {12}}, {5, {0}},
                   {6, {0}}, {13, {1}}, {18, {4}}, {19, {0}}, {20, {16}}};
  return sp;
}

std::optional<std::uint64_t> Sp::number(SpType type) const {
  for (const SpParameter& parameter : parameters) {
    if (parameter.type != static_cast<std::uint8_t>(type)) continue;
    std::uint64_t value = 0;
    for (const std::uint8_t octet : parameter.value) value = value << 8 | octet;
    return value;
  }
  return std::nullopt;
}

Octets Sp::parameter_octets() const {
  FieldWriter out;
  parameter_list(out, *this);
  return std::move(out).octets();
}

Result<Sp> Sp::from_parameter_octets(OctetsView parameters, std::uint8_t policy) {
  Sp sp;
  sp.policy = policy;
  FieldReader in(parameters);
  in.enter(kName);
  parameter_list(in, sp);
  if (auto read = in.finish(); !read) return std::move(read).error();
  return sp;
}

// Called behind each new parameter: a repetition among 256 types is seen by its 257th at the latest.
bool Sp::gives_a_parameter_twice() const {
  std::bitset<256> seen;
  for (const SpParameter& parameter : parameters) {
    if (seen[parameter.type]) return true;
    seen.set(parameter.type);
  }
  return false;
}

}  // namespace regroup::mikey
