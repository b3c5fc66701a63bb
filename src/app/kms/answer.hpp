// SPDX-License-Identifier: Apache-2.0
// What a KMS answers to one question of a client (TS 33.180 D.3.1, 9.3): verified where it is signed, held
// against the question, its keys unwrapped, as the policy of the client asks. Refused: an answer below the
// policy, one of another KMS, identity, resource or time, a key that does not open.
#pragma once

#include "app/kms/access.hpp"
#include "app/kms/protection.hpp"
#include "http/message.hpp"

namespace regroup::app {

// What was asked, to hold the answer against: there is no nonce in the protocol.
struct Question {
  const KmsAccess& access;
  const std::string& identity;
  std::string url;
  NtpTime asked, answered;
  const kms::TransportKeys* keys = nullptr;  // that the question was signed with; nullptr: with none
};

struct OpenedAnswer {
  SecretOctets document;
  std::optional<kms::TransportKeys> successor = {};  // new transport keys that came with it (TS 33.180 D.3)
  bool is_signed = false;
  WrapSeen wrapping = WrapSeen::plain;  // of its key sets
  kmsxml::Tally tolerated = {};         // to open it; a document that is kept as it came is not read yet
};

// The answer as it is kept: verified and unwrapped, then written plain. The store seals it as it sealed plain
// answers before; a restart then needs neither the KMS nor the transport keys of that day, which may have
// been rolled over since. Without transport keys it is kept as it came. Errc::bad_signature for one that is
// not the KMS's word on this question.
[[nodiscard]] Result<OpenedAnswer> opened_answer(OctetsView body, const Question& question);

// A status other than 200. A client that expects signatures takes an unsigned refusal as a hint,
// Errc::transport: as if the KMS had not been reached, so that stored keys go on serving.
// Retry-After is left in `asked_to_wait`.
[[nodiscard]] Error refusal_of(const Question& question, std::string_view resource,
                               const http::Response& response);

}  // namespace regroup::app
