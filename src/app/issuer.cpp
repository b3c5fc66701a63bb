// SPDX-License-Identifier: Apache-2.0
#include "app/issuer.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace regroup::app {
namespace {

using nlohmann::json;

struct Free {
  void operator()(EVP_PKEY* at) const noexcept { EVP_PKEY_free(at); }
  void operator()(EVP_MD_CTX* at) const noexcept { EVP_MD_CTX_free(at); }
  void operator()(ECDSA_SIG* at) const noexcept { ECDSA_SIG_free(at); }
  void operator()(BIGNUM* at) const noexcept { BN_free(at); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error broken(const char* what) {
  return fail(Errc::internal, "", std::string("token issuer: cannot ") + what);
}

Result<Octets> coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return broken("read its public key");
  const Owned<BIGNUM> value(raw);
  Octets out(32);
  if (BN_bn2binpad(value.get(), out.data(), 32) != 32) return broken("write its public key");
  return out;
}

Result<std::string> random_name() {
  Fixed<8> octets{};
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) return broken("draw a random name");
  return hex(octets);
}

// r || s, 32 octets each (RFC 7518 3.4).
Result<Octets> joined(const Octets& der) {
  const unsigned char* at = der.data();
  const Owned<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Octets out(64);
  const bool good = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), 32) == 32 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + 32, 32) == 32;
  if (!good) return broken("read its signature");
  return out;
}

Result<Octets> sign_es256(EVP_PKEY* key, std::string_view text) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  Octets der(80);
  std::size_t size = der.size();
  const bool good = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestSign(context.get(), der.data(), &size, view(text).data(), text.size()) == 1;
  if (!good) return broken("sign");
  der.resize(size);
  return joined(der);
}

std::string in_words(const std::vector<std::string>& scopes) {
  std::string out;
  for (const std::string& scope : scopes) out += (out.empty() ? "" : " ") + scope;
  return out;
}

}  // namespace

struct Issuer::State {
  std::string url;
  std::string file;
  std::string key_id;
  Owned<EVP_PKEY> key;
};

Issuer::Issuer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Issuer::Issuer(Issuer&&) noexcept = default;
Issuer& Issuer::operator=(Issuer&&) noexcept = default;
Issuer::~Issuer() = default;

const std::string& Issuer::url() const { return state_->url; }
const std::string& Issuer::jwks_file() const { return state_->file; }

Result<Issuer> Issuer::make(const std::string& directory, std::string issuer_url) {
  auto state = std::make_unique<State>();
  state->url = std::move(issuer_url);
  state->file = directory + "/jwks.json";
  state->key.reset(EVP_EC_gen("P-256"));
  if (!state->key) return broken("make a key");
  state->key_id = TRY(random_name());
  const json jwk{{"kty", "EC"},
                 {"crv", "P-256"},
                 {"use", "sig"},
                 {"alg", "ES256"},
                 {"kid", state->key_id},
                 {"x", base64url(TRY(coordinate(state->key.get(), OSSL_PKEY_PARAM_EC_PUB_X)))},
                 {"y", base64url(TRY(coordinate(state->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)))}};
  std::ofstream out(state->file, std::ios::trunc);
  out << json{{"keys", json::array({jwk})}}.dump(2) << '\n';
  if (!out.flush())
    return fail(Errc::storage, "", "cannot write " + state->file, "check the space and rights of its folder");
  return Issuer(std::move(state));
}

Result<std::string> Issuer::token(const IssuedClaims& claims, NtpTime now) const {
  const json header{{"alg", "ES256"}, {"typ", "at+jwt"}, {"kid", state_->key_id}};
  json payload{{"iss", state_->url},
               {"sub", claims.mcptt_id},
               {"mcptt_id", claims.mcptt_id},
               {"scope", in_words(claims.scopes)},
               {"iat", now.unix_seconds()},
               {"nbf", now.unix_seconds()},
               {"exp", now.plus(claims.lifetime).unix_seconds()},
               {"jti", TRY(random_name())}};
  if (!claims.audience.empty()) payload["aud"] = claims.audience;
  if (!claims.client_id.empty()) payload["client_id"] = claims.client_id;
  const std::string text = base64url(view(header.dump())) + "." + base64url(view(payload.dump()));
  return text + "." + base64url(TRY(sign_es256(state_->key.get(), text)));
}

}  // namespace regroup::app
