// SPDX-License-Identifier: Apache-2.0
#include "app/kms/store_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <vector>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/secret_file.hpp"
#include "storage/file_lock.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kManual = "docs/operations.md, kms";
constexpr std::size_t kMostMemory = 16384;
using Lines = std::vector<std::string>;

bool exists(const std::string& path) {
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0;
}

// What the directory remembers about one of the two.
struct Memory {
  std::string path;
  const char* what;
  const char* options;
  std::size_t names;  // so many lines
};

Memory memory_of(const std::string& directory, bool token) {
  if (token)
    return {directory + "/token-files", "module and PIN file of its token are",
            "name them with --pkcs11-module FILE and --pin-file FILE", 2};
  return {directory + "/passphrase-file", "passphrase file is", "name it with --passphrase-file FILE", 1};
}

// Ties what is remembered to the header that it opens.
std::string id_of(OctetsView header) { return hex(OctetsView(crypto::sha256(header)).first(16)); }

Result<Lines> lines_of(const Memory& memory, const std::string& path) {
  const SecretOctets whole = TRY(crypto::read_secret_file(path, "file", kMostMemory, memory.options));
  std::istringstream text{std::string(text_of(whole.expose()))};
  Lines out;
  for (std::string line; std::getline(text, line);) out.push_back(line);
  return out;
}

// The names that hold for a store with that header.
Result<Lines> remembered(const Memory& memory, OctetsView header) {
  const std::string next = memory.path + ".new";  // left by a command that was cut off
  if (exists(next)) {
    Lines lines = TRY(lines_of(memory, next));
    if (lines.size() == memory.names + 1 && lines.back() == id_of(header)) return lines;
  }
  if (exists(memory.path)) {
    Lines lines = TRY(lines_of(memory, memory.path));
    if (lines.size() >= memory.names && !lines[0].empty()) return lines;
  }
  return fail(Errc::usage, kManual,
              printable(storage::folder_of(memory.path)) + " does not say where the " + memory.what,
              memory.options);
}

Result<std::string> passphrase_file_of(const std::string& directory, const StoreKey& key, OctetsView header) {
  if (!key.passphrase_file.empty()) return key.passphrase_file;
  const Memory memory = memory_of(directory, false);
  std::string name = TRY(remembered(memory, header))[0];
  std::error_code ignored;
  if (std::filesystem::exists(name, ignored)) return name;
  return fail(
      Errc::usage, kManual,
      "the passphrase file " + printable(name) + ", which " + printable(memory.path) + " names, is gone",
      "bring it back, or name its new place with --passphrase-file FILE; a new passphrase opens nothing");
}

Result<crypto::TokenDoor> door_of(const std::string& directory, const TokenOptions& token,
                                  OctetsView header) {
  crypto::TokenDoor door{token.module, token.pin_file};
  if (!door.module.empty() && !door.pin_file.empty()) return door;
  const Lines lines = TRY(remembered(memory_of(directory, true), header));
  if (door.module.empty()) door.module = lines[0];
  if (door.pin_file.empty()) door.pin_file = lines[1];
  return door;
}

Result<void> need_all_of(const TokenOptions& token) {
  for (const auto& [value, option] :
       {std::pair(&token.module, "--pkcs11-module"), std::pair(&token.token, "--pkcs11-token"),
        std::pair(&token.key, "--pkcs11-key"), std::pair(&token.pin_file, "--pin-file")})
    if (value->empty())
      return fail(Errc::usage, kManual, std::string(option) + " is missing",
                  "a token takes --pkcs11-module, --pkcs11-token, --pkcs11-key and --pin-file");
  return {};
}

Error both() {
  return fail(Errc::usage, kManual, "a passphrase file and a token are named",
              "a store has one of them: leave out the other");
}

Result<std::string> absolute(const std::string& name) {
  std::error_code code;
  std::string out = std::filesystem::absolute(name, code).lexically_normal().string();
  if (!code) return out;
  return fail(Errc::storage, kManual, printable(name) + " has no absolute name: " + code.message(),
              "name it with its whole path");
}

Result<std::string> text_to_remember(const StoreKey& key) {
  if (!key.token.any()) return TRY(absolute(key.passphrase_file)) + "\n";
  const std::string module = TRY(absolute(key.token.module));
  return module + "\n" + TRY(absolute(key.token.pin_file)) + "\n";
}

Result<void> write_memory(const std::string& path, const std::string& text) {
  ::unlink(path.c_str());  // of a KMS that was here before, or of a command that was cut off
  const storage::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.ok() && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0)
    return storage::sync_path(storage::folder_of(path));
  return fail(Errc::storage, kManual, printable(path) + " cannot be written: " + std::strerror(errno),
              "check the space and rights of the directory; until then name what opens the store each time");
}

}  // namespace

Result<crypto::Vault> make_vault(const StoreKey& key, Random& random) {
  const TokenOptions& token = key.token;
  if (token.any()) {
    if (!key.passphrase_file.empty()) return both();
    TRY(need_all_of(token));
    crypto::TokenKey held =
        TRY(crypto::TokenKey::make({token.module, token.pin_file}, token.token, token.key, random));
    return crypto::make_token_vault(held, kKmsPurpose, random);
  }
  if (key.passphrase_file.empty())
    return fail(Errc::usage, kManual, "--passphrase-file is missing",
                "name one, or a token with --pkcs11-module, --pkcs11-token, --pkcs11-key and --pin-file");
  const SecretOctets passphrase = TRY(crypto::read_passphrase_file(key.passphrase_file));
  return crypto::Vault::make(passphrase.expose(), random);
}

Result<crypto::Vault> open_vault(const std::string& directory, const StoreKey& key, OctetsView header) {
  if (key.token.any() && !key.passphrase_file.empty()) return both();
  if (crypto::is_token_vault(header)) {
    if (!key.passphrase_file.empty())
      return fail(Errc::usage, kManual,
                  "the store is sealed with " + sealing_of(header) + ", not a passphrase",
                  "leave out --passphrase-file; regroup kms seal changes what a store is sealed with");
    const crypto::TokenVaultHeader parsed = TRY(crypto::TokenVaultHeader::parse(header));
    return crypto::open_token_vault(parsed, kKmsPurpose, TRY(door_of(directory, key.token, header)));
  }
  if (key.token.any())
    return fail(
        Errc::usage, kManual, "the store is sealed with a passphrase, not by a token",
        "leave out --pkcs11-module and --pin-file; regroup kms seal changes what a store is sealed with");
  const crypto::VaultHeader parsed = TRY(crypto::VaultHeader::parse(header));
  const SecretOctets passphrase =
      TRY(crypto::read_passphrase_file(TRY(passphrase_file_of(directory, key, header))));
  return crypto::Vault::open(parsed, passphrase.expose());
}

Result<void> remember_store_key(const std::string& directory, const StoreKey& key) {
  return write_memory(memory_of(directory, key.token.any()).path, TRY(text_to_remember(key)));
}

Result<void> remember_next_store_key(const std::string& directory, const StoreKey& key,
                                     OctetsView next_header) {
  return write_memory(memory_of(directory, key.token.any()).path + ".new",
                      TRY(text_to_remember(key)) + id_of(next_header) + "\n");
}

Result<void> forget_former_store_key(const std::string& directory, const StoreKey& key) {
  const Memory memory = memory_of(directory, key.token.any());
  const Memory other = memory_of(directory, !key.token.any());
  ::unlink(other.path.c_str());
  ::unlink((other.path + ".new").c_str());
  if (std::rename((memory.path + ".new").c_str(), memory.path.c_str()) == 0)
    return storage::sync_path(directory);
  return fail(Errc::storage, kManual, printable(memory.path) + " cannot be written: " + std::strerror(errno),
              "the store is sealed anew and opens all the same; check the rights of the directory");
}

std::string sealing_of(OctetsView header) {
  if (!crypto::is_token_vault(header)) return "a passphrase";
  const auto parsed = crypto::TokenVaultHeader::parse(header);
  if (!parsed.ok()) return "a key in a token";
  return "the key " + printable(parsed->name.key, 64) + " in the token " + printable(parsed->name.token, 32);
}

}  // namespace regroup::app
