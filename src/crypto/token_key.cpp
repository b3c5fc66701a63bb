// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_key.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "crypto/aead.hpp"
#include "crypto/token_module.hpp"

namespace regroup::crypto {
namespace {

constexpr std::size_t kIv = 12;
constexpr std::size_t kKeyOctets = 32;
constexpr std::size_t kMostLabel = 64;
constexpr std::size_t kMostId = 64;
constexpr std::size_t kMostSealed = 512;

Error bad_key(Errc code, const std::string& key, const std::string& what, std::string cure) {
  return fail(code, kTokenClause, "the token's key " + printable(key) + " " + what, std::move(cure));
}

template <class T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof value};
}
// The interface knows no const.
std::uint8_t* writable(OctetsView octets) { return const_cast<std::uint8_t*>(octets.data()); }
CK_ATTRIBUTE octets_attribute(CK_ATTRIBUTE_TYPE type, OctetsView octets) {
  return {type, writable(octets), octets.size()};
}

// The secret keys of that label, and of that CKA_ID unless it is empty; two are enough to see that it is not
// one.
Result<std::vector<CK_OBJECT_HANDLE>> find_keys(const TokenSession& session, const std::string& label,
                                                OctetsView id) {
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  std::array wanted{attribute(CKA_CLASS, kind), octets_attribute(CKA_LABEL, view(label)),
                    octets_attribute(CKA_ID, id)};
  std::vector<CK_OBJECT_HANDLE> found(2);
  CK_ULONG count = 0;
  CK_RV rv = session.call().C_FindObjectsInit(session.handle(), wanted.data(), id.empty() ? 2 : 3);
  if (rv == CKR_OK) {
    rv = session.call().C_FindObjects(session.handle(), found.data(), found.size(), &count);
    session.call().C_FindObjectsFinal(session.handle());
  }
  if (rv != CKR_OK)
    return bad_key(Errc::storage, label, "cannot be looked for: " + name_of_rv(rv),
                   "check the token with its own tool");
  found.resize(std::min<std::size_t>(count, found.size()));
  return found;
}

// An attribute of one value; none when the token does not say.
template <class T>
std::optional<T> read(const TokenSession& session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type) {
  T value{};
  CK_ATTRIBUTE wanted = attribute(type, value);
  if (session.call().C_GetAttributeValue(session.handle(), key, &wanted, 1) != CKR_OK) return {};
  if (wanted.ulValueLen != sizeof value) return {};
  return value;
}

// What a key must be before anything is trusted to it. Looked at each time: it may have been exchanged.
Result<void> check_key(const TokenSession& session, CK_OBJECT_HANDLE key, const std::string& label) {
  if (read<CK_KEY_TYPE>(session, key, CKA_KEY_TYPE) != CKK_AES ||
      read<CK_ULONG>(session, key, CKA_VALUE_LEN) != kKeyOctets)
    return bad_key(Errc::unsupported, label, "is not an AES key of 256 bits",
                   "name a label that no key has: the key is made then");
  struct Demand {
    CK_ATTRIBUTE_TYPE type;
    CK_BBOOL value;
    const char* otherwise;
  };
  constexpr std::array kDemands{Demand{CKA_EXTRACTABLE, 0, "can be taken out of the token (CKA_EXTRACTABLE)"},
                                Demand{CKA_SENSITIVE, 1, "can be read in the token (not CKA_SENSITIVE)"},
                                Demand{CKA_PRIVATE, 1, "can be used without a PIN (not CKA_PRIVATE)"},
                                Demand{CKA_TOKEN, 1, "does not outlive its session (not CKA_TOKEN)"},
                                Demand{CKA_ENCRYPT, 1, "may not encrypt (not CKA_ENCRYPT)"},
                                Demand{CKA_DECRYPT, 1, "may not decrypt (not CKA_DECRYPT)"}};
  for (const Demand& demand : kDemands)
    if (read<CK_BBOOL>(session, key, demand.type) != demand.value)
      return bad_key(Errc::unsupported, label, demand.otherwise,
                     "name a label that no key has: one that cannot leave the token is made then");
  return {};
}

Result<Octets> id_of(const TokenSession& session, CK_OBJECT_HANDLE key, const std::string& label) {
  CK_ATTRIBUTE wanted{CKA_ID, nullptr, 0};
  const auto ask = [&] {
    return session.call().C_GetAttributeValue(session.handle(), key, &wanted, 1) == CKR_OK;
  };
  if (ask() && wanted.ulValueLen <= kMostId) {
    Octets id(wanted.ulValueLen);
    wanted.pValue = id.data();
    if (id.empty() || ask()) return id;
  }
  return bad_key(Errc::storage, label, "has no CKA_ID of at most 64 octets",
                 "name a label that no key has: the key is made then");
}

Result<CK_OBJECT_HANDLE> generate(const TokenSession& session, const std::string& label, Random& random) {
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_AES;
  CK_ULONG size = kKeyOctets;
  CK_BBOOL yes = 1, no = 0;
  const Fixed<16> id = random.octets<16>();
  std::array about{attribute(CKA_CLASS, kind),     attribute(CKA_KEY_TYPE, type),
                   attribute(CKA_VALUE_LEN, size), octets_attribute(CKA_LABEL, view(label)),
                   octets_attribute(CKA_ID, id),   attribute(CKA_TOKEN, yes),
                   attribute(CKA_PRIVATE, yes),    attribute(CKA_SENSITIVE, yes),
                   attribute(CKA_EXTRACTABLE, no), attribute(CKA_ENCRYPT, yes),
                   attribute(CKA_DECRYPT, yes),    attribute(CKA_WRAP, no),
                   attribute(CKA_UNWRAP, no)};
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv =
      session.call().C_GenerateKey(session.handle(), &mechanism, about.data(), about.size(), &key);
  if (rv == CKR_OK) return key;
  return bad_key(Errc::storage, label, "cannot be made: " + name_of_rv(rv),
                 "check that the token makes AES-256 keys and has room");
}

// The parameters of one GCM operation. The token may put an IV of its own in the place of ours.
struct Gcm {
  Gcm(OctetsView iv_octets, OctetsView associated) {
    std::copy(iv_octets.begin(), iv_octets.end(), iv.begin());
    parameters.pIv = iv.data();
    parameters.ulIvLen = iv.size();
    parameters.ulIvBits = 8 * iv.size();
    parameters.pAAD = writable(associated);
    parameters.ulAADLen = associated.size();
    parameters.ulTagBits = 8 * kGcmTag;
  }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  Fixed<kIv> iv{};
  CK_GCM_PARAMS parameters{};
  CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
};

}  // namespace

struct TokenKey::Held {
  TokenSession session;
  CK_OBJECT_HANDLE key;
};

TokenKey::TokenKey(std::unique_ptr<Held> held, TokenKeyName name)
    : held_(std::move(held)), name_(std::move(name)) {}
TokenKey::TokenKey(TokenKey&&) noexcept = default;
TokenKey::~TokenKey() = default;

Result<TokenKey> TokenKey::make(const TokenDoor& door, const std::string& token, const std::string& key,
                                Random& random) {
  if (key.empty() || key.size() > kMostLabel)
    return bad_key(Errc::usage, key, "has a label of " + std::to_string(key.size()) + " octets",
                   "name it with 1 to 64 octets");
  TokenSession session = TRY(TokenSession::open(door, token, {}, TokenSessionMode::changing));
  std::vector<CK_OBJECT_HANDLE> found = TRY(find_keys(session, key, {}));
  if (found.size() > 1)
    return bad_key(Errc::conflict, key, "is there more than once", "give each key a label of its own");
  if (found.empty()) found.push_back(TRY(generate(session, key, random)));
  TRY(check_key(session, found[0], key));
  Octets id = TRY(id_of(session, found[0], key));
  TokenKeyName name{session.label(), session.serial(), key, std::move(id)};
  return TokenKey(std::make_unique<Held>(Held{std::move(session), found[0]}), std::move(name));
}

Result<TokenKey> TokenKey::open(const TokenDoor& door, const TokenKeyName& name) {
  TokenSession session = TRY(TokenSession::open(door, name.token, name.serial, TokenSessionMode::reading));
  const std::vector<CK_OBJECT_HANDLE> found = TRY(find_keys(session, name.key, name.id));
  if (found.empty())
    return bad_key(Errc::storage, name.key, "is not in the token " + printable(name.token),
                   "use the token with that key, or one into which it was cloned");
  if (found.size() > 1)
    return bad_key(Errc::storage, name.key, "is in the token more than once",
                   "remove the one that does not belong there");
  TRY(check_key(session, found[0], name.key));
  return TokenKey(std::make_unique<Held>(Held{std::move(session), found[0]}), name);
}

Result<Octets> TokenKey::seal(OctetsView associated, OctetsView plaintext, Random& random) {
  const TokenSession& session = held_->session;
  Gcm gcm(random.octets<kIv>(), associated);
  Octets out(plaintext.size() + kGcmTag);
  CK_ULONG size = out.size();
  CK_RV rv = session.call().C_EncryptInit(session.handle(), &gcm.mechanism, held_->key);
  if (rv == CKR_OK)
    rv = session.call().C_Encrypt(session.handle(), writable(plaintext), plaintext.size(), out.data(), &size);
  if (rv == CKR_OK && size == out.size()) {
    out.insert(out.begin(), gcm.iv.begin(), gcm.iv.end());
    return out;
  }
  return bad_key(Errc::unsupported, name_.key, "does not encrypt: " + name_of_rv(rv),
                 "use a token that has CKM_AES_GCM");
}

Result<SecretOctets> TokenKey::open(OctetsView associated, OctetsView sealed) {
  const TokenSession& session = held_->session;
  CK_RV rv = CKR_ENCRYPTED_DATA_LEN_RANGE;
  if (sealed.size() >= kIv + kGcmTag && sealed.size() <= kMostSealed) {
    Gcm gcm(sealed.first(kIv), associated);
    const OctetsView body = sealed.subspan(kIv);
    SecretOctets out(body.size());  // some tokens ask for room for the tag too
    CK_ULONG size = out.size();
    rv = session.call().C_DecryptInit(session.handle(), &gcm.mechanism, held_->key);
    if (rv == CKR_OK)
      rv = session.call().C_Decrypt(session.handle(), writable(body), body.size(),
                                    out.expose_mutable().data(), &size);
    if (rv == CKR_OK && size == body.size() - kGcmTag) return SecretOctets(out.expose().first(size));
  }
  return bad_key(
      Errc::undecryptable, name_.key, "does not open what is sealed here: " + name_of_rv(rv),
      "use the token with the key that sealed it, and check that it works; if it does, restore the "
      "last backup");
}

bool token_keys_are_built() noexcept { return true; }

}  // namespace regroup::crypto
