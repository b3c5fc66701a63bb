// SPDX-License-Identifier: Apache-2.0
// The traps of docs/wire.md, one case or more for each: what another vendor's KMS or client sends, and what
// becomes of it here. It is taken under its switch only and counted, or refused with an error that names the
// trap and the way out, or it does no harm, and then it needs no switch.
#include "app/kms/traps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "app/kms/cache_number.hpp"
#include "app/kms/client.hpp"
#include "app/kms/kms_lab.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/key_wrap.hpp"
#include "kmsxml/data.hpp"
#include "mikey/message.hpp"
#include "xml/canonical.hpp"

namespace regroup::app {
namespace {

using kmsxml::Profile;
using kmsxml::Tally;
using kmsxml::Tolerance;
using test::kAlphaNow;
using test::kms_document;
using test::kUser;
using test::replaced;
using testing::HasSubstr;

// ---- documents of a KMS with one deviation

constexpr const char* kSsk = "1F45A30FD8A58BC014194DF774A33E73EBC37D1E1ACE3F26582C0AD2ED4AA27F";
constexpr const char* kUserId = "cttF+Y1ih78qzsVZnrJ6+wv/AzdCO6OjZjnqOmQIMUo=";
constexpr const char* kKeyType = " xsi:type=\"KeyContentType\"";

// The worked /keyprov answer with its first key set only, so that a deviation in it counts once.
std::string one_key_set() {
  const std::string keys = kms_document("keyprov.xml");
  const auto second = keys.find("<KmsKeySet", keys.find("<KmsKeySet") + 1);
  return keys.substr(0, second) + keys.substr(keys.find("</KmsKeyProv>"));
}

struct Answers {
  std::string init = kms_document("init.xml"), keys = one_key_set(), cache = kms_document("certcache.xml");
};
Result<Tally> read(const Answers& answers, const Profile& profile, const std::string& identity = kUser) {
  const KmsAnswers given{SecretOctets(view(answers.init)), SecretOctets(view(answers.keys)),
                         SecretOctets(view(answers.cache))};
  return TRY(read_keys(given, identity, "kms.alpha.example", kAlphaNow, profile)).tolerated;
}
using Run = std::function<Result<Tally>(const Profile&)>;
Run keys_with(const std::string& from, const std::string& to) {
  return [from, to](const Profile& profile) {
    return read({.keys = replaced(one_key_set(), from, to)}, profile);
  };
}
Run init_with(const std::string& from, const std::string& to) {
  return [from, to](const Profile& profile) {
    return read({.init = replaced(kms_document("init.xml"), from, to)}, profile);
  };
}

// A key set that the worked KMS would make with its master secrets for another identifier than the UID's
// octets.
struct Made {
  std::int64_t period;
  Octets identifier;  // of the keys
  Octets user_id;
  std::string user = kUser;
};
std::string keys_made(const Made& made) {
  test::SeededRandom random(11);
  const auto z = crypto::sakke::parse_master_secret(test::unhex(std::string(test::kAlphaZ))).value();
  const auto ksak = crypto::eccsi::parse_ksak(test::unhex(std::string(test::kAlphaKsak))).value();
  const auto signing =
      crypto::eccsi::UserKey::make(ksak, crypto::eccsi::Kpak::derive(ksak), made.identifier, random);
  kmsxml::KmsKeyProv provided;
  provided.key_sets.push_back(
      {.kms_uri = "kms.alpha.example",
       .user_uri = made.user,
       .user_id = made.user_id,
       .key_period_no = made.period,
       .user_decrypt_key = SecretOctets(crypto::sakke::extract(z, made.identifier).value().octets().expose()),
       .user_signing_key_ssk = SecretOctets(signing.ssk().expose()),
       .user_pub_token_pvt = to_octets(signing.pvt())});
  const kmsxml::KmsResponse response{.user_uri = kUser,
                                     .kms_uri = "kms.alpha.example",
                                     .time = kAlphaNow,
                                     .client_req_url = "https://kms.alpha.example/",
                                     .content = std::move(provided)};
  return std::string(text_of(kmsxml::write(response).expose()));
}
Octets uid(std::int64_t period) {
  return to_octets(mcx::KeyPeriods::make(2592000, 0).ok()
                       ? certificate_of(std::get<kmsxml::KmsInit>(
                                            kmsxml::parse_response(view(kms_document("init.xml")))->content)
                                            .certificate)
                             .value()
                             .uid_of(test::id(kUser), period)
                       : mcx::Uid{});
}
Run made_keys(const Made& made) {
  return [made](const Profile& profile) { return read({.keys = keys_made(made)}, profile); };
}

// T-3: FC and every length and number in characters 0 and 1.
Octets digit_uid(std::int64_t period) {
  const auto digits = [](std::uint64_t value, std::size_t width) {
    std::string out;
    for (; value != 0; value >>= 1) out.insert(out.begin(), (value & 1) != 0 ? '1' : '0');
    if (out.empty()) out = "0";
    return out.size() < width ? std::string(width - out.size(), '0') + out : out;
  };
  std::string s = "0";
  for (const std::string& text :
       {std::string("MIKEY-SAKKE-UID"), std::string(kUser), std::string("kms.alpha.example")})
    s += text + digits(text.size(), 16);
  for (const std::int64_t number : {std::int64_t{2592000}, std::int64_t{0}, period}) {
    const std::string written = digits(static_cast<std::uint64_t>(number), 0);
    s += written + digits(written.size(), 16);
  }
  return to_octets(crypto::sha256(view(s)));
}

// ---- protected answers

const std::string kUrl = "https://kms.alpha.example/keymanagement/identity/v1/keyprov";

Result<OpenedAnswer> open_protected(const std::string& body, KmsPolicy policy, const Profile& profile) {
  KmsAccess access;
  access.uri = "kms.alpha.example";
  access.policy = policy;
  access.profile = profile;
  const kms::TransportKeys keys = test::worked_keys();
  const std::string identity = kUser;
  const Question question{access, identity, kUrl, kAlphaNow, kAlphaNow, &keys};
  return opened_answer(view(body), question);
}
std::string wrapped_keys(kms::Wrapping wrapping) {
  kmsxml::KmsResponse answer = kmsxml::parse_response(view(one_key_set())).value();
  wrap(std::get<kmsxml::KmsKeyProv>(answer.content).key_sets[0], test::worked_keys(), wrapping);
  return std::string(text_of(kmsxml::write(answer).expose()));
}
// CipherValue of the RSK in hex.
std::string hex_cipher() {
  const std::string document = wrapped_keys(kms::Wrapping::w3);
  const std::size_t start = document.find("<xenc:CipherValue>") + 18,
                    end = document.find("</xenc:CipherValue>");
  const Octets cipher = from_base64(document.substr(start, end - start)).value();
  return document.substr(0, start) + hex(cipher) + document.substr(end);
}

std::string signed_answer(const std::string& req_url = kUrl) {
  kmsxml::KmsResponse answer = kmsxml::parse_response(view(one_key_set())).value();
  answer.client_req_url = req_url;
  answer.id = "r1";
  const kms::TransportKeys keys = test::worked_keys();
  wrap(std::get<kmsxml::KmsKeyProv>(answer.content).key_sets[0], keys, kms::Wrapping::w3);
  return std::string(text_of(kmsxml::sign(answer, signing_key_of(keys))->expose()));
}
// The same signed anew after a change, as its KMS would do.
std::string resigned(const std::string& document, const xml::Path& target, xml::Canonical form,
                     bool enveloped = false) {
  const kms::TransportKeys keys = test::worked_keys();
  const auto put = [](std::string text, const std::string& tag, const std::string& value) {
    const std::size_t start = text.find("<ds:" + tag + ">") + tag.size() + 5;
    return text.replace(start, text.find("</ds:" + tag + ">", start) - start, value);
  };
  const xml::Path own{1};
  const auto digested = xml::Document::parse(view(document)).value();
  const std::string out =
      put(document, "DigestValue",
          base64(crypto::sha256(
              digested.canonical(target, xml::Canonical::inclusive, enveloped ? &own : nullptr)->expose())));
  const auto info = xml::Document::parse(view(out)).value();
  return put(out, "SignatureValue",
             base64(signing_key_of(keys).hmac_sha256(info.canonical({1, 0}, form)->expose()).expose()));
}
std::string with_comments() {
  const std::string form = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
  return resigned(replaced(signed_answer(), form, form + "#WithComments"), {0},
                  xml::Canonical::inclusive_with_comments);
}
std::string outer_id() {
  std::string out = replaced(signed_answer(), "<SignedKmsResponse ", "<SignedKmsResponse Id=\"outer\" ");
  out = replaced(out, "URI=\"#r1\">",
                 "URI=\"#outer\"><ds:Transforms><ds:Transform "
                 "Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/></ds:Transforms>");
  return resigned(out, {}, xml::Canonical::inclusive, true);
}
std::string short_mac() {
  return resigned(
      replaced(signed_answer(),
               "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\"/>",
               "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\">"
               "<ds:HMACOutputLength>128</ds:HMACOutputLength></ds:SignatureMethod>"),
      {0}, xml::Canonical::inclusive);
}
Run signed_with(const std::function<std::string()>& document) {
  return [document](const Profile& profile) -> Result<Tally> {
    return TRY(open_protected(document(), KmsPolicy::wrap_sign, profile)).tolerated;
  };
}

// ---- requests of other vendors' clients to our KMS: status and reason as an error

struct Asked {
  std::string resource;
  std::string body = {};
  std::string identity = kUser;
  std::string method = "POST";
  std::string accept = {};
  unsigned status = 200;
};
Run asks(const Asked& asked) {
  return [asked](const Profile&) -> Result<Tally> {
    test::KmsLab lab;
    http::Request request = test::KmsLab::request(asked.resource, lab.token(asked.identity), asked.body);
    request.method = asked.method;
    if (!asked.accept.empty()) request.headers.add("Accept", asked.accept);
    const KmsAnswer answer = lab.ask(request);
    const std::string type(answer.response.headers.find("Content-Type").value_or(""));
    if (!asked.accept.empty() && type.find(asked.accept) == std::string::npos)
      return fail(Errc::internal, "", "answered with " + type);
    if (answer.response.status == 200) return Tally();
    return fail(Errc::conflict, "", std::to_string(answer.response.status) + " " + answer.reason, "do not");
  };
}
std::string request_body(const std::string& url) {
  return kmsxml::write(kmsxml::KmsRequest{
      .user_uri = kUser, .kms_uri = "kms.alpha.example", .time = kAlphaNow, .client_req_url = url});
}

// ---- the table

struct Case {
  int trap;
  const char* shows;
  Run run;
  const char* needs = "";    // the entry of `tolerate` it is taken under
  const char* refused = "";  // what the error must say; neither: it does no harm
  unsigned count = 1;
};

Result<Tally> done(bool good) {
  if (good) return Tally();
  return fail(Errc::internal, "", "it does harm");
}

std::vector<Case> cases() {
  const Octets right = uid(1536);
  const std::string namespace_now = "urn:3gpp:ns:mcsecKMSInterface:1.0";
  const std::string user_then_kms =
      "<UserUri>sip:user.001@alpha.example</UserUri>\n  <KmsUri>kms.alpha.example</KmsUri>";
  const std::string kms_then_user =
      "<KmsUri>kms.alpha.example</KmsUri>\n  <UserUri>sip:user.001@alpha.example</UserUri>";
  const std::string cert_then_kms =
      "<CertUri>cert1.kms.alpha.example</CertUri>\n        <KmsUri>kms.alpha.example</KmsUri>";
  const std::string kms_then_cert =
      "<KmsUri>kms.alpha.example</KmsUri>\n        <CertUri>cert1.kms.alpha.example</CertUri>";
  const std::string zero_hex = std::string("0000") + kSsk;
  return {
      {1, "keys for the hex text of the UID", made_keys({1536, to_octets(view(hex(right))), right}),
       "uid-as-hex-text"},
      {1, "the same without a UserID", made_keys({1536, to_octets(view(hex(right))), {}}), "uid-as-hex-text"},
      {2, "period 683, counted from 1970", made_keys({683, uid(683), uid(683)}), "epoch-1970"},
      {2, "its dates fit another number", keys_with(">1536<", ">683<"), "", "epoch-1970"},
      {3, "a UID over characters 0 and 1", made_keys({1536, digit_uid(1536), digit_uid(1536)}), "", "T-3"},
      {3, "the same without a UserID", made_keys({1536, digit_uid(1536), {}}), "", "T-3"},
      {4, "UserID in lower-case hex", keys_with(kUserId, hex(right)), "hex-uid"},
      {4, "UserID in upper-case hex", keys_with(kUserId, hex_upper(right)), "hex-uid"},
      {4, "UserID is the URI", keys_with(kUserId, kUser), "other-uid"},
      {5, "SSK of 34 octets", keys_with(kSsk, zero_hex), "ssk-length"},
      {6, "a key without xsi:type", keys_with(kKeyType, ""), "no-xsi-type"},
      {7, "KmsUri before UserUri, as in Rel-13", keys_with(user_then_kms, kms_then_user), "element-order"},
      {7, "KmsUri before CertUri, as in Rel-13", init_with(cert_then_kms, kms_then_cert), "element-order"},
      {7, "ClientId before Time in a request",
       asks({"/init", replaced(request_body("/keymanagement/identity/v1/init"), "<Time>",
                               "<ClientId>x</ClientId><Time>")})},
      {8, "the placeholder of Rel-13", keys_with(namespace_now, "TOBEDEFINED"), "namespace:TOBEDEFINED"},
      {8, "a vendor's namespace", keys_with(namespace_now, "http://vendor.example/kms"),
       "namespace:http://vendor.example/kms"},
      {9, "a reader that takes the first node",
       [](const Profile&) {
         return done(signed_answer().find("1.0\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
                                          "<KmsResponse ") != std::string::npos);
       }},
      {9, "an answer without the signature", signed_with([] { return one_key_set(); }), "", "not signed"},
      {10, "CipherValue in hex",
       [](const Profile& profile) -> Result<Tally> {
         return TRY(open_protected(hex_cipher(), KmsPolicy::wrap, profile)).tolerated;
       },
       "hex-cipher"},
      {10, "every wrap under the one URI",
       [](const Profile& profile) -> Result<Tally> {
         const auto seen = [&](kms::Wrapping wrapping) {
           return open_protected(wrapped_keys(wrapping), KmsPolicy::wrap, profile)->wrapping;
         };
         return done(seen(kms::Wrapping::w1) == WrapSeen::w1 && seen(kms::Wrapping::w2) == WrapSeen::w2 &&
                     seen(kms::Wrapping::w3) == WrapSeen::w3);
       }},
      {11, "SignedInfo in C14N with comments", signed_with(with_comments), "c14n-form"},
      {11, "the outer element is signed", signed_with(outer_id), "outer-id"},
      {11, "a MAC of 128 bits", signed_with(short_mac), "", "T-11"},
      {12, "a client that takes text/xml only", asks({.resource = "/init", .accept = "text/xml"})},
      {12, "an empty body", asks({"/init"})},
      {12, "a JSON body", asks({"/init", "{\"UserUri\":\"x\"}"}), "", "400 bad_request"},
      {12, "GET", asks({.resource = "/init", .method = "GET"}), "", "405 method"},
      {13, "an RSK of one coordinate",
       [](const Profile& profile) {
         std::string document = one_key_set();
         const std::size_t start = document.find("\"KeyContentType\">04") + 17;
         return read({.keys = document.replace(start, 514, std::string(256, 'A'))}, profile);
       },
       "", "T-13"},
      {13, "keys of another master secret", made_keys({1536, to_octets(view("random")), right}), "", "T-13"},
      {14, "a server asks for a user's keys",
       asks({.resource = "/keyprov/sip%3Auser.001%40alpha.example", .identity = test::kGms}), "",
       "403 identity_not_allowed"},
      {15, "a cache number that is a count",
       [](const Profile&) -> Result<Tally> {
         TRY(check_cache_number(2, 7));
         return Tally();
       },
       "", "T-15"},
      {16, "a date without a zone", init_with("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
       "zoneless-time"},
      {16, "ValidTo is the first second of the next period",
       keys_with("2026-03-30T23:59:59Z", "2026-03-31T00:00:00Z")},
      {16, "valid for twenty years", init_with("2028-01-01T00:00:00Z", "2046-01-01T00:00:00Z")},
      {17, "a resource of its own", asks({"/certupdatequery"}), "", "404 not_found"},
      {18, "other Version values", keys_with("<KmsKeyProv Version=\"1.0.0\"", "<KmsKeyProv Version=\"9\"")},
      {18, "no Version", init_with(" Version=\"1.1.0\"", "")},
      {19, "an offset that a receiver adds",
       [](const Profile&) {
         const auto periods = mcx::KeyPeriods::make(604800, 259200).value();
         return done(periods.number_at(periods.start_of(6582)) == 6582 &&
                     periods.number_at(periods.start_of(6582).plus(-1)) == 6581);
       }},
      {20, "a path that is not percent-encoded", asks({"/keyprov/sip:user.001@alpha.example"})},
      {20, "NTP time in lower case", asks({"/keyprov/sip:user.001@alpha.example/ed4fd71800000000"})},
      {21, "a key in base64", keys_with(kSsk, base64(from_hex(kSsk).value())), "base64-key"},
      {21, "white space inside hex", keys_with(kSsk, std::string(kSsk).insert(20, "\n   ")), "spaced-key"},
      {21, "white space around hex", keys_with(kSsk, "\n  " + std::string(kSsk) + "\n")},
      {22, "a signed answer with the path only",
       signed_with([] { return signed_answer("/keymanagement/identity/v1/keyprov"); }), "req-url-path"},
      {22, "a signed answer to another resource", signed_with([] { return signed_answer(kUrl + "/x"); }), "",
       "ClientReqUrl"},
      {22, "an unsigned answer with a constant",
       keys_with("https://kms.alpha.example/keymanagement/identity/v1/keyprov", "https://constant.example/")},
      {22, "a request with the path only", asks({"/init", request_body("/keymanagement/identity/v1/init")})},
      {22, "a request for another resource",
       asks({"/init", request_body("/keymanagement/identity/v1/keyprov")}), "", "400 bad_request"},
      {23, "an answer for the URI without its scheme",
       [](const Profile& profile) { return read({}, profile, "user.001@alpha.example"); }, "", "T-23"},
      {23, "key sets of the URI without its scheme",
       keys_with("<UserUri>sip:user.001@alpha.example</UserUri>\n        <UserID>",
                 "<UserUri>user.001@alpha.example</UserUri>\n        <UserID>"),
       "", "T-23"},
      {24, "a SIGN payload of length 32",
       [](const Profile&) -> Result<Tally> {
         const auto messages = test::vectors("worked-imessage.json");
         Octets message = test::unhex(messages.at("messages").at("explicit_cs_and_sp"));
         message[message.size() - 130] = 32;
         (void)TRY(mikey::parse(message));
         return Tally();
       },
       "", "TS 33.180 E.1.2"},
      {25, "/keyprov answered with a KmsInit",
       [](const Profile& profile) { return read({.keys = kms_document("init.xml")}, profile); }, "", "T-25"},
  };
}

TEST(KmsTraps, EachIsTakenUnderItsSwitchOrRefusedByNameOrDoesNoHarm) {
  for (const Case& one : cases()) {
    SCOPED_TRACE("T-" + std::to_string(one.trap) + ", " + one.shows);
    const auto strict = one.run(Profile());
    if (*one.needs == '\0' && *one.refused == '\0') {
      ASSERT_TRUE(strict.ok()) << strict.error().text();
      EXPECT_TRUE(strict->empty()) << strict->text();
      continue;
    }
    ASSERT_FALSE(strict.ok());
    EXPECT_FALSE(strict.error().cure.empty());
    if (*one.refused != '\0') {
      EXPECT_THAT(strict.error().text(), HasSubstr(one.refused));
      const auto lenient = one.run(Profile::all_forms());
      ASSERT_FALSE(lenient.ok()) << "whatever is allowed";
      continue;
    }
    EXPECT_THAT(strict.error().cure, HasSubstr("\"" + std::string(one.needs) + "\""));
    EXPECT_THAT(strict.error().cure, HasSubstr("T-" + std::to_string(one.trap)));
    EXPECT_THAT(strict.error().text(), testing::Not(HasSubstr(kSsk))) << "no key in an error";
    Profile profile;
    ASSERT_TRUE(profile.allow(one.needs).ok());
    const auto taken = one.run(profile);
    ASSERT_TRUE(taken.ok()) << taken.error().text();
    const std::string name(std::string(one.needs).substr(0, std::string(one.needs).find(':')));
    EXPECT_EQ(taken->text(), name + " " + std::to_string(one.count)) << "that switch, and no other";
  }
}

TEST(KmsTraps, AreAllInTheTable) {
  std::set<int> found;
  for (const Case& one : cases()) found.insert(one.trap);
  for (int trap = 1; trap <= 25; ++trap) EXPECT_EQ(found.count(trap), 1u) << "T-" << trap;
}

TEST(KmsTraps, EverySwitchIsNeededByACase) {
  std::string needed;
  for (const Case& one : cases()) needed += std::string(one.needs) + " ";
  for (std::size_t i = 0; i < kmsxml::kTolerances; ++i)
    EXPECT_THAT(needed, HasSubstr(std::string(name_of(static_cast<Tolerance>(i)))));
}

TEST(KmsTraps, ASwitchThatTheKmsDoesNotNeedIsNamed) {
  Profile profile;
  ASSERT_TRUE(profile.allow("epoch-1970").ok());
  const auto counted = read({}, profile);
  ASSERT_FALSE(counted.ok());
  EXPECT_THAT(counted.error().cure, HasSubstr("remove epoch-1970"));
  Profile text;
  ASSERT_TRUE(text.allow("uid-as-hex-text").ok());
  const auto made = read({}, text);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().cure, HasSubstr("remove uid-as-hex-text"));
}

TEST(KmsTraps, ListsItsNamesWhenOneIsUnknown) {
  Profile profile;
  const auto refused = profile.allow("hexuid");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
  EXPECT_THAT(refused.error().cure, HasSubstr("hex-uid"));
  EXPECT_THAT(refused.error().cure, HasSubstr("namespace:URI"));
  EXPECT_FALSE(profile.allow("namespace").ok());
  EXPECT_FALSE(profile.allow("namespace:").ok());
  ASSERT_TRUE(profile.allow("hex-uid").ok());
  ASSERT_TRUE(profile.allow("namespace:TOBEDEFINED").ok());
  ASSERT_TRUE(profile.allow("namespace:TOBEDEFINED").ok());
  EXPECT_EQ(profile.text(), "hex-uid, namespace:TOBEDEFINED");
}

}  // namespace
}  // namespace regroup::app
