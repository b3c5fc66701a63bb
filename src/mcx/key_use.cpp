// SPDX-License-Identifier: Apache-2.0
#include "mcx/key_use.hpp"

namespace regroup::mcx {

std::string_view name_of(KeyUse use) {
  switch (use) {
    case KeyUse::both:
      return "both";
    case KeyUse::media:
      return "media";
    case KeyUse::floor:
      return "floor";
  }
  return "both";
}

KeyUse use_of(std::string_view text) {
  const std::size_t space = text.rfind(' ');
  const std::string_view last = space == std::string_view::npos ? text : text.substr(space + 1);
  if (last == "[use=media]") return KeyUse::media;
  if (last == "[use=floor]") return KeyUse::floor;
  return KeyUse::both;
}

std::string with_use(std::string_view text, KeyUse use) {
  return std::string(text) + (text.empty() ? "" : " ") + "[use=" + std::string(name_of(use)) + "]";
}

}  // namespace regroup::mcx
