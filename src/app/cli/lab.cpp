// SPDX-License-Identifier: Apache-2.0
#include "app/cli/lab.hpp"

#include <array>
#include <charconv>
#include <iostream>
#include <span>

#include "base/text.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/random.hpp"
#include "crypto/sakke.hpp"
#include "mcx/guk_id.hpp"
#include "mcx/srtp_keys.hpp"
#include "mcx/uid.hpp"

namespace regroup::app {
namespace {

namespace eccsi = crypto::eccsi;
namespace sakke = crypto::sakke;

using Words = std::span<const std::string_view>;

// ---- fields

Error bad_field(std::string_view field, const std::string& what) {
  return fail(Errc::malformed, "", std::string(field) + " " + what,
              "write the fields as docs/operations.md lists them for the verb");
}

// Every field is held as a secret: half of them are.
Result<SecretOctets> octets(std::string_view word, std::string_view field) {
  Result<SecretOctets> out = secret_from_hex(word);
  if (!out) return bad_field(field, "is not hex of whole octets");
  return out;
}

template <class Key>
Result<Key> key(std::string_view word, std::string_view field) {
  const SecretOctets in = TRY(octets(word, field));
  if (in.size() != Key::size)
    return bad_field(field, "has " + std::to_string(in.size()) + " octets, not " + std::to_string(Key::size));
  return Key(in.expose().first<Key::size>());
}

// A point, its 04 supplied when it is left out.
Result<SecretOctets> point(std::string_view word, std::string_view field, std::size_t size) {
  SecretOctets in = TRY(octets(word, field));
  if (in.size() + 1 != size) return in;
  const std::uint8_t prefix = 0x04;
  SecretOctets out(OctetsView(&prefix, 1));
  out.append(in.expose());
  return out;
}

Result<std::uint32_t> key_id(std::string_view word, std::string_view field) {
  const SecretOctets in = TRY(octets(word, field));
  if (in.size() != 4) return bad_field(field, "has " + std::to_string(in.size()) + " octets, not 4");
  return load_be32(in.expose().first<4>());
}

Result<std::int64_t> number(std::string_view word, std::string_view field, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || value < 0 || value > most)
    return bad_field(field, "is not a decimal number from 0 to " + std::to_string(most));
  return value;
}

Result<eccsi::Kpak> kpak(std::string_view word) {
  const SecretOctets in = TRY(point(word, "KPAK", eccsi::kPoint));
  return eccsi::Kpak::parse(in.expose());
}

Result<sakke::KmsPublicKey> kms_public_key(std::string_view word) {
  const SecretOctets in = TRY(point(word, "Z", sakke::kPoint));
  return sakke::KmsPublicKey::parse(in.expose());
}

Result<sakke::Rsk> rsk(std::string_view word) {
  const SecretOctets in = TRY(point(word, "RSK", sakke::kPoint));
  return sakke::Rsk::parse(in.expose());
}

Result<sakke::MasterSecret> master_secret(std::string_view word) {
  const SecretOctets in = TRY(octets(word, "z"));
  return sakke::parse_master_secret(in.expose());
}

Result<eccsi::Ksak> ksak(std::string_view word) {
  const SecretOctets in = TRY(octets(word, "KSAK"));
  return eccsi::parse_ksak(in.expose());
}

// ---- answers

// One buffer of the right size from the beginning, so that no piece of it stays behind elsewhere.
std::string ok(std::initializer_list<OctetsView> parts) {
  std::size_t size = 2;
  for (const OctetsView part : parts) size += 1 + 2 * part.size();
  std::string out;
  out.reserve(size);
  out += "OK";
  for (const OctetsView part : parts) {
    out += ' ';
    for (const std::uint8_t octet : part) {
      out += "0123456789abcdef"[octet >> 4];
      out += "0123456789abcdef"[octet & 15];
    }
  }
  return out;
}

// A refusal by the mathematics is an answer; octets that could not be read are an error.
template <class T>
Result<std::string> flag(const Result<T>& result) {
  if (!result.ok() && result.error().code == Errc::malformed) return result.error();
  return std::string(result.ok() ? "OK 1" : "OK 0");
}

Result<std::string> answer_z(Words words, Random&) {
  const sakke::MasterSecret z = TRY(master_secret(words[0]));
  return ok({sakke::KmsPublicKey::derive(z).octets()});
}

Result<std::string> answer_rsk(Words words, Random&) {
  const sakke::MasterSecret z = TRY(master_secret(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  const sakke::Rsk extracted = TRY(sakke::extract(z, id.expose()));
  return ok({extracted.octets().expose()});
}

Result<std::string> answer_rskok(Words words, Random&) {
  const sakke::KmsPublicKey kms = TRY(kms_public_key(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  const sakke::Rsk key = TRY(rsk(words[2]));
  return flag(sakke::verify(kms, id.expose(), key));
}

Result<std::string> answer_enc(Words words, Random&) {
  const sakke::KmsPublicKey kms = TRY(kms_public_key(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  const SecretOctets ssv = TRY(octets(words[2], "ssv"));
  const sakke::Recipient recipient{id.expose(), &kms};
  const std::vector<Octets> out = TRY(sakke::encapsulate(ssv.expose(), {&recipient, 1}));
  return ok({out.front()});
}

Result<std::string> answer_dec(Words words, Random&) {
  const sakke::KmsPublicKey kms = TRY(kms_public_key(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  const sakke::Rsk key = TRY(rsk(words[2]));
  const SecretOctets data = TRY(octets(words[3], "sed"));
  const std::size_t size = data.size() == sakke::kPoint + 32 ? 32 : 16;
  const SecretOctets ssv = TRY(sakke::decapsulate(kms, id.expose(), key, data.expose(), size));
  return ok({ssv.expose()});
}

Result<std::string> answer_kpak(Words words, Random&) {
  const eccsi::Ksak secret = TRY(ksak(words[0]));
  return ok({eccsi::Kpak::derive(secret).octets()});
}

Result<std::string> answer_pair(Words words, Random& random) {
  const eccsi::Ksak secret = TRY(ksak(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  const eccsi::UserKey user = eccsi::UserKey::make(secret, eccsi::Kpak::derive(secret), id.expose(), random);
  return ok({user.ssk().expose(), user.pvt()});
}

Result<eccsi::UserKey> user_key(Words words) {
  const eccsi::Kpak kms = TRY(kpak(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  eccsi::Ssk ssk = TRY(key<eccsi::Ssk>(words[2], "SSK"));
  const SecretOctets pvt = TRY(point(words[3], "PVT", eccsi::kPoint));
  return eccsi::UserKey::validate(kms, id.expose(), std::move(ssk), pvt.expose());
}

Result<std::string> answer_pairok(Words words, Random&) { return flag(user_key(words)); }

Result<std::string> answer_sign(Words words, Random& random) {
  const eccsi::UserKey user = TRY(user_key(words));
  const SecretOctets message = TRY(octets(words[4], "msg"));
  return ok({eccsi::sign(user, message.expose(), random)});
}

Result<std::string> answer_ver(Words words, Random&) {
  const eccsi::Kpak kms = TRY(kpak(words[0]));
  const SecretOctets id = TRY(octets(words[1], "id"));
  const SecretOctets message = TRY(octets(words[2], "msg"));
  const SecretOctets signature = TRY(octets(words[3], "sig"));
  return flag(eccsi::verify(kms, id.expose(), message.expose(), signature.expose()));
}

Result<std::string> answer_uid(Words words, Random&) {
  constexpr std::int64_t kMost = INT64_MAX;
  const SecretOctets uri = TRY(octets(words[0], "uri"));
  const SecretOctets kms = TRY(octets(words[1], "kms"));
  const std::int64_t period = TRY(number(words[2], "period", kMost));
  const std::int64_t offset = TRY(number(words[3], "offset", kMost));
  const std::int64_t period_no = TRY(number(words[4], "number", kMost));
  return ok({mcx::uid(text_of(uri.expose()), text_of(kms.expose()), period, offset, period_no)});
}

Result<std::string> answer_guk(Words words, Random&) {
  const mcx::Gmk gmk = mcx::Gmk(TRY(key<Secret<16>>(words[0], "gmk")).expose());
  const mcx::GmkId id{TRY(key_id(words[1], "gmkid"))};
  const SecretOctets uri = TRY(octets(words[2], "uri"));
  return ok({mcx::guk_id(gmk.expose(), id, text_of(uri.expose())).octets()});
}

Result<std::string> answer_srtp(Words words, Random&) {
  const Secret<16> gmk = TRY(key<Secret<16>>(words[0], "gmk"));
  const SecretOctets rand = TRY(octets(words[1], "rand"));
  const std::int64_t cs_id = TRY(number(words[2], "csid", 255));
  const std::uint32_t sender = TRY(key_id(words[3], "gukid"));
  const mcx::SrtpKeys keys =
      mcx::srtp_keys(gmk.expose(), static_cast<std::uint8_t>(cs_id), sender, rand.expose());
  return ok({keys.key.expose(), keys.salt.expose()});
}

struct Verb {
  std::string_view name;
  std::size_t fields;
  Result<std::string> (*answer)(Words, Random&);
  std::string_view takes, gives;  // for people
};
constexpr std::array<Verb, 13> kVerbs = {{
    {"Z", 1, answer_z, "z", "Z"},
    {"RSK", 2, answer_rsk, "z id", "RSK"},
    {"RSKOK", 3, answer_rskok, "Z id RSK", "1 if the RSK is that of Z and id, else 0"},
    {"ENC", 3, answer_enc, "Z id ssv", "sed"},
    {"DEC", 4, answer_dec, "Z id RSK sed", "ssv"},
    {"KPAK", 1, answer_kpak, "KSAK", "KPAK"},
    {"PAIR", 2, answer_pair, "KSAK id", "SSK PVT"},
    {"PAIROK", 4, answer_pairok, "KPAK id SSK PVT", "1 if the pair is that of KPAK and id, else 0"},
    {"SIGN", 5, answer_sign, "KPAK id SSK PVT msg", "sig"},
    {"VER", 4, answer_ver, "KPAK id msg sig", "1 if the signature holds, else 0"},
    {"UID", 5, answer_uid, "uri kms period offset number", "UID, 32 octets"},
    {"GUK", 3, answer_guk, "gmk gmkid uri", "GUK-ID, 4 octets"},
    {"SRTP", 4, answer_srtp, "gmk rand csid gukid", "SRTP master key, 16 octets, and salt, 12"},
}};
constexpr std::size_t kMostWords = 8;

Result<std::string> answer(Words words, Random& random) {
  for (const Verb& verb : kVerbs) {
    if (verb.name != words[0]) continue;
    if (words.size() == verb.fields + 1) return verb.answer(words.subspan(1), random);
    return fail(Errc::usage, "",
                std::string(verb.name) + " takes " + std::to_string(verb.fields) + " fields, not " +
                    std::to_string(words.size() - 1),
                "write " + std::string(verb.name) + " " + std::string(verb.takes));
  }
  return fail(Errc::usage, "", "no such verb", "regroup lab --help lists them");
}

// The words of a line; one more than kMostWords when there are too many.
std::size_t split(std::string_view line, std::array<std::string_view, kMostWords + 1>& words) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::size_t count = 0;
  std::size_t at = line.find_first_not_of(kBlank);
  while (at != std::string_view::npos && count < words.size()) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words[count++] = line.substr(at, end - at);
    at = line.find_first_not_of(kBlank, end);
  }
  return count;
}

void wipe_text(std::string& text) {
  wipe(text.data(), text.size());
  text.clear();
}

}  // namespace

std::string lab_help() {
  std::string out =
      "One line in, one line out: VERB FIELD ... gives OK ANSWER ... or ERR TEXT. A line of white space is\n"
      "skipped and gets no answer.\n\n";
  for (const Verb& verb : kVerbs)
    out += "  " + std::string(verb.name) + " " + std::string(verb.takes) + "  ->  " +
           std::string(verb.gives) + "\n";
  return out + R"(
Octets and texts (id, msg, uri, kms) in hex, points with or without their 04, numbers in decimal.
  z, Z, RSK          KMS master secret, up to 128 octets; KMS public key and receiver key, points of 256 (RFC 6508)
  ssv, sed           shared secret, 16 octets; SAKKE encapsulated data, 257 + 16 (DEC: also 32 and 257 + 32)
  KSAK, SSK          32 octets; KPAK, PVT: points of 64; sig: 129 octets (RFC 6507)
  id                 the identifier: in MIKEY-SAKKE the UID, 32 octets
  uri, kms           identity and KmsUri; period, offset in seconds, number of the key period (TS 33.179 F.2.1)
  gmk, gmkid, gukid  16 octets, 4, 4 (TS 33.179 F.1.3)
  rand, csid         RAND of the key message; CS ID, 0 to 255 (TS 33.179 7.4.2)
)";
}

std::string answer_lab_line(std::string_view line, Random& random) {
  if (line.size() > kMostLabLine) return "ERR limit: a line has at most 65536 octets";
  std::array<std::string_view, kMostWords + 1> words;
  const std::size_t count = split(line, words);
  if (count == 0) return {};
  Result<std::string> result = answer(Words(words).first(count), random);
  if (result) return std::move(result).value();
  return "ERR " + printable(result.error().text(), 400);
}

int run_lab(std::istream& in, std::ostream& out, Random& random) {
  std::string line;
  line.reserve(kMostLabLine + 1);  // never moves, so that one wipe reaches all of it
  while (in.good() && out.good()) {
    for (int c = in.get(); c != std::istream::traits_type::eof() && c != '\n'; c = in.get())
      if (line.size() <= kMostLabLine) line += static_cast<char>(c);
    std::string answer = answer_lab_line(line, random);
    wipe_text(line);
    if (!answer.empty()) out << answer << '\n' << std::flush;
    wipe_text(answer);
  }
  return out.good() ? 0 : 1;
}

int run_lab() {
  crypto::SystemRandom random;
  return run_lab(std::cin, std::cout, random);
}

}  // namespace regroup::app
