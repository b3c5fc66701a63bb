// SPDX-License-Identifier: Apache-2.0
// Private to this room: the fields of one element, read by name in any order. The first complaint
// sticks, names its field and is reported by finish(); until then fields read as empty. An element that
// stands twice is refused: two readers could choose differently.
#pragma once

#include <initializer_list>

#include "kmsxml/documents.hpp"
#include "xml/element.hpp"

namespace regroup::kmsxml {

inline constexpr std::string_view kSignatureNamespace = "http://www.w3.org/2000/09/xmldsig#";
inline constexpr std::string_view kEncryptionNamespace = "http://www.w3.org/2001/04/xmlenc#";
inline constexpr std::string_view kKeyWrapAes256 = "http://www.w3.org/2001/04/xmlenc#kw-aes256";

inline constexpr std::string_view kFetchAgain =
    "fetch the document again; when it stays so, report it to the KMS operator";

class Fields {
 public:
  // `clause` and the element's name open every complaint.
  Fields(const xml::Scope& scope, const xml::Element& element, const Profile& profile,
         std::string_view clause)
      : scope_(scope), element_(element), profile_(profile), clause_(clause) {}

  [[nodiscard]] bool accepts(std::string_view ns) const;
  // Children of those names stand in that order, or the profile does not mind.
  void in_order(std::initializer_list<std::string_view> names);
  // A deviation in a field: taken and counted, or refused with its switch as the cure.
  bool tolerates(Tolerance deviation, std::string_view name, std::string_view what);
  // The child of that name in an accepted namespace, or nullptr.
  const xml::Element* find(std::string_view name);
  const xml::Element* need(std::string_view name);

  std::string text(std::string_view name);  // required, not empty
  std::string optional_text(std::string_view name);
  std::string attribute(std::string_view name) const;
  std::int64_t integer(std::string_view name);  // required, 0 .. 2^63 - 1
  bool boolean(std::string_view name);          // absent: false
  NtpTime time(std::string_view name);          // required
  std::optional<NtpTime> optional_time(std::string_view name);
  // hexBinary, or under a switch base64 when it is not pure hex; exactly `size` octets.
  Octets point(std::string_view name, std::size_t size);
  // Behind an abstractKeyContentType the content decides: an element is a wrapped key, text a plain one;
  // xsi:type is checked when there is one.
  bool is_wrapped(std::string_view name);
  // `sizes`: of the cipher, by which hex is told from base64 (TS 33.180 9.3.4, field practice).
  EncryptedKey wrapped_key(std::string_view name, std::initializer_list<std::size_t> sizes);
  Octets plain_point(std::string_view name, std::size_t size);
  SecretOctets plain_key(std::string_view name, std::size_t size);
  SecretOctets plain_scalar(std::string_view name, std::size_t size);  // another length under a switch

  void reject(Errc code, std::string_view name, std::string detail,
              std::string cure = std::string(kFetchAgain));
  [[nodiscard]] const xml::Scope& scope() const { return scope_; }
  [[nodiscard]] Result<void> finish() const {
    if (error_) return *error_;
    return {};
  }

 private:
  SecretOctets plain_octets(std::string_view name);
  SecretOctets hex_or_base64(std::string_view name, std::string_view text);
  bool has_type(std::string_view name, const xml::Element& element, std::string_view type);

  xml::Scope scope_;
  const xml::Element& element_;
  const Profile& profile_;
  std::string_view clause_;
  std::optional<Error> error_;
};

// One xenc:EncryptedKey; `field` names it in complaints.
[[nodiscard]] Result<EncryptedKey> read_encrypted_key(const xml::Element& element, std::string_view field,
                                                      std::string_view clause,
                                                      std::initializer_list<std::size_t> sizes,
                                                      const Profile& profile);

// A whole text as xsd:integer, xsd:boolean.
[[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view token);
[[nodiscard]] std::optional<bool> boolean_of(std::string_view token);

}  // namespace regroup::kmsxml
