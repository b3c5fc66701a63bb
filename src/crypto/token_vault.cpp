// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_vault.hpp"

#include <algorithm>

#include "base/wire.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::crypto {
namespace {

constexpr std::string_view kClause = "docs/formats.md, vault header";

struct Layout {
  // What the seal covers.
  template <class Io, class Self>
  static void facts(Io& io, Self& header) {
    io.uint(1, "version", header.version);
    io.fixed("store", header.store);
    io.counted(1, "token label", header.name.token);
    io.counted(1, "token serial number", header.name.serial);
    io.counted(1, "key label", header.name.key);
    io.counted(1, "CKA_ID", header.name.id);
  }
  template <class Io, class Self>
  static void wire(Io& io, Self& header) {
    facts(io, header);
    io.fixed("sealed key", header.sealed);
    io.fixed("checksum", header.sum);
  }
};

Octets facts_of(const TokenVaultHeader& header) {
  Writer writer;
  Layout::facts(writer, header);
  return std::move(writer).octets();
}

Fixed<4> sum_of(const TokenVaultHeader& header) {
  const Fixed<32> digest = sha256({view("regroup vault header"), facts_of(header), header.sealed});
  Fixed<4> out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

Octets associated_data(const TokenVaultHeader& header, std::string_view purpose) {
  Octets out = to_octets(view("regroup token vault"));
  out.push_back(0);
  append(out, view(purpose));
  out.push_back(0);
  append(out, facts_of(header));
  return out;
}

}  // namespace

Octets TokenVaultHeader::write() const {
  Writer writer;
  Layout::wire(writer, *this);
  return std::move(writer).octets();
}

Result<TokenVaultHeader> TokenVaultHeader::parse(OctetsView octets) {
  Reader reader(octets, kClause);
  TokenVaultHeader header;
  Layout::wire(reader, header);
  TRY(reader.finish());
  if (header.version != kVersion)
    return fail(Errc::unsupported, kClause, "vault version " + std::to_string(header.version),
                "open it with the program that wrote it");
  if (header.sum != sum_of(header))
    return fail(Errc::storage, kClause, "the checksum of the vault header does not fit",
                "restore the store from its last backup; the token cannot repair it");
  return header;
}

bool is_token_vault(OctetsView header) noexcept {
  return !header.empty() && header[0] == TokenVaultHeader::kVersion;
}

Result<Vault> make_token_vault(TokenKey& key, std::string_view purpose, Random& random) {
  TokenVaultHeader header;
  header.name = key.name();
  random.fill(header.store);
  Secret<32> kek;
  random.fill(kek.expose_mutable());
  const Octets sealed = TRY(key.seal(associated_data(header, purpose), kek.expose(), random));
  RG_ASSERT(sealed.size() == header.sealed.size());
  std::copy(sealed.begin(), sealed.end(), header.sealed.begin());
  header.sum = sum_of(header);
  return Vault::of_key(std::move(kek), header.write());
}

Result<Vault> open_token_vault(const TokenVaultHeader& header, std::string_view purpose,
                               const TokenDoor& door) {
  TokenKey key = TRY(TokenKey::open(door, header.name));
  const SecretOctets kek = TRY(key.open(associated_data(header, purpose), header.sealed));
  if (kek.size() != Secret<32>::size)
    return fail(Errc::undecryptable, kClause, "the token opens the sealed key to another length",
                "restore the store from its last backup");
  return Vault::of_key(Secret<32>(kek.expose().first<32>()), header.write());
}

}  // namespace regroup::crypto
