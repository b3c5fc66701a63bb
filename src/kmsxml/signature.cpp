// SPDX-License-Identifier: Apache-2.0
#include "kmsxml/signature.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "kmsxml/fields.hpp"
#include "kmsxml/messages.hpp"
#include "xml/canonical.hpp"

namespace regroup::kmsxml {
namespace {

using xml::Canonical;

constexpr std::string_view kClause = "TS 33.180 9.3.5";
constexpr std::string_view kInclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
constexpr std::string_view kWithComments = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
constexpr std::string_view kExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view kHmacSha256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
constexpr std::string_view kSha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
constexpr std::string_view kEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
constexpr std::size_t kMac = 32;

Error refuse(std::string detail, std::string_view cure =
                                     "sign as TS 33.180 Annex D does: HMAC-SHA256, one Reference "
                                     "to the Id of the message, no transform") {
  return fail(Errc::bad_signature, kClause, std::move(detail), std::string(cure));
}

// ---- the one form of ds:Signature

Result<void> only_attributes(const xml::Element& element, std::initializer_list<std::string_view> names) {
  for (const xml::Attribute& one : element.attributes)
    if (!one.ns.empty() || std::find(names.begin(), names.end(), one.name) == names.end())
      return refuse(element.name + "/@" + printable(one.name, 40) + " is not expected");
  return {};
}

// Between elements stands nothing but white space.
bool has_only_elements(const xml::Element& element) {
  return element.token().empty() &&
         std::all_of(element.children.begin(), element.children.end(),
                     [](const xml::Element& one) { return xml::trim(one.tail).empty(); });
}

// The children are exactly these elements of XML Signature, in this order.
Result<void> only_children(const xml::Element& element, std::initializer_list<std::string_view> names) {
  const bool same = std::equal(
      element.children.begin(), element.children.end(), names.begin(), names.end(),
      [](const xml::Element& child, std::string_view name) { return child.is(kSignatureNamespace, name); });
  if (same && (names.size() == 0 || has_only_elements(element))) return {};
  std::string expected;
  for (const std::string_view name : names) expected += (expected.empty() ? "" : ", ") + std::string(name);
  return refuse(element.name + " holds something else than " + (expected.empty() ? "text" : expected));
}

Result<std::string_view> algorithm_of(const xml::Element& element) {
  TRY(only_attributes(element, {"Algorithm"}));
  const std::string* value = element.attribute("Algorithm");
  if (!value) return refuse(element.name + "/@Algorithm is missing");
  return std::string_view(*value);
}

Result<void> expect_algorithm(const xml::Element& element, std::string_view expected) {
  const std::string_view found = TRY(algorithm_of(element));
  if (found == expected) return {};
  return refuse(element.name + " is \"" + printable(found, 80) + "\"; only " + std::string(expected) +
                " is taken");
}

Result<Octets> octets_of(const xml::Element& element) {
  TRY(only_children(element, {}));
  auto octets = from_base64(element.token(), Spaces::skip);
  if (!octets.ok() || octets->size() != kMac)
    return refuse(element.name + " is not the base64 of " + std::to_string(kMac) + " octets");
  return std::move(octets).value();
}

// HMACOutputLength is absent or 256: a truncated MAC could be guessed.
Result<void> check_method(const xml::Element& method) {
  TRY(expect_algorithm(method, kHmacSha256));
  if (method.children.empty()) return {};
  TRY(only_children(method, {"HMACOutputLength"}));
  if (method.children[0].token() == "256") return {};
  return refuse(
      "HMACOutputLength is \"" + printable(method.children[0].token(), 20) + "\"; only 256 is taken",
      "have the KMS send the whole MAC: a truncated one could be guessed (trap T-11)");
}

Result<Canonical> canonicalisation(const xml::Element& method, const Profile& profile) {
  const std::string_view found = TRY(algorithm_of(method));
  TRY(only_children(method, {}));
  if (found == kInclusive) return Canonical::inclusive;
  if (found == kWithComments || found == kExclusive) {
    if (!profile.takes(Tolerance::c14n_form))
      return refuse("CanonicalizationMethod is \"" + std::string(found) + "\"",
                    cure_by(Tolerance::c14n_form));
    return found == kExclusive ? Canonical::exclusive : Canonical::inclusive_with_comments;
  }
  return refuse("CanonicalizationMethod is \"" + printable(found, 80) +
                "\", which is none of the three taken");
}

struct Signature {
  Canonical form = Canonical::inclusive;
  std::string id;          // that the Reference names
  bool enveloped = false;  // with the enveloped-signature transform
  Octets digest, value;
  std::string key_name;
};

Result<void> read_reference(const xml::Element& reference, const Profile& profile, Signature& out) {
  TRY(only_attributes(reference, {"URI"}));
  const std::string* uri = reference.attribute("URI");
  if (!uri || uri->size() < 2 || uri->front() != '#' || !xml::is_name(std::string_view(*uri).substr(1)))
    return refuse("Reference/@URI \"" + printable(uri ? *uri : "", 80) + "\" is no #Id of this document");
  out.id = uri->substr(1);
  if (reference.children.size() != 3) {
    TRY(only_children(reference, {"DigestMethod", "DigestValue"}));
  } else {
    TRY(only_children(reference, {"Transforms", "DigestMethod", "DigestValue"}));
    TRY(only_children(reference.children[0], {"Transform"}));
    TRY(only_children(reference.children[0].children[0], {}));
    TRY(expect_algorithm(reference.children[0].children[0], kEnveloped));
    if (!profile.takes(Tolerance::outer_id))
      return refuse("the Reference takes the outer element", cure_by(Tolerance::outer_id));
    out.enveloped = true;
  }
  const xml::Element& method = reference.children[reference.children.size() - 2];
  TRY(only_children(method, {}));
  TRY(expect_algorithm(method, kSha256));
  out.digest = TRY(octets_of(reference.children.back()));
  return {};
}

Result<Signature> read_signature(const xml::Element& signature, const Profile& profile) {
  TRY(only_attributes(signature, {"Id"}));
  TRY(only_children(signature, {"SignedInfo", "SignatureValue", "KeyInfo"}));
  const xml::Element& info = signature.children[0];
  TRY(only_attributes(info, {"Id"}));
  TRY(only_children(info, {"CanonicalizationMethod", "SignatureMethod", "Reference"}));
  Signature out;
  out.form = TRY(canonicalisation(info.children[0], profile));
  TRY(check_method(info.children[1]));
  TRY(read_reference(info.children[2], profile, out));
  out.value = TRY(octets_of(signature.children[1]));
  TRY(only_children(signature.children[2], {"KeyName"}));
  out.key_name = std::string(signature.children[2].children[0].token());
  return out;
}

// ---- the document around it

// Every attribute that any reader could take for an ID names one element only.
Result<void> check_ids(const xml::Element& element, std::set<std::string>& seen) {
  for (const xml::Attribute& one : element.attributes) {
    std::string folded = one.name;
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (folded == "id" && !seen.insert(std::string(xml::trim(one.value))).second)
      return refuse("the Id \"" + printable(one.value, 60) + "\" stands twice");
  }
  for (const xml::Element& one : element.children) TRY(check_ids(one, seen));
  return {};
}

struct Verified {
  const xml::Element* message;
  std::string id;  // that was signed
};

// Where the signed element is: the message, or the whole root without its signature.
Result<xml::Path> place_of(const Signature& signature, const xml::Element& root) {
  const xml::Element& signed_one = signature.enveloped ? root : root.children[0];
  const std::string* id = signed_one.attribute("Id");
  if (id && *id == signature.id) return signature.enveloped ? xml::Path{} : xml::Path{0};
  return refuse(
      "Reference/@URI #" + printable(signature.id, 60) + " is not the Id of " + signed_one.name +
      (signature.enveloped ? "" : ", and no enveloped-signature transform asks for the outer element"));
}

Result<Verified> verify(const xml::Document& document, std::string_view message, const SigningKey& key,
                        const Profile& profile) {
  const xml::Element& root = document.root();
  if (root.children.size() != 2 || root.children[0].name != message || root.children[0].ns != root.ns ||
      !root.children[1].is(kSignatureNamespace, "Signature") || !has_only_elements(root))
    return refuse(root.name + " holds something else than one " + std::string(message) +
                  " and one ds:Signature");
  std::set<std::string> ids;
  TRY(check_ids(root, ids));
  const Signature signature = TRY(read_signature(root.children[1], profile));
  const xml::Path target = TRY(place_of(signature, root));
  if (signature.key_name != key.name)
    return refuse("KeyName \"" + printable(signature.key_name, 80) + "\" is not the key of this client, \"" +
                      printable(key.name, 80) + "\"",
                  "use the transport key file that the KMS wrote for this identity");
  // First the MAC: only then does the digest in SignedInfo say anything.
  const SecretOctets info = TRY(document.canonical({1, 0}, signature.form));
  if (!ct_equal(key.hmac_sha256(info.expose()).expose(), signature.value))
    return refuse("SignatureValue does not verify under \"" + printable(key.name, 80) + "\"",
                  "use the transport key file that the KMS wrote for this identity");
  const xml::Path own{1};
  const SecretOctets content =
      TRY(document.canonical(target, Canonical::inclusive, signature.enveloped ? &own : nullptr));
  if (!ct_equal(key.sha256(content.expose()), signature.digest))
    return refuse("DigestValue is not that of #" + printable(signature.id, 60) + ": the message was altered",
                  kFetchAgain);
  return Verified{&root.children[0], signature.id};
}

// What is no signed document at all is refused as an unsigned one.
Result<xml::Document> read_signed(OctetsView text, std::string_view name, std::string_view clause,
                                  const Profile& profile) {
  xml::Document document = TRY(xml::Document::parse(text));
  TRY(expect_namespace(document.root(), profile, clause));
  if (document.root().name == name) return document;
  return refuse("the document is a " + printable(document.root().name, 40) + ", not a " + std::string(name),
                "let the other side sign: its policy for this client must be wrap+sign");
}

// ---- signing

xml::Element& add_signature(xml::Element& root, const std::string& id, const std::string& key_name) {
  xml::Element signature(kSignatureNamespace, "Signature");
  signature.prefix = "ds";
  xml::Element& info = signature.add("SignedInfo");
  info.children.reserve(3);
  info.add("CanonicalizationMethod").set_attribute("Algorithm", kInclusive);
  info.add("SignatureMethod").set_attribute("Algorithm", kHmacSha256);
  xml::Element& reference = info.add("Reference");
  reference.set_attribute("URI", "#" + id);
  reference.add("DigestMethod").set_attribute("Algorithm", kSha256);
  reference.add("DigestValue");
  signature.add("SignatureValue");
  signature.add("KeyInfo").add("KeyName", key_name);
  return root.add(std::move(signature));
}

// The document is written with each value in turn and canonicalised as it will be sent: what is around an
// element is a part of its canonical form.
Result<SecretOctets> written(const xml::Element& root) {
  std::string text = xml::write(root);
  SecretOctets out(view(text));
  xml::wipe(text);
  return out;
}

Result<SecretOctets> signed_document(xml::Element message, std::string_view name, const std::string& id,
                                     bool typed, const SigningKey& key) {
  xml::Element root(kNamespace, name);
  const xml::WipedAtExit guard(root);
  const xml::WipedAtExit inner(message);
  if (!xml::is_name(id))
    return fail(Errc::internal, kClause, "a message that is to be signed needs an Id of name characters");
  declare_namespaces(root, typed);
  root.children.reserve(2);
  root.add(std::move(message));
  xml::Element& signature = add_signature(root, id, key.name);
  {
    const SecretOctets text = TRY(written(root));
    const xml::Document document = TRY(xml::Document::parse(text.expose()));
    const SecretOctets content = TRY(document.canonical({0}, Canonical::inclusive));
    signature.children[0].children[2].children[1].text = base64(key.sha256(content.expose()));
  }
  const SecretOctets text = TRY(written(root));
  const xml::Document document = TRY(xml::Document::parse(text.expose()));
  const SecretOctets info = TRY(document.canonical({1, 0}, Canonical::inclusive));
  signature.children[1].text = base64(key.hmac_sha256(info.expose()).expose());
  return written(root);
}

}  // namespace

bool is_signed(OctetsView document) {
  auto root = xml::parse(document);
  if (!root.ok()) return false;
  const xml::WipedAtExit guard(*root);
  return root->name == "SignedKmsRequest" || root->name == "SignedKmsResponse";
}

Result<KmsRequest> open_request(OctetsView text, const SigningKey& key, const Profile& profile) {
  const xml::Document document = TRY(read_signed(text, "SignedKmsRequest", "TS 33.180 D.2.2", profile));
  const Verified verified = TRY(verify(document, "KmsRequest", key, profile));
  const xml::Scope scope(document.root());
  KmsRequest out = TRY(read_request(xml::Scope(*verified.message, &scope), *verified.message, profile));
  out.id = verified.id;
  return out;
}

Result<KmsResponse> open_response(OctetsView text, const SigningKey& key, const Profile& profile) {
  const xml::Document document = TRY(read_signed(text, "SignedKmsResponse", "TS 33.180 D.3.1", profile));
  const Verified verified = TRY(verify(document, "KmsResponse", key, profile));
  const xml::Scope scope(document.root());
  KmsResponse out = TRY(read_response(xml::Scope(*verified.message, &scope), *verified.message, profile));
  out.id = verified.id;
  return out;
}

Result<std::string> sign(const KmsRequest& request, const SigningKey& key) {
  const SecretOctets text =
      TRY(signed_document(element_of(request), "SignedKmsRequest", request.id, false, key));
  return std::string(text_of(text.expose()));
}

Result<SecretOctets> sign(const KmsResponse& response, const SigningKey& key) {
  return signed_document(element_of(response), "SignedKmsResponse", response.id, true, key);
}

}  // namespace regroup::kmsxml
