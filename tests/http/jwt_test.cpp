// SPDX-License-Identifier: Apache-2.0
// Access tokens: which algorithms, which key, which claims (RFC 8725 3.1, TS 33.180 B.4.2).
#include "http/jwt.hpp"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace regroup::http {
namespace {

using nlohmann::json;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const NtpTime kNow = parse_date_time("2026-03-02T09:30:00Z").value();

// A key pair of an issuer: EC of 32 or 48 octets, or RSA.
class Signer {
 public:
  explicit Signer(int half) : half_(half), key_(make(half)) {}
  [[nodiscard]] json jwk(const std::string& kid = {}, const std::string& algorithm = {}) const {
    json out = half_ ? json{{"kty", "EC"},
                            {"crv", half_ == 32 ? "P-256" : "P-384"},
                            {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, half_)},
                            {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, half_)}}
                     : json{{"kty", "RSA"},
                            {"n", number(OSSL_PKEY_PARAM_RSA_N, 256)},
                            {"e", number(OSSL_PKEY_PARAM_RSA_E, 3)}};
    if (!kid.empty()) out["kid"] = kid;
    if (!algorithm.empty()) out["alg"] = algorithm;
    return out;
  }
  [[nodiscard]] std::string token(const json& header, const json& claims) const {
    const std::string text = base64url(view(header.dump())) + "." + base64url(view(claims.dump()));
    return text + "." + base64url(sign(text, header.value("alg", "").substr(0, 2) == "PS"));
  }

 private:
  static EVP_PKEY* make(int half) {
    if (half == 0) return EVP_RSA_gen(2048);
    return half == 32 ? EVP_EC_gen("P-256") : EVP_EC_gen("P-384");
  }
  [[nodiscard]] std::string number(const char* name, int size) const {
    BIGNUM* raw = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &raw), 1) << name;
    const Owned<BIGNUM> value(raw);
    Octets out(static_cast<std::size_t>(size));
    EXPECT_EQ(BN_bn2binpad(value.get(), out.data(), size), size);
    return base64url(out);
  }
  [[nodiscard]] Octets sign(const std::string& text, bool pss) const {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    const EVP_MD* digest = half_ == 48 ? EVP_sha384() : EVP_sha256();
    EXPECT_EQ(EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key_.get()), 1);
    if (pss) {
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    Octets out(512);
    std::size_t size = out.size();
    EXPECT_EQ(EVP_DigestSign(context.get(), out.data(), &size, view(text).data(), text.size()), 1);
    out.resize(size);
    return half_ ? joined(out) : out;
  }
  // r || s (RFC 7518 3.4).
  [[nodiscard]] Octets joined(const Octets& der) const {
    const unsigned char* at = der.data();
    const Owned<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    Octets out(static_cast<std::size_t>(2 * half_));
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), half_);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + half_, half_);
    return out;
  }

  int half_;
  Owned<EVP_PKEY> key_;
};

Jwks set_of(const std::vector<json>& keys) { return Jwks::parse(json{{"keys", keys}}.dump()).value(); }

struct Jwt : testing::Test {
  // "accepted", or the name of the error.
  [[nodiscard]] std::string judge(const std::string& token, const Jwks& jwks, NtpTime now = kNow) const {
    const auto read = verify(token, jwks, policy, now);
    return read.ok() ? "accepted" : std::string(name_of(read.error().code));
  }
  // The good claims with one of them changed, or left out by a null.
  [[nodiscard]] std::string with(const char* claim, json value, NtpTime now = kNow) const {
    json changed = claims;
    changed[claim] = value;
    if (value.is_null()) changed.erase(claim);
    return judge(p256.token({{"alg", "ES256"}}, changed), set_of({p256.jwk()}), now);
  }

  Signer p256{32}, other{32}, p384{48}, rsa{0};
  TokenPolicy policy{
      .issuer = "https://idms.alpha.example", .audience = "regroup-gms", .scopes = {"one", "two"}};
  json claims{{"iss", policy.issuer},
              {"mcptt_id", "sip:ann@alpha.example"},
              {"exp", kNow.unix_seconds() + 60},
              {"scope", "openid two"}};
};

TEST_F(Jwt, IsSignedWithAnAlgorithmOfTheListByAKeyOfItsKind) {
  const Jwks all = set_of({p256.jwk(), p384.jwk(), rsa.jwk()});
  const auto by = [&](const Signer& signer, const char* algorithm) {
    return judge(signer.token({{"alg", algorithm}}, claims), all);
  };
  EXPECT_EQ(by(p256, "ES256"), "accepted");
  EXPECT_EQ(by(rsa, "RS256"), "accepted");
  EXPECT_EQ(by(rsa, "PS256"), "accepted");
  EXPECT_EQ(by(p384, "ES384"), "unsupported") << "known, and not of the usual list";
  policy.algorithms.push_back("ES384");
  EXPECT_EQ(by(p384, "ES384"), "accepted");
  policy.algorithms = {"ES256", "ES384", "RS256", "PS256", "RS512", "PS512", "HS256", "none"};
  for (const char* algorithm : {"RS512", "PS512", "HS256", "none", "es256", ""})
    EXPECT_EQ(by(rsa, algorithm), "unsupported") << algorithm;
  EXPECT_EQ(by(p384, "ES256"), "bad_signature");
  EXPECT_EQ(by(p256, "RS256"), "bad_signature");
}

TEST_F(Jwt, IsVerifiedWithTheOneKeyThatFits) {
  const std::string unnamed = p256.token({{"alg", "ES256"}}, claims),
                    named = p256.token({{"alg", "ES256"}, {"kid", "a"}}, claims);
  EXPECT_EQ(judge(unnamed, set_of({p256.jwk()})), "accepted");
  EXPECT_EQ(judge(unnamed, set_of({p256.jwk(), other.jwk("", "ES384")})), "accepted") << "meant for another";
  EXPECT_EQ(judge(named, set_of({p256.jwk("a"), other.jwk("b")})), "accepted");
  // Several that fit: nobody gets to try keys, wherever the right one stands.
  EXPECT_EQ(judge(unnamed, set_of({p256.jwk(), other.jwk()})), "bad_signature");
  EXPECT_EQ(judge(unnamed, set_of({other.jwk(), p256.jwk()})), "bad_signature");
  EXPECT_EQ(judge(named, set_of({p256.jwk("a"), other.jwk("a")})), "bad_signature");
  EXPECT_EQ(judge(named, set_of({other.jwk("a"), p256.jwk("a")})), "bad_signature");
  EXPECT_EQ(judge(named, set_of({p256.jwk("b")})), "bad_signature");
  EXPECT_EQ(judge(named, set_of({other.jwk("a")})), "bad_signature");
}

TEST_F(Jwt, SaysWhoFromWhomForWhomAndForHowLong) {
  EXPECT_EQ(with("sub", "anything"), "accepted");
  for (const json& bad : {json(nullptr), json("https://idms.alpha.example/"), json(1)})
    EXPECT_EQ(with("iss", bad), "malformed") << bad;
  for (const json& bad : {json(nullptr), json(""), json(7), json::array({"sip:ann@alpha.example"})})
    EXPECT_EQ(with("mcptt_id", bad), "malformed") << bad;
  for (const json& good : {json("regroup-gms"), json::array({"x", "regroup-gms"})})
    EXPECT_EQ(with("aud", good), "accepted") << good;
  for (const json& bad : {json("regroup-kms"), json::array({"x"}), json(1)})
    EXPECT_EQ(with("aud", bad), "malformed") << bad;
  policy.audience_required = true;
  EXPECT_EQ(with("sub", "anything"), "malformed") << "without aud";
  policy.audience_required = false;
  for (const json& bad : {json(nullptr), json("openid"), json("twofold"), json("")})
    EXPECT_EQ(with("scope", bad), "not_authorised") << bad;
  EXPECT_EQ(with("scope", json::array({"one"})), "accepted");
}

TEST_F(Jwt, IsTakenUntilHalfAMinuteAfterItsExpAndFromHalfAMinuteBeforeItsNbf) {
  const std::int64_t now = kNow.unix_seconds();
  EXPECT_EQ(with("exp", nullptr), "malformed");
  EXPECT_EQ(with("exp", "tomorrow"), "malformed");
  EXPECT_EQ(with("exp", now), "accepted");
  EXPECT_EQ(with("exp", now - 29), "accepted");
  EXPECT_EQ(with("exp", now - 30), "expired");
  EXPECT_EQ(with("nbf", now + 30), "accepted");
  EXPECT_EQ(with("nbf", now + 31), "not_yet_valid");
  policy.leeway = 31;
  EXPECT_EQ(with("sub", "anything"), "usage") << "TS 33.180 B.2.1 allows no more";
}

}  // namespace
}  // namespace regroup::http
