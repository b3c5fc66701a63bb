// SPDX-License-Identifier: Apache-2.0
// Which keys of a JWKS are used (RFC 7517). The EC key is the example of RFC 7517 A.1 and A.2.
#include "http/jwt.hpp"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/text.hpp"

namespace regroup::http {
namespace {

constexpr const char* kX = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
constexpr const char* kY = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

std::string ec(const std::string& more = {}, const std::string& curve = "P-256", const char* y = kY) {
  return R"({"kty":"EC","crv":")" + curve + R"(","x":")" + kX + R"(","y":")" + y + "\"" + more + "}";
}
std::string rsa(OctetsView modulus) {
  return R"({"kty":"RSA","e":"AQAB","n":")" + base64url(modulus) + "\"}";
}
Octets modulus(unsigned bits) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(bits), EVP_PKEY_free);
  BIGNUM* n = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &n), 1);
  Octets out(bits / 8);
  EXPECT_EQ(BN_bn2binpad(n, out.data(), static_cast<int>(out.size())), static_cast<int>(out.size()));
  BN_free(n);
  return out;
}
std::string rsa(unsigned bits) { return rsa(OctetsView(modulus(bits))); }
// How many keys of the set are used; 0 when the set is refused.
std::size_t used(const std::string& keys) {
  const auto set = Jwks::parse("{\"keys\":[" + keys + "]}");
  return set.ok() ? set->size() : 0;
}

TEST(Jwks, OnlyKeysThatAreMeantForVerificationAndStrongEnoughAreUsed) {
  EXPECT_EQ(used(ec()), 1u);
  EXPECT_EQ(used(ec(R"(,"use":"sig")")), 1u);
  EXPECT_EQ(used(rsa(2048)), 1u);
  EXPECT_EQ(used(ec() + "," + rsa(3072)), 2u);
  EXPECT_EQ(used(ec(R"(,"use":"enc")")), 0u);
  EXPECT_EQ(used(ec(R"(,"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE")")), 0u) << "a private part";
  EXPECT_EQ(used(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})"), 0u);
  EXPECT_EQ(used(ec("", "secp256k1")), 0u);
  EXPECT_EQ(used(ec("", "P-384")), 0u) << "coordinates of another curve";
  EXPECT_EQ(used(ec("", "P-256", kX)), 0u) << "not on the curve";
  EXPECT_EQ(used(rsa(2040)), 0u);
  Octets even = modulus(2048);
  even.back() &= 0xfe;
  EXPECT_EQ(used(rsa(OctetsView(even))), 0u);
  EXPECT_EQ(used(rsa(1024) + "," + ec()), 1u) << "the rest of the set stands";
}

}  // namespace
}  // namespace regroup::http
