// SPDX-License-Identifier: Apache-2.0
// Element order and fixed Version values of the Rel-14+ schema (TS 33.180 D); every key element carries its
// xsi:type.
#include "base/text.hpp"
#include "kmsxml/documents.hpp"
#include "kmsxml/fields.hpp"
#include "kmsxml/messages.hpp"
#include "xml/element.hpp"

namespace regroup::kmsxml {
namespace {

xml::Element make(std::string_view name) { return xml::Element(kNamespace, name); }

xml::Element make_root(std::string_view name, bool typed) {
  xml::Element out = make(name);
  declare_namespaces(out, typed);
  return out;
}

void set_type(xml::Element& to, std::string_view type) {
  to.attributes.push_back({"type", std::string(type), std::string(xml::kXsiNamespace), "xsi"});
}

void add_if(xml::Element& to, std::string_view name, const std::string& value) {
  if (!value.empty()) to.add(name, value);
}

void attribute_if(xml::Element& to, std::string_view name, const std::string& value) {
  if (!value.empty()) to.set_attribute(name, value);
}

void add_validity(xml::Element& to, const std::optional<NtpTime>& from, const std::optional<NtpTime>& until) {
  if (from) to.add("ValidFrom", date_time(*from));
  if (until) to.add("ValidTo", date_time(*until));
}

void fill(xml::Element& to, const KmsCertificate& from) {
  attribute_if(to, "Id", from.id);
  to.set_attribute("Version", "1.1.0");
  if (from.role) to.set_attribute("Role", *from.role == Role::root ? "Root" : "External");
  if (from.is_security_gateway) to.set_attribute("IsSecurityGateway", "true");
  add_if(to, "CertUri", from.cert_uri);
  to.add("KmsUri", from.kms_uri);
  add_if(to, "Issuer", from.issuer);
  add_validity(to, from.valid_from, from.valid_to);
  to.add("Revoked", from.revoked ? "true" : "false");
  to.add("UserIdFormat", "2");
  to.add("UserKeyPeriod", std::to_string(from.user_key_period));
  to.add("UserKeyOffset", std::to_string(from.user_key_offset));
  to.add("PubEncKey", hex_upper(from.pub_enc_key));
  to.add("PubAuthKey", hex_upper(from.pub_auth_key));
  to.add("ParameterSet", "1");
  if (from.domains.empty()) return;
  xml::Element& list = to.add("KmsDomainList");
  for (const std::string& domain : from.domains) list.add("KmsDomain", domain);
}

// Hex straight into the element, so that no other copy of the key is made.
void add_key(xml::Element& to, std::string_view name, OctetsView key) {
  xml::Element& made = to.add(name);
  set_type(made, "KeyContentType");
  made.text = hex_upper(key);
}

xml::Element prefixed(std::string_view ns, std::string_view prefix, std::string_view name) {
  xml::Element out(ns, name);
  out.prefix = prefix;
  return out;
}

// Each declares its own prefixes, as in the examples of Annex D.
void add_encrypted(xml::Element& to, const EncryptedKey& key) {
  xml::Element& made = to.add(prefixed(kEncryptionNamespace, "xenc", "EncryptedKey"));
  made.add("EncryptionMethod").set_attribute("Algorithm", kKeyWrapAes256);
  made.add(prefixed(kSignatureNamespace, "ds", "KeyInfo")).add("KeyName", key.key_name);
  made.add("CipherData").add("CipherValue", base64(key.cipher));
  add_if(made, "CarriedKeyName", key.carried_key_name);
}

void add_key(xml::Element& to, std::string_view name, const EncryptedKey& key) {
  xml::Element& made = to.add(name);
  set_type(made, "EncKeyContentType");
  add_encrypted(made, key);
}

template <class Container>
void add_new_keys(xml::Element& to, const Container& from, std::string_view type) {
  if (from.new_transport_keys.empty() && from.new_integrity_keys.empty()) return;
  set_type(to, type);
  for (const EncryptedKey& one : from.new_transport_keys) add_encrypted(to.add("NewTransportKey"), one);
  for (const EncryptedKey& one : from.new_integrity_keys) add_encrypted(to.add("NewIntegrityKey"), one);
}

void fill(xml::Element& to, const KmsKeySet& from) {
  attribute_if(to, "Id", from.id);
  to.set_attribute("Version", "1.1.0");
  to.add("KmsUri", from.kms_uri);
  add_if(to, "CertUri", from.cert_uri);
  add_if(to, "Issuer", from.issuer);
  to.add("UserUri", from.user_uri);
  to.add("UserID", base64(from.user_id));
  add_validity(to, from.valid_from, from.valid_to);
  to.add("KeyPeriodNo", std::to_string(from.key_period_no));
  to.add("Revoked", from.revoked ? "true" : "false");
  if (from.wrapped) {
    add_key(to, "UserDecryptKey", from.wrapped->user_decrypt_key);
    add_key(to, "UserSigningKeySSK", from.wrapped->user_signing_key_ssk);
    add_key(to, "UserPubTokenPVT", from.wrapped->user_pub_token_pvt);
    return;
  }
  add_key(to, "UserDecryptKey", from.user_decrypt_key.expose());
  add_key(to, "UserSigningKeySSK", from.user_signing_key_ssk.expose());
  add_key(to, "UserPubTokenPVT", from.user_pub_token_pvt);
}

void add_content(xml::Element& to, const KmsInit& init) {
  xml::Element& made = to.add("KmsMessage").add("KmsInit");
  made.set_attribute("Version", "1.0.0");
  fill(made.add("KmsCertificate"), init.certificate);
  add_new_keys(made, init, "KmsInitTkIkType");
}

void add_content(xml::Element& to, const KmsKeyProv& provided) {
  xml::Element& made = to.add("KmsMessage").add("KmsKeyProv");
  made.set_attribute("Version", "1.0.0");
  made.children.reserve(provided.key_sets.size());
  for (const KmsKeySet& one : provided.key_sets) fill(made.add("KmsKeySet"), one);
  add_new_keys(made, provided, "KmsKeyProvTkIkType");
}

void add_content(xml::Element& to, const KmsCertCache& cache) {
  xml::Element& made = to.add("KmsMessage").add("KmsCertCache");
  made.set_attribute("Version", "1.0.0");
  if (cache.cache_num) made.set_attribute("CacheNum", std::to_string(*cache.cache_num));
  for (const KmsCertificate& one : cache.certificates) fill(made.add("KmsCertificate"), one);
}

void add_content(xml::Element& to, const KmsError& error) {
  xml::Element& made = to.add("KmsError");
  made.set_attribute("Version", "1.0.0");
  made.add("ErrorCode", std::to_string(error.code));
  made.add("ErrorMsg", error.message);
}

void add_content(xml::Element&, const std::monostate&) {}

std::string text_of(const xml::Element& root, Layout layout) {
  return xml::write(root, {.declaration = true, .indent = layout == Layout::indented});
}

SecretOctets secret_text_of(xml::Element& root, Layout layout) {
  std::string text = text_of(root, layout);
  SecretOctets out(view(text));
  xml::wipe(text);
  xml::wipe(root);
  return out;
}

}  // namespace

void declare_namespaces(xml::Element& root, bool typed) {
  root.declared.push_back({"", std::string(kNamespace)});
  if (typed) root.declared.push_back({"xsi", std::string(xml::kXsiNamespace)});
}

xml::Element element_of(const KmsRequest& request) {
  xml::Element out = make("KmsRequest");
  attribute_if(out, "Id", request.id);
  out.set_attribute("Version", "1.1.0");
  out.add("UserUri", request.user_uri);
  out.add("KmsUri", request.kms_uri);
  out.add("Time", date_time(request.time));
  add_if(out, "ClientId", request.client_id);
  add_if(out, "DeviceId", request.device_id);
  out.add("ClientReqUrl", request.client_req_url);
  add_if(out, "TrK-ID", request.trk_id);
  add_if(out, "Signature-ID", request.signature_id);
  return out;
}

xml::Element element_of(const KmsResponse& response) {
  xml::Element out = make("KmsResponse");
  attribute_if(out, "Id", response.id);
  out.set_attribute("Version", "1.0.0");
  out.add("UserUri", response.user_uri);
  out.add("KmsUri", response.kms_uri);
  out.add("Time", date_time(response.time));
  add_if(out, "KmsId", response.kms_id);
  out.add("ClientReqUrl", response.client_req_url);
  std::visit([&](const auto& content) { add_content(out, content); }, response.content);
  return out;
}

std::string write(const KmsRequest& request, Layout layout) {
  xml::Element root = element_of(request);
  declare_namespaces(root, false);
  return text_of(root, layout);
}

std::string write(const KmsCertificate& certificate, Layout layout) {
  xml::Element root = make_root("KmsCertificate", false);
  fill(root, certificate);
  return text_of(root, layout);
}

SecretOctets write(const KmsKeySet& key_set, Layout layout) {
  xml::Element root = make_root("KmsKeySet", true);
  fill(root, key_set);
  return secret_text_of(root, layout);
}

SecretOctets write(const KmsResponse& response, Layout layout) {
  xml::Element root = element_of(response);
  declare_namespaces(root, true);
  return secret_text_of(root, layout);
}

}  // namespace regroup::kmsxml
