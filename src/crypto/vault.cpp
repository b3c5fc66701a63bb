// SPDX-License-Identifier: Apache-2.0
#include "crypto/vault.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"
#include "base/wire.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/secret_file.hpp"

namespace regroup::crypto {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIv = 12;
constexpr std::size_t kKeyed =
    12;  // octets of `check` that know the passphrase; the other four are a checksum
constexpr std::size_t kMostPassphrase = 4096;

struct Layout {
  template <class Io, class Self>
  static void wire(Io& io, Self& header) {
    io.uint(1, "version", header.version);
    io.uint(1, "log2_n", header.log2_n);
    io.fixed("salt", header.salt);
    io.fixed("check", header.check);
  }
};

Error damaged_header(std::string detail) {
  return fail(Errc::storage, "docs/formats.md, vault header", std::move(detail),
              "restore the store from its last backup; the passphrase cannot repair it");
}

Fixed<4> checksum(const VaultHeader& header) {
  const Fixed<2> numbers = {header.version, header.log2_n};
  const OctetsView keyed = OctetsView(header.check).first(kKeyed);
  const Fixed<32> digest = sha256({view("regroup vault header"), numbers, header.salt, keyed});
  Fixed<4> out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

Result<void> examine(const VaultHeader& header) {
  if (header.version != kVersion)
    return fail(Errc::unsupported, "docs/formats.md, vault header",
                "vault version " + std::to_string(header.version), "open it with the program that wrote it");
  if (header.log2_n < kVaultLeastLog2N || header.log2_n > kVaultMostLog2N)
    return damaged_header("scrypt cost log2_n = " + std::to_string(header.log2_n) + " is not in 10..20");
  const Fixed<4> expected = checksum(header);
  if (!std::equal(expected.begin(), expected.end(), header.check.begin() + kKeyed))
    return damaged_header("the checksum of the vault header does not fit");
  return {};
}

// 64 octets of scrypt: the key-encryption key, and a key for `check` that says nothing about it.
struct Derived {
  Secret<32> kek;
  Fixed<kKeyed> keyed;
};

Result<Derived> derive(const VaultHeader& header, OctetsView passphrase) {
  constexpr std::uint64_t kR = 8, kP = 1;
  const std::uint64_t n = std::uint64_t{1} << header.log2_n;
  const std::uint64_t most_memory = 128 * kR * (n + kP + 2) + (std::uint64_t{1} << 20);
  Secret<64> both;
  const auto out = both.expose_mutable();
  if (EVP_PBE_scrypt(reinterpret_cast<const char*>(passphrase.data()), passphrase.size(), header.salt.data(),
                     header.salt.size(), n, kR, kP, most_memory, out.data(), out.size()) != 1) {
    ERR_clear_error();
    return fail(Errc::limit, "RFC 7914", "scrypt could not get " + std::to_string(n >> 10) + " MiB of memory",
                "give the process more memory");
  }
  const Secret<32> mac = hmac_sha256(out.last<32>(), view("regroup vault check"));
  Derived derived{Secret<32>(out.first<32>()), {}};
  std::copy_n(mac.expose().begin(), kKeyed, derived.keyed.begin());
  return derived;
}

Octets associated_data(std::string_view context) {
  Octets out = to_octets(view("regroup vault 1"));
  out.push_back(0);
  append(out, view(context));
  return out;
}

}  // namespace

Octets VaultHeader::write() const {
  Writer writer;
  Layout::wire(writer, *this);
  return std::move(writer).octets();
}

Result<VaultHeader> VaultHeader::parse(OctetsView octets) {
  Reader reader(octets, "docs/formats.md, vault header");
  VaultHeader header;
  Layout::wire(reader, header);
  TRY(reader.finish());
  TRY(examine(header));
  return header;
}

Vault Vault::make(OctetsView passphrase, Random& random, std::uint8_t log2_n) {
  VaultHeader header;
  header.log2_n = std::clamp(log2_n, kVaultLeastLog2N, kVaultMostLog2N);
  random.fill(header.salt);
  Result<Derived> derived = derive(header, passphrase);
  if (!derived) std::abort();  // no memory for the key: nothing may be stored
  std::copy(derived->keyed.begin(), derived->keyed.end(), header.check.begin());
  const Fixed<4> sum = checksum(header);
  std::copy(sum.begin(), sum.end(), header.check.begin() + kKeyed);
  return Vault(header, std::move(derived->kek));
}

Result<Vault> Vault::open(const VaultHeader& header, OctetsView passphrase) {
  TRY(examine(header));
  Derived derived = TRY(derive(header, passphrase));
  if (!ct_equal(derived.keyed, OctetsView(header.check).first(kKeyed)))
    return fail(Errc::not_authorised, "docs/formats.md, vault header",
                "the passphrase is not the one of this store",
                "name the passphrase file that the store was made with");
  return Vault(header, std::move(derived.kek));
}

Vault Vault::of_key(Secret<32> key, Octets header) { return Vault(std::move(header), std::move(key)); }

const VaultHeader& Vault::header() const {
  RG_ASSERT(std::holds_alternative<VaultHeader>(header_));
  return *std::get_if<VaultHeader>(&header_);
}

Octets Vault::header_octets() const {
  const auto* const other = std::get_if<Octets>(&header_);
  return other ? *other : header().write();
}

Octets Vault::seal(std::string_view context, OctetsView plaintext, Random& random) const {
  const Fixed<kIv> iv = random.octets<kIv>();
  Octets out = to_octets(iv);
  append(out, gcm_seal(kek_.expose(), iv, associated_data(context), plaintext));
  return out;
}

Result<SecretOctets> Vault::open(std::string_view context, OctetsView sealed) const {
  if (sealed.size() < kIv + kGcmTag)
    return fail(Errc::undecryptable, "docs/formats.md, sealed values",
                "sealed value " + printable(context) + " is cut short",
                "restore the store from its last backup");
  Result<SecretOctets> out =
      gcm_open(kek_.expose(), sealed.first(kIv), associated_data(context), sealed.subspan(kIv));
  if (out) return out;
  return fail(Errc::undecryptable, "docs/formats.md, sealed values",
              "sealed value " + printable(context) + " is damaged, or was moved here from another place",
              "restore the store from its last backup");
}

Result<SecretOctets> read_passphrase_file(const std::string& path) {
  return read_secret_line(path, "passphrase file", kMostPassphrase,
                          "make one: (umask 077; openssl rand -base64 32 > " + printable(path) + ")");
}

}  // namespace regroup::crypto
