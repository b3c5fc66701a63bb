// SPDX-License-Identifier: Apache-2.0
#include "kmsxml/fields.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace regroup::kmsxml {
namespace {

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ' ' ||
           c == '\t' || c == '\r' || c == '\n';
  });
}

bool has_spaces(std::string_view text) { return text.find_first_of(" \t\r\n") != std::string_view::npos; }

// "2026-03-02T09:30:00" and no more.
bool names_no_zone(std::string_view time) {
  const std::size_t clock = time.find('T');
  return clock != std::string_view::npos && time.find_first_of("Z+-", clock) == std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> integer_of(std::string_view token) {
  if (!token.empty() && token.front() == '+') token.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (fault != std::errc() || end != token.data() + token.size() || token.empty() || value < 0)
    return std::nullopt;
  return value;
}

std::optional<bool> boolean_of(std::string_view token) {
  if (token == "true" || token == "1") return true;
  if (token == "false" || token == "0") return false;
  return std::nullopt;
}

bool Fields::accepts(std::string_view ns) const {
  return std::find(profile_.namespaces.begin(), profile_.namespaces.end(), ns) != profile_.namespaces.end();
}

void Fields::reject(Errc code, std::string_view name, std::string detail, std::string cure) {
  if (error_) return;
  error_ = fail(code, clause_, element_.name + "/" + std::string(name) + ": " + detail, std::move(cure));
}

bool Fields::tolerates(Tolerance deviation, std::string_view name, std::string_view what) {
  if (error_) return false;
  if (profile_.takes(deviation)) return true;
  reject(Errc::malformed, name, std::string(what), cure_by(deviation));
  return false;
}

void Fields::in_order(std::initializer_list<std::string_view> names) {
  auto reached = names.begin();
  for (const xml::Element& child : element_.children) {
    const auto at = std::find(names.begin(), names.end(), child.name);
    if (at == names.end() || !accepts(child.ns)) continue;
    if (at < reached) {
      (void)tolerates(Tolerance::element_order, child.name,
                      "stands behind " + std::string(*reached) + ", which the Rel-14 schema has later");
      return;
    }
    reached = at;
  }
}

const xml::Element* Fields::find(std::string_view name) {
  const xml::Element* found = nullptr;
  for (const xml::Element& child : element_.children) {
    if (child.name != name || !accepts(child.ns)) continue;
    if (found) reject(Errc::malformed, name, "stands twice");
    found = &child;
  }
  return found;
}

const xml::Element* Fields::need(std::string_view name) {
  const xml::Element* found = find(name);
  if (!found) reject(Errc::malformed, name, "is missing");
  return found;
}

std::string Fields::text(std::string_view name) {
  const xml::Element* found = need(name);
  if (!found) return {};
  if (found->token().empty()) reject(Errc::malformed, name, "is empty");
  return std::string(found->token());
}

std::string Fields::optional_text(std::string_view name) {
  const xml::Element* found = find(name);
  return found ? std::string(found->token()) : std::string();
}

std::string Fields::attribute(std::string_view name) const {
  const std::string* value = element_.attribute(name);
  return value ? std::string(xml::trim(*value)) : std::string();
}

std::int64_t Fields::integer(std::string_view name) {
  const std::string token = text(name);
  const std::optional<std::int64_t> value = integer_of(token);
  if (!value)
    reject(Errc::malformed, name, "\"" + printable(token, 40) + "\" is not a number from 0 to 2^63 - 1");
  return value.value_or(0);
}

bool Fields::boolean(std::string_view name) {
  const std::string token = optional_text(name);
  if (token.empty() && !find(name)) return false;
  const std::optional<bool> value = boolean_of(token);
  if (!value) reject(Errc::malformed, name, "\"" + printable(token, 40) + "\" is neither true nor false");
  return value.value_or(false);
}

NtpTime Fields::time(std::string_view name) {
  const std::string token = text(name);
  if (error_) return {};
  const Result<NtpTime> time = parse_date_time(token);
  // A zone may carry it out of the years 1900 to 9999: then it could not be written again.
  if (time.ok() && parse_date_time(date_time(*time)).ok()) {
    if (names_no_zone(token) &&
        !tolerates(Tolerance::zoneless_time, name, "'" + printable(token, 40) + "' names no time zone"))
      return {};
    return *time;
  }
  reject(Errc::malformed, name, "'" + printable(token, 40) + "' is not a dateTime",
         "write it as 2026-03-02T09:30:00Z");
  return {};
}

std::optional<NtpTime> Fields::optional_time(std::string_view name) {
  if (!find(name)) return std::nullopt;
  return time(name);
}

Octets Fields::point(std::string_view name, std::size_t size) {
  const xml::Element* found = need(name);
  if (!found) return {};
  const SecretOctets octets = hex_or_base64(name, found->token());
  if (octets.size() != size)
    reject(Errc::malformed, name,
           std::to_string(octets.size()) + " octets; an uncompressed point takes " + std::to_string(size));
  return to_octets(octets.expose());
}

SecretOctets Fields::hex_or_base64(std::string_view name, std::string_view text) {
  const bool hex = is_hex(text);
  Result<SecretOctets> octets =
      hex ? secret_from_hex(text, Spaces::skip) : secret_from_base64(text, Spaces::skip);
  if (!octets.ok()) {
    reject(Errc::malformed, name, "neither hexBinary nor base64");
    return {};
  }
  if (has_spaces(text) && !tolerates(Tolerance::spaced_key, name, "has white space inside")) return {};
  if (!hex && !tolerates(Tolerance::base64_key, name, "is base64, not hexBinary")) return {};
  return std::move(octets).value();
}

bool Fields::has_type(std::string_view name, const xml::Element& element, std::string_view type) {
  const std::string* found = element.attribute("type", xml::kXsiNamespace);
  if (!found) return tolerates(Tolerance::no_xsi_type, name, "has no xsi:type");
  const auto named = xml::Scope(element, &scope_).qname(*found);
  if (named.ok() && named->name == type && accepts(named->ns)) return true;
  reject(Errc::malformed, name,
         "xsi:type \"" + printable(*found, 60) + "\" does not fit " +
             (element.children.empty() ? "plain" : "wrapped") + " content",
         "use " + std::string(type));
  return false;
}

bool Fields::is_wrapped(std::string_view name) {
  const xml::Element* found = find(name);
  return found && !found->children.empty();
}

EncryptedKey Fields::wrapped_key(std::string_view name, std::initializer_list<std::size_t> sizes) {
  const xml::Element* found = need(name);
  if (!found || !has_type(name, *found, "EncKeyContentType")) return {};
  if (found->children.size() != 1 || !found->children[0].is(kEncryptionNamespace, "EncryptedKey") ||
      !found->token().empty()) {
    reject(Errc::malformed, name, "holds something else than one xenc:EncryptedKey");
    return {};
  }
  auto key = read_encrypted_key(found->children[0], std::string(element_.name) + "/" + std::string(name),
                                clause_, sizes, profile_);
  if (key.ok()) return std::move(key).value();
  if (!error_) error_ = std::move(key).error();
  return {};
}

SecretOctets Fields::plain_octets(std::string_view name) {
  const xml::Element* found = need(name);
  if (!found || !has_type(name, *found, "KeyContentType")) return {};
  if (!found->children.empty()) {
    reject(Errc::malformed, name, "is wrapped where other keys of the set are plain");
    return {};
  }
  return hex_or_base64(name, found->token());
}

SecretOctets Fields::plain_key(std::string_view name, std::size_t size) {
  SecretOctets octets = plain_octets(name);
  if (octets.size() != size)
    reject(Errc::malformed, name,
           std::to_string(octets.size()) + " octets instead of " + std::to_string(size),
           octets.size() == 128 ? "report it to the KMS operator: one coordinate is no key (trap T-13)"
                                : std::string(kFetchAgain));
  return octets;
}

Octets Fields::plain_point(std::string_view name, std::size_t size) {
  return to_octets(plain_key(name, size).expose());
}

SecretOctets Fields::plain_scalar(std::string_view name, std::size_t size) {
  const SecretOctets octets = plain_octets(name);
  SecretOctets out(size);
  const std::size_t extra = octets.size() > size ? octets.size() - size : 0;
  std::uint8_t lost = 0;
  for (const std::uint8_t octet : octets.expose().first(extra))
    lost = static_cast<std::uint8_t>(lost | octet);
  if (lost != 0 || octets.empty() || extra > 32) {
    reject(Errc::malformed, name, "does not fit " + std::to_string(size) + " octets");
    return out;
  }
  if (octets.size() != size &&
      !tolerates(Tolerance::ssk_length, name,
                 std::to_string(octets.size()) + " octets instead of " + std::to_string(size)))
    return out;
  const OctetsView kept = octets.expose().subspan(extra);
  std::copy(kept.begin(), kept.end(), out.expose_mutable().end() - static_cast<std::ptrdiff_t>(kept.size()));
  return out;
}

}  // namespace regroup::kmsxml
