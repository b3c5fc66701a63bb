// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/key_parameters.hpp"

#include "base/text.hpp"

namespace regroup::mikey {

std::string meaning_of_text(OctetsView text) { return "'" + printable(text_of(text), 2048) + "'"; }

Result<KeyParameters> parse_key_parameters(OctetsView content) {
  auto plain = parse_as<KeyParameters>(content);
  if (plain) return plain;
  const bool wrapped =
      content.size() > 3 && (std::size_t{content[1]} << 8 | content[2]) == content.size() - 3;
  if (!wrapped) return plain;
  auto inside = parse_as<KeyParameters>(content.subspan(3));
  return inside ? inside : plain;
}

bool starts_legacy_key_parameters(OctetsView data) { return !data.empty() && data[0] >= 1 && data[0] <= 3; }

Result<KeyParameters> parse_legacy_key_parameters(OctetsView data) {
  LegacyKeyParameters legacy = TRY(parse_as<LegacyKeyParameters>(data));
  legacy.key_type = static_cast<KeyType>(legacy.legacy_type - 1);
  return KeyParameters(std::move(legacy));
}

}  // namespace regroup::mikey
