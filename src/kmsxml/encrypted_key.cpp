// SPDX-License-Identifier: Apache-2.0
// xenc:EncryptedKey as TS 33.180 Annex D uses it: one algorithm, the transport key by its name, the cipher in
// place. No reference, no other key hint, no property is taken.
#include <algorithm>

#include "base/text.hpp"
#include "kmsxml/fields.hpp"

namespace regroup::kmsxml {
namespace {

constexpr std::size_t kLeastCipher = 24;
constexpr std::size_t kMostCipher = 1024;

// The one place of each child, in any order; complaints name the field.
class Parts {
 public:
  Parts(const xml::Element& element, std::string_view field, std::string_view clause)
      : element_(element), field_(field), clause_(clause) {}

  [[nodiscard]] Error broken(const std::string& what, Errc code = Errc::malformed,
                             std::string cure = std::string(kFetchAgain)) const {
    return fail(code, clause_, std::string(field_) + "/" + element_.name + ": " + what, std::move(cure));
  }
  // The child of that name, nullptr without one; twice is an error.
  [[nodiscard]] Result<const xml::Element*> one(std::string_view ns, std::string_view name) const {
    const xml::Element* found = nullptr;
    for (const xml::Element& child : element_.children) {
      if (!child.is(ns, name)) continue;
      if (found) return broken(std::string(name) + " stands twice");
      found = &child;
    }
    return found;
  }
  [[nodiscard]] Result<const xml::Element*> need(std::string_view ns, std::string_view name) const {
    const xml::Element* found = TRY(one(ns, name));
    if (!found) return broken(std::string(name) + " is missing");
    return found;
  }
  // Nothing but these.
  [[nodiscard]] Result<void> only(std::initializer_list<std::string_view> names) const {
    for (const xml::Element& child : element_.children)
      if (std::find(names.begin(), names.end(), child.name) == names.end())
        return broken(printable(child.name, 40) + " is not expected");
    return {};
  }

 private:
  const xml::Element& element_;
  std::string_view field_, clause_;
};

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

// base64, or hex when it is pure hex of an expected size (trap T-10), which no base64 of such a key is.
struct Cipher {
  Result<Octets> octets;
  bool hex;
};
Cipher cipher_of(std::string_view text, std::initializer_list<std::size_t> sizes) {
  std::string packed;
  std::copy_if(text.begin(), text.end(), std::back_inserter(packed),
               [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
  const bool expected =
      packed.size() % 2 == 0 && std::find(sizes.begin(), sizes.end(), packed.size() / 2) != sizes.end();
  if (expected && is_hex(packed)) return {from_hex(packed), true};
  return {from_base64(packed), false};
}

Result<void> check_type(const Parts& parts, const xml::Element& element) {
  const std::string* type = element.attribute("Type");
  if (!type || xml::trim(*type) == std::string(kEncryptionNamespace) + "EncryptedKey") return {};
  return parts.broken("@Type \"" + printable(*type, 60) + "\" is not xmlenc#EncryptedKey");
}

}  // namespace

Result<EncryptedKey> read_encrypted_key(const xml::Element& element, std::string_view field,
                                        std::string_view clause, std::initializer_list<std::size_t> sizes,
                                        const Profile& profile) {
  const Parts parts(element, field, clause);
  TRY(check_type(parts, element));
  TRY(parts.only({"EncryptionMethod", "KeyInfo", "CipherData", "CarriedKeyName"}));
  const xml::Element* method = TRY(parts.need(kEncryptionNamespace, "EncryptionMethod"));
  const std::string* algorithm = method->attribute("Algorithm");
  if (!algorithm || xml::trim(*algorithm) != kKeyWrapAes256)
    return parts.broken(
        "algorithm \"" + printable(algorithm ? *algorithm : "", 80) + "\"; only kw-aes256 is known",
        Errc::unsupported);
  const xml::Element* info = TRY(parts.need(kSignatureNamespace, "KeyInfo"));
  if (info->children.size() != 1 || !info->children[0].is(kSignatureNamespace, "KeyName"))
    return parts.broken("KeyInfo holds something else than one KeyName");
  const xml::Element* data = TRY(parts.need(kEncryptionNamespace, "CipherData"));
  if (data->children.size() != 1 || !data->children[0].is(kEncryptionNamespace, "CipherValue"))
    return parts.broken("CipherData holds something else than one CipherValue");
  const xml::Element* carried = TRY(parts.one(kEncryptionNamespace, "CarriedKeyName"));
  EncryptedKey out{.key_name = std::string(info->children[0].token()),
                   .carried_key_name = carried ? std::string(carried->token()) : std::string()};
  if (out.key_name.empty()) return parts.broken("KeyName is empty");
  Cipher cipher = cipher_of(data->children[0].token(), sizes);
  if (!cipher.octets.ok()) return parts.broken("CipherValue is neither base64 nor hex of an expected size");
  if (cipher.hex && !profile.takes(Tolerance::hex_cipher))
    return parts.broken("CipherValue is hex, not base64", Errc::malformed, cure_by(Tolerance::hex_cipher));
  out.cipher = std::move(cipher.octets).value();
  if (out.cipher.size() < kLeastCipher || out.cipher.size() > kMostCipher || out.cipher.size() % 8 != 0)
    return parts.broken("CipherValue has " + std::to_string(out.cipher.size()) +
                        " octets, which no wrapped key has");
  return out;
}

}  // namespace regroup::kmsxml
