// SPDX-License-Identifier: Apache-2.0
// The KMS of kms.alpha.example (tests/kms/domain_alpha.hpp) behind its HTTP face, with a token issuer,
// without sockets.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "app/issuer.hpp"
#include "app/kms/front.hpp"
#include "app/kms/worked_keys.hpp"
#include "crypto/random.hpp"
#include "http/client.hpp"
#include "http/target.hpp"
#include "kms/domain_alpha.hpp"

namespace regroup::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "regroup-kms-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string path;
};

inline constexpr const char* kIssuerUrl = "https://idms.alpha.example";
inline constexpr const char* kUser = "sip:user.001@alpha.example";
inline constexpr const char* kVictim = "sip:user.002@alpha.example";
inline constexpr const char* kGms = "sip:gms.group@alpha.example";
inline const std::string kScopeRel13 = "3gpp:mcptt:key_management_server";
inline const std::string kScopeRel14 = "3gpp:mc:ptt_key_management_service";

class KmsLab {
 public:
  explicit KmsLab(app::ServerAuth server_auth = app::ServerAuth::token)
      : kms(alpha()), front(kms, settings(server_auth), random) {
    kms.registry().import_certificate(external("kms.beta.example", "beta.example")).value() ? void()
                                                                                            : std::abort();
  }

  [[nodiscard]] std::string token(const std::string& identity,
                                  std::vector<std::string> scopes = {kScopeRel14}) const {
    return issuer.token({.mcptt_id = identity, .scopes = std::move(scopes)}, kAlphaNow).value();
  }
  // A POST to root + resource with that token; an empty token sends no Authorization.
  [[nodiscard]] static http::Request request(const std::string& resource, const std::string& token,
                                             const std::string& body = {}) {
    http::Request out;
    out.method = "POST";
    out.target = std::string(app::kKmsRoot) + resource;
    out.headers.add("Host", "kms.alpha.example:8444");
    if (!token.empty()) out.headers.add("Authorization", "Bearer " + token);
    out.body = to_octets(view(body));
    return out;
  }
  // The worked transport keys for kUser.
  void protect(bool signs = true, kms::Wrapping wrapping = kms::Wrapping::w3) {
    kms::ClientKeys keys;
    keys.signs = signs;
    keys.wrapping = wrapping;
    keys.keys.push_back(worked_keys());
    kms.transport_keys().add(id(kUser), std::move(keys)).value();
  }
  [[nodiscard]] app::KmsAnswer ask(const http::Request& request, NtpTime now = kAlphaNow) const {
    return front.answer(request, jwks, now);
  }
  [[nodiscard]] app::KmsAnswer ask(const std::string& resource, const std::string& token,
                                   const std::string& body = {}) const {
    return ask(request(resource, token, body));
  }
  // What a client's request becomes on its way here.
  [[nodiscard]] Result<http::Response> carry(http::ClientRequest from) const {
    http::Request out;
    out.method = from.method;
    const http::Url url = TRY(http::parse_url(from.url));
    out.target = url.origin_form();
    out.headers = std::move(from.headers);
    out.headers.add("Host", url.authority());
    out.body = std::move(from.body);
    out.peer.certificate = peer;
    return std::move(ask(out).response);
  }

  TemporaryDirectory directory;
  app::Issuer issuer = app::Issuer::make(directory.path, kIssuerUrl).value();
  http::Jwks jwks = http::read_jwks_file(issuer.jwks_file()).value();
  crypto::SystemRandom random;
  kms::Kms kms;
  app::KmsFront front;
  http::PeerCertificate peer;

 private:
  static app::KmsFrontSettings settings(app::ServerAuth server_auth) {
    app::KmsFrontSettings out;
    out.tokens.issuer = kIssuerUrl;
    out.tokens.audience = "regroup-kms";
    out.server_auth = server_auth;
    out.kms_id = "alpha-kms-1";
    return out;
  }
};

}  // namespace regroup::test
