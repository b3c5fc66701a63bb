// SPDX-License-Identifier: Apache-2.0
// Where the wings meet for the protection of KMS messages (TS 33.180 9.3): keys of the key room wrap and sign
// documents of the KMS room. Both ends use it: the KMS wraps and signs, its clients open.
#pragma once

#include "kms/transport_keys.hpp"
#include "kmsxml/documents.hpp"
#include "kmsxml/signature.hpp"

namespace regroup::app {

// Signs and verifies with these keys, which must outlive it.
[[nodiscard]] kmsxml::SigningKey signing_key_of(const kms::TransportKeys& keys);

// A new TrK or InK of that name under the TrK, RFC 3394.
[[nodiscard]] kmsxml::EncryptedKey wrapped_transport_key(const Secret<32>& key, const std::string& name,
                                                         const kms::TransportKeys& keys);

// The three plain keys of the set, wrapped under the TrK.
void wrap(kmsxml::KmsKeySet& key_set, const kms::TransportKeys& keys, kms::Wrapping wrapping);
// How a key set came.
enum class WrapSeen : std::uint8_t { plain, w1, w2, w3, mixed };
[[nodiscard]] std::string_view name_of(WrapSeen seen);  // "plain", "W1" ..
// Any wrapping is opened: first without padding, then with (both have their integrity check). Then the sizes
// decide: a point with or without its leading 04, a scalar. Errc::undecryptable names the element; an
// EncryptedKey under another key than the TrK is Errc::unknown_group. A plain set is left as it is.
[[nodiscard]] Result<WrapSeen> unwrap(kmsxml::KmsKeySet& key_set, const kms::TransportKeys& keys,
                                      const kmsxml::Profile& profile = {});
// NewTransportKey and NewIntegrityKey for a client that has a successor of `in_use` coming (TS 33.180 D.3).
template <class Container>
void offer(Container& to, const kms::ClientKeys& client, const kms::TransportKeys& in_use) {
  const kms::TransportKeys* next = client.successor();
  if (!next || next == &in_use) return;
  to.new_transport_keys.push_back(wrapped_transport_key(next->trk, next->trk_id, in_use));
  if (!next->ink_id.empty())
    to.new_integrity_keys.push_back(wrapped_transport_key(next->ink, next->ink_id, in_use));
}
// One new TrK or InK, 32 octets.
[[nodiscard]] Result<SecretOctets> unwrap_transport_key(const kmsxml::EncryptedKey& key,
                                                        const kms::TransportKeys& keys);

}  // namespace regroup::app
