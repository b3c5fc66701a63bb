// SPDX-License-Identifier: Apache-2.0
#include "http/jwks.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <fstream>

#include "base/text.hpp"
#include "http/json.hpp"

namespace regroup::http {
namespace {

using nlohmann::json;
constexpr std::string_view kClause = "RFC 7517";
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // a larger key makes each check slow enough to be an attack
constexpr std::string_view kPublish = "publish only the keys that the issuer signs with";

struct Free {
  void operator()(BIGNUM* at) const noexcept { BN_free(at); }
  void operator()(OSSL_PARAM_BLD* at) const noexcept { OSSL_PARAM_BLD_free(at); }
  void operator()(OSSL_PARAM* at) const noexcept { OSSL_PARAM_free(at); }
  void operator()(EVP_PKEY_CTX* at) const noexcept { EVP_PKEY_CTX_free(at); }
  void operator()(EVP_MD_CTX* at) const noexcept { EVP_MD_CTX_free(at); }
  void operator()(ECDSA_SIG* at) const noexcept { ECDSA_SIG_free(at); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::shared_ptr<EVP_PKEY> key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1;
  std::shared_ptr<EVP_PKEY> out(key, FreeKey{});
  if (!made) return nullptr;
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return out;
}

// RFC 7518 6.2: coordinates of the full field size.
std::shared_ptr<EVP_PKEY> ec_key(const json& jwk, const char* group, std::size_t size) {
  const auto x = from_base64url(text_member(jwk, "x"));
  const auto y = from_base64url(text_member(jwk, "y"));
  if (!x.ok() || !y.ok() || x->size() != size || y->size() != size) return nullptr;
  Octets point{4};
  append(point, *x);
  append(point, *y);
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  const bool filled =
      builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) ==
          1;
  return filled ? key_from("EC", builder.get()) : nullptr;
}

// RFC 7518 6.3.
std::shared_ptr<EVP_PKEY> rsa_key(const json& jwk) {
  const auto n = from_base64url(text_member(jwk, "n"));
  const auto e = from_base64url(text_member(jwk, "e"));
  if (!n.ok() || !e.ok() || n->size() > kMostRsaBits / 8 || e->empty() || e->size() > 8) return nullptr;
  const Owned<BIGNUM> modulus(BN_bin2bn(n->data(), static_cast<int>(n->size()), nullptr));
  const Owned<BIGNUM> exponent(BN_bin2bn(e->data(), static_cast<int>(e->size()), nullptr));
  if (!modulus || !exponent || BN_num_bits(modulus.get()) < kLeastRsaBits || !BN_is_odd(modulus.get()) ||
      !BN_is_odd(exponent.get()) || BN_is_one(exponent.get()))
    return nullptr;
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  const bool filled = builder &&
                      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
                      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1;
  return filled ? key_from("RSA", builder.get()) : nullptr;
}

// A key with a private part in a public set is a mistake of the issuer that we do not build on.
bool meant_for_verification(const json& jwk) {
  const std::string use = text_member(jwk, "use");
  return (use.empty() || use == "sig") && !jwk.contains("d") && !jwk.contains("k");
}

std::optional<Jwks::Key> read_key(const json& jwk) {
  if (!jwk.is_object() || !meant_for_verification(jwk)) return std::nullopt;
  Jwks::Key out;
  out.id = text_member(jwk, "kid");
  out.algorithm = text_member(jwk, "alg");
  const std::string type = text_member(jwk, "kty");
  const std::string curve = text_member(jwk, "crv");
  if (type == "EC" && curve == "P-256") {
    out.kind = KeyKind::p256;
    out.key = ec_key(jwk, "P-256", 32);
  }
  if (type == "EC" && curve == "P-384") {
    out.kind = KeyKind::p384;
    out.key = ec_key(jwk, "P-384", 48);
  }
  if (type == "RSA") {
    out.kind = KeyKind::rsa;
    out.key = rsa_key(jwk);
  }
  ERR_clear_error();
  if (!out.key) return std::nullopt;
  return out;
}

// JOSE writes r || s (RFC 7518 3.4), OpenSSL wants DER.
Octets der_signature(OctetsView joined) {
  const std::size_t half = joined.size() / 2;
  const Owned<ECDSA_SIG> signature(ECDSA_SIG_new());
  Owned<BIGNUM> r(BN_bin2bn(joined.data(), static_cast<int>(half), nullptr));
  Owned<BIGNUM> s(BN_bin2bn(joined.data() + half, static_cast<int>(half), nullptr));
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  Octets out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace

const SignatureAlgorithm* find_algorithm(std::string_view name) noexcept {
  static constexpr std::array<SignatureAlgorithm, 4> known{{{"ES256", KeyKind::p256, "SHA256", false, 32},
                                                            {"ES384", KeyKind::p384, "SHA384", false, 48},
                                                            {"RS256", KeyKind::rsa, "SHA256", false, 0},
                                                            {"PS256", KeyKind::rsa, "SHA256", true, 0}}};
  for (const SignatureAlgorithm& algorithm : known)
    if (algorithm.name == name) return &algorithm;
  return nullptr;
}

bool signature_holds(const SignatureAlgorithm& algorithm, EVP_PKEY* key, OctetsView signed_text,
                     OctetsView signature) {
  Octets octets = to_octets(signature);
  if (algorithm.half_size > 0) {
    if (octets.size() != 2 * algorithm.half_size) return false;
    octets = der_signature(octets);
  }
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const std::string digest(algorithm.digest);
  bool ready = context && !octets.empty() &&
               EVP_DigestVerifyInit_ex(context.get(), &key_context, digest.c_str(), nullptr, nullptr, key,
                                       nullptr) == 1;
  if (ready && algorithm.pss)
    ready = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1;
  const bool holds = ready && EVP_DigestVerify(context.get(), octets.data(), octets.size(),
                                               signed_text.data(), signed_text.size()) == 1;
  ERR_clear_error();
  return holds;
}

Result<Jwks> Jwks::parse(std::string_view text) {
  if (text.size() > kMaxJwks)
    return fail(Errc::limit, kClause, "JWKS is larger than " + std::to_string(kMaxJwks) + " octets",
                std::string(kPublish));
  const json document = TRY(parse_json_object(text, kClause, "JWKS"));
  const auto list = document.find("keys");
  if (list == document.end() || !list->is_array())
    return fail(Errc::malformed, "RFC 7517 5.1", "JWKS has no array \"keys\"",
                "give a JWK set as in {\"keys\": [...]}");
  if (list->size() > kMaxJwksKeys)
    return fail(Errc::limit, kClause, "JWKS has more than " + std::to_string(kMaxJwksKeys) + " keys",
                std::string(kPublish));
  auto keys = std::make_shared<std::vector<Key>>();
  for (const json& jwk : *list)
    if (auto key = read_key(jwk)) keys->push_back(std::move(*key));
  if (keys->empty())
    return fail(Errc::unsupported, kClause, "JWKS holds no usable public key",
                "publish EC P-256, EC P-384 or RSA keys of at least 2048 bits without private members");
  return Jwks(std::move(keys));
}

Jwks Jwks::none(Error why) {
  Jwks out(std::make_shared<std::vector<Key>>());
  out.why_none_ = std::make_shared<const Error>(std::move(why));
  return out;
}

Jwks Jwks::telling(std::function<void()> missed) const {
  Jwks out = *this;
  out.missed_ = std::make_shared<const std::function<void()>>(std::move(missed));
  return out;
}

std::size_t Jwks::size() const noexcept { return keys_->size(); }

Result<Jwks> read_jwks_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMaxJwks + 1, '\0');
  if (!in)
    return fail(Errc::usage, kClause, "JWKS file " + file + " cannot be opened",
                "check the name and the rights of the file");
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto parsed = Jwks::parse(text);
  if (!parsed.ok()) return std::move(parsed).error().with("JWKS file " + file);
  return parsed;
}

}  // namespace regroup::http
