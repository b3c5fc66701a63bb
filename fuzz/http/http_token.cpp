// SPDX-License-Identifier: Apache-2.0
// Access tokens and what surrounds them; the first octet picks:
//   j  a JWKS          t  a token from the network: nobody but the holder of the key makes one that verifies
//   c  a policy octet, then header and claims (two lines of JSON) that the issuer itself signs
//   h  header lines of a request: its credential, and heads written with these fields
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base/text.hpp"
#include "http/bearer.hpp"
#include "http/head.hpp"
#include "http/jwks.hpp"
#include "refusal.hpp"

using namespace regroup;
using namespace regroup::http;

namespace {

const NtpTime kNow = NtpTime::from_unix(1'772'443'800);  // 2026-03-02T09:30:00Z

struct Issuer {
  std::unique_ptr<EVP_PKEY, FreeKey> key{EVP_EC_gen("P-256")};

  // The set with this key, under the name the seeds use.
  [[nodiscard]] Jwks jwks() const {
    Octets point(65);
    std::size_t size = 0;
    FUZZ_EXPECT(EVP_PKEY_get_octet_string_param(key.get(), "pub", point.data(), point.size(), &size) == 1 &&
                size == point.size());
    const OctetsView xy(point);
    return Jwks::parse(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":")" +
                       base64url(xy.subspan(1, 32)) + R"(","y":")" + base64url(xy.subspan(33)) + R"("}]})")
        .value();
  }
  [[nodiscard]] Octets sign(std::string_view text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Octets der(80), out(64);
    std::size_t size = der.size();
    FUZZ_EXPECT(EVP_DigestSignInit_ex(context, nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) == 1);
    FUZZ_EXPECT(EVP_DigestSign(context, der.data(), &size, view(text).data(), text.size()) == 1);
    EVP_MD_CTX_free(context);
    const std::uint8_t* at = der.data();
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.data() + 32, 32);
    ECDSA_SIG_free(signature);
    return out;
  }
};

const Issuer& issuer() {
  static const Issuer one;
  return one;
}
const Jwks& jwks() {
  static const Jwks one = issuer().jwks();
  return one;
}

TokenPolicy policy_of(std::uint8_t choice) {
  TokenPolicy out{.issuer = "https://idms.example"};
  if (choice & 1) out.audience = "gms";
  out.audience_required = choice & 2;
  if (choice & 4) out.scopes = {"3gpp:mc:ptt_group_management_service", "write"};
  out.accept_scp = choice & 8;
  return out;
}

void expect_outward(const Error& error) {
  expect_refusal(error);
  FUZZ_EXPECT(refusal_status(error) == (oauth_error(error) == "insufficient_scope" ? 403u : 401u));
  FUZZ_EXPECT(is_one_line(challenge(error)) && challenge(error).size() < 100);
}

void check_jwks(std::string_view text) {
  const auto set = Jwks::parse(text);
  if (!set.ok()) return expect_refusal(set.error());
  FUZZ_EXPECT(set->size() >= 1 && set->size() <= kMaxJwksKeys);
  const auto claims = verify("e30.e30.", *set, policy_of(0), kNow);
  FUZZ_EXPECT(!claims.ok());
}

void check_foreign(std::string_view token) {
  const auto claims = verify(token, jwks(), policy_of(0), kNow);
  FUZZ_EXPECT(!claims.ok());
  expect_outward(claims.error());
}

void check_claims(std::uint8_t choice, std::string_view text) {
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string content = base64url(view(text.substr(0, line))) + "." +
                              base64url(view(text.substr(std::min(line + 1, text.size()))));
  Octets signature = issuer().sign(content);
  const TokenPolicy policy = policy_of(choice);
  const auto claims = verify(content + "." + base64url(signature), jwks(), policy, kNow);
  if (!claims.ok()) return expect_outward(claims.error());
  FUZZ_EXPECT(!claims->identity.empty() && claims->issuer == policy.issuer);
  FUZZ_EXPECT(claims->expires.plus(policy.leeway) > kNow);
  FUZZ_EXPECT(policy.scopes.empty() || claims->has_scope(policy.scopes[0]) || claims->has_scope("write"));
  FUZZ_EXPECT(!policy.audience_required || policy.audience.empty() || !claims->audience.empty());
  signature[choice % signature.size()] ^= 1;
  FUZZ_EXPECT(!verify(content + "." + base64url(signature), jwks(), policy, kNow).ok());
}

// One empty line, at the end; no line feed without its carriage return, and none of our own fields twice.
void expect_head(std::string_view head, std::size_t most_lines) {
  FUZZ_EXPECT(head.find("\r\n\r\n") == head.size() - 4);
  std::size_t lines = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\r') FUZZ_EXPECT(head[i + 1] == '\n');
    if (head[i] == '\n') FUZZ_EXPECT(i > 0 && head[i - 1] == '\r' && ++lines <= most_lines);
  }
  std::string folded(head);
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::size_t first = folded.find("\r\ncontent-length:");
  FUZZ_EXPECT(first != std::string::npos &&
              folded.find("\r\ncontent-length:", first + 1) == std::string::npos);
  FUZZ_EXPECT(folded.find("\r\ntransfer-encoding:") == std::string::npos);
}

// Lines end at a line feed; a carriage return is part of the value, so that it can try to smuggle.
Headers headers_of(std::string_view text) {
  Headers out;
  while (!text.empty() && out.size() < 100) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view rest = line.substr(std::min(colon + 1, line.size()));
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    std::string value(rest);
    std::replace(value.begin(), value.end(), '|', '\n');
    out.add(std::string(line.substr(0, colon)), std::move(value));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void check_headers(std::string_view text) {
  Headers headers = headers_of(text);
  const auto token = bearer_token(headers);
  if (!token.ok()) expect_outward(token.error());
  if (token.ok() && *token) {
    FUZZ_EXPECT(!(*token)->empty() && (*token)->size() <= kMaxToken && is_one_line(**token));
    check_foreign(**token);
  }
  const std::size_t fields = headers.size();
  expect_head(request_head("POST", "/keymanagement/init", "kms.example", headers, 3), fields + 4);
  Response response{200, std::move(headers), Body("abc")};
  expect_head(response_head(response, true, 1'772'443'800), fields + 5);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(OctetsView(data, size));
  if (text.size() < 2) return 0;
  if (text[0] == 'j') check_jwks(text.substr(1));
  if (text[0] == 't') check_foreign(text.substr(1));
  if (text[0] == 'c') check_claims(data[1], text.substr(2));
  if (text[0] == 'h') check_headers(text.substr(1));
  return 0;
}
