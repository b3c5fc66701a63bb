// SPDX-License-Identifier: Apache-2.0
// The HTTP face of the KMS without its sockets (TS 33.179 D.2, TS 33.180 D.2): one request
// in, one answer out. The identity comes from the token alone; path and body can only confirm it. Every
// refusal is a KmsError whose text names no detail of a check; a foreign identity and an unknown one get the
// same answer. A client that has transport keys is served as its policy says (TS 33.180 9.3): it signs its
// requests, its answers and errors are signed, its keys are wrapped. Refuses: methods but POST, bodies that
// are no KmsRequest, requests unsigned, replayed or out of time where they must be signed, identities of
// others, server identities without their own client certificate, periods outside the window, encodings that
// decode twice, plain keys through a proxy. X-3GPP-Asserted-Identity is not looked at.
#pragma once

#include <functional>
#include <variant>

#include "app/kms/rate_limit.hpp"
#include "app/kms/replay.hpp"
#include "http/jwt.hpp"
#include "http/message.hpp"
#include "kms/kms.hpp"
#include "kmsxml/documents.hpp"

namespace regroup::app {

inline constexpr std::string_view kKmsRoot = "/keymanagement/identity/v1";
inline constexpr std::size_t kMaxKmsRequest = 64 * 1024;  // octets of body

// Scopes of both generations that open the KMS to an MCPTT identity (TS 33.180 B.4.2).
inline const std::vector<std::string> kKmsScopes = {"3gpp:mcptt:key_management_server",
                                                    "3gpp:mc:ptt_key_management_service"};

// What a server identity (a GMS, an MC server) must show; users always show a token.
enum class ServerAuth {
  token,       // its token alone: no client CA is configured
  mtls,        // a client certificate with its URI; without a token that URI is the identity
  mtls_token,  // both, of the same identity
};

struct KmsFrontSettings {
  http::TokenPolicy tokens = {};  // scopes: kKmsScopes when empty
  ServerAuth server_auth = ServerAuth::token;
  kms::Window window = {};
  std::string kms_id = {};        // instance name in answers; may be empty
  std::int64_t time_window = 30;  // seconds the Time of a signed request may be off
  std::uint32_t rate = 0;         // requests of one identity a minute; 0: no limit
};

// One answer and what the log may say about it: no key, no token.
struct KmsAnswer {
  http::Response response;
  std::string identity;                    // of the token, printable; empty before it was verified
  std::string resource;                    // printable
  std::string reason;                      // "ok", or the reason token of the KmsError
  std::string detail = {};                 // of a refusal: what its text keeps from the peer
  std::vector<std::int64_t> periods = {};  // for which keys are in it
  bool uses_successor = false;  // its client has taken over the transport keys that were offered to it
};

class KmsFront {
 public:
  KmsFront(const kms::Kms& kms, KmsFrontSettings settings, Random& random);
  [[nodiscard]] KmsAnswer answer(const http::Request& request, const http::Jwks& jwks, NtpTime now) const;
  // 503 to a request that nobody looks at: come back after so many seconds. Needs no lock of the KMS.
  [[nodiscard]] http::Response overloaded(const http::Request& request, NtpTime now,
                                          std::int64_t retry_after) const;

 private:
  struct Refusal {
    unsigned status;
    std::string reason;  // reason token of docs/wire.md, KMS
    std::string text;
    std::optional<Error> token_error = {};  // for WWW-Authenticate
    std::string detail = {};                // for the log alone
    std::int64_t retry_after = 0;           // seconds
  };
  [[nodiscard]] static Refusal unsigned_request(std::string detail);
  using Content = decltype(kmsxml::KmsResponse::content);
  using Outcome = std::variant<Content, Refusal>;
  struct Asked;

  // Of a request without a token, where a certificate is enough: the one registered server that it names.
  [[nodiscard]] std::optional<http::Claims> certified_server(const http::Request& request) const;
  [[nodiscard]] std::variant<http::Claims, Refusal> caller(const http::Request& request,
                                                           const http::Jwks& jwks, NtpTime now) const;
  [[nodiscard]] std::optional<Refusal> check_body(const http::Request& request,
                                                  const std::vector<std::string>& segments,
                                                  Asked& asked) const;
  [[nodiscard]] std::optional<Refusal> check_said(const kmsxml::KmsRequest& body,
                                                  const std::vector<std::string>& segments,
                                                  Asked& asked) const;
  // Of a request whose signature was verified: is it new, and does it name the keys that this client has?
  [[nodiscard]] std::optional<Refusal> check_fresh(const kmsxml::KmsRequest& body, const Asked& asked) const;
  [[nodiscard]] std::optional<Refusal> check_subscriber(const http::Request& request, Asked& asked) const;
  // Whether this identity, which is registered, has asked too often.
  [[nodiscard]] std::optional<Refusal> check_rate(const Asked& asked) const;
  [[nodiscard]] Outcome outcome(const http::Request& request, const http::Jwks& jwks, Asked& asked) const;
  [[nodiscard]] Outcome dispatch(const http::Request& request, const std::vector<std::string>& resource,
                                 const Asked& asked) const;
  [[nodiscard]] Outcome init(const Asked& asked) const;
  [[nodiscard]] Outcome no_keys(const std::vector<std::int64_t>& periods, const Asked& asked) const;
  [[nodiscard]] Outcome keyprov(const std::vector<std::string>& resource, const Asked& asked) const;
  [[nodiscard]] Outcome certcache(const std::vector<std::string>& resource) const;
  [[nodiscard]] Outcome certificate(const std::string& kms_uri) const;
  [[nodiscard]] Result<SecretOctets> written(kmsxml::KmsResponse& answer, const Asked& asked) const;
  [[nodiscard]] http::Response render(const http::Request& request, const Asked& asked, Content content,
                                      unsigned status) const;

  const kms::Kms& kms_;
  KmsFrontSettings settings_;
  Random& random_;
  const std::string kms_uri_;
  mutable ReplayCache replays_;
  mutable RateLimit rate_;
};

}  // namespace regroup::app
