// SPDX-License-Identifier: Apache-2.0
// SignedKmsRequest and SignedKmsResponse (TS 33.180 D.1, 9.3.5; XML Signature 1.1): HMAC-SHA256 under an
// integrity key, or under the transport key of a client that has no other. One narrow form of XML Signature
// is spoken, so that what is verified is what is read: one Reference to the very element that is used, no
// transform (or exactly the enveloped-signature one, on the outer element), one KeyName, nothing else. The
// signature is verified before anything of the message is read. Refused by name: two References, other or
// truncated algorithms, transforms, external or unresolved URIs, Ids that stand twice, elements beside
// message and signature, another KeyName. Nothing here knows a key: the caller lends the two functions.
// docs/decisions says why this is not xmlsec1.
#pragma once

#include <functional>

#include "kmsxml/documents.hpp"

namespace regroup::kmsxml {

struct SigningKey {
  std::string name;  // InK-ID, or TrK-ID of a client without an InK
  std::function<Fixed<32>(OctetsView)> sha256;
  std::function<Secret<32>(OctetsView)> hmac_sha256;  // under the key of that name
};

// Is the root a SignedKmsRequest or SignedKmsResponse? False for what cannot be read, too.
[[nodiscard]] bool is_signed(OctetsView document);

// Errc::bad_signature for every fault of the signature; then, and only then, what parse_request() and
// parse_response() say. `id` of the message is the Id that was signed.
[[nodiscard]] Result<KmsRequest> open_request(OctetsView document, const SigningKey& key,
                                              const Profile& profile = {});
[[nodiscard]] Result<KmsResponse> open_response(OctetsView document, const SigningKey& key,
                                                const Profile& profile = {});

// Id on the message, no transforms, inclusive C14N, no white space between elements (trap T-9). The message
// needs an Id of XML name characters, one of its own for each document.
[[nodiscard]] Result<std::string> sign(const KmsRequest& request, const SigningKey& key);
[[nodiscard]] Result<SecretOctets> sign(const KmsResponse& response, const SigningKey& key);

}  // namespace regroup::kmsxml
