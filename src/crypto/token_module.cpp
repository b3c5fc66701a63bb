// SPDX-License-Identifier: Apache-2.0
#include "crypto/token_module.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/text.hpp"
#include "crypto/secret_file.hpp"

namespace regroup::crypto {
namespace {

constexpr const char* kNameTheModule =
    "name the PKCS#11 module of the token, as in --pkcs11-module /usr/lib/softhsm/libsofthsm2.so";
constexpr std::size_t kMostPin = 255;
constexpr CK_ULONG kMostSlots = 1024;

Error bad_module(const std::string& path, const std::string& what, std::string cure = kNameTheModule) {
  return fail(Errc::usage, kTokenClause, "the PKCS#11 module " + printable(path) + " " + what,
              std::move(cure));
}

Error bad_token(const std::string& label, const std::string& what, std::string cure) {
  return fail(Errc::storage, kTokenClause, "the token " + printable(label) + " " + what, std::move(cure));
}

Result<void> examine_file(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0)
    return bad_module(path, std::string("cannot be opened: ") + std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return bad_module(path, "is not a regular file");
  if ((about.st_uid != 0 && about.st_uid != ::geteuid()) || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return bad_module(path, "can be changed by other users",
                      "chown root " + printable(path) + " && chmod go-w " + printable(path));
  return {};
}

// Texts in a token are padded with spaces.
template <std::size_t N>
std::string trimmed(const unsigned char (&text)[N]) {
  std::string out(reinterpret_cast<const char*>(text), N);
  out.erase(out.find_last_not_of(std::string_view(" \0", 2)) + 1);
  return out;
}

Result<std::vector<CK_SLOT_ID>> slots_with_tokens(const TokenModule& module) {
  CK_ULONG count = 0;
  std::vector<CK_SLOT_ID> slots;
  CK_RV rv = module.call().C_GetSlotList(1, nullptr, &count);
  if (rv == CKR_OK && count > 0 && count <= kMostSlots) {
    slots.resize(count);
    rv = module.call().C_GetSlotList(1, slots.data(), &count);
    if (count < slots.size()) slots.resize(count);  // one was pulled out meanwhile
  }
  if (rv == CKR_OK && count <= kMostSlots) return slots;
  return fail(Errc::storage, kTokenClause,
              "the PKCS#11 module " + printable(module.path()) + " lists no tokens: " + name_of_rv(rv),
              "check the module's own configuration, and that the device is there");
}

Result<void> check_flags(const CK_TOKEN_INFO& token, const std::string& label) {
  constexpr const char* kUnlock = "set a new user PIN with the token's own tool, as its security officer";
  if ((token.flags & CKF_USER_PIN_INITIALIZED) == 0) return bad_token(label, "has no user PIN", kUnlock);
  if ((token.flags & CKF_USER_PIN_LOCKED) != 0)
    return bad_token(label, "is locked: too many wrong PINs", kUnlock);
  // A service that is restarted again and again would take the last try too.
  if ((token.flags & CKF_USER_PIN_FINAL_TRY) != 0)
    return bad_token(label, "locks at the next wrong PIN, so none was tried",
                     "log in with the right PIN by the token's own tool once, correct the PIN file, and try "
                     "again");
  return {};
}

}  // namespace

std::string name_of_rv(CK_RV rv) {
  switch (rv) {
    case CKR_OK:
      return "CKR_OK";
    case CKR_GENERAL_ERROR:
      return "CKR_GENERAL_ERROR";
    case CKR_FUNCTION_FAILED:
      return "CKR_FUNCTION_FAILED";
    case CKR_FUNCTION_NOT_SUPPORTED:
      return "CKR_FUNCTION_NOT_SUPPORTED";
    case CKR_ATTRIBUTE_VALUE_INVALID:
      return "CKR_ATTRIBUTE_VALUE_INVALID";
    case CKR_DEVICE_ERROR:
      return "CKR_DEVICE_ERROR";
    case CKR_DEVICE_MEMORY:
      return "CKR_DEVICE_MEMORY";
    case CKR_DEVICE_REMOVED:
      return "CKR_DEVICE_REMOVED";
    case CKR_ENCRYPTED_DATA_INVALID:
      return "CKR_ENCRYPTED_DATA_INVALID";
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
      return "CKR_KEY_FUNCTION_NOT_PERMITTED";
    case CKR_MECHANISM_INVALID:
      return "CKR_MECHANISM_INVALID";
    case CKR_PIN_INCORRECT:
      return "CKR_PIN_INCORRECT";
    case CKR_PIN_EXPIRED:
      return "CKR_PIN_EXPIRED";
    case CKR_PIN_LOCKED:
      return "CKR_PIN_LOCKED";
    case CKR_SESSION_COUNT:
      return "CKR_SESSION_COUNT";
    case CKR_TEMPLATE_INCONSISTENT:
      return "CKR_TEMPLATE_INCONSISTENT";
    case CKR_TOKEN_NOT_PRESENT:
      return "CKR_TOKEN_NOT_PRESENT";
    case CKR_TOKEN_WRITE_PROTECTED:
      return "CKR_TOKEN_WRITE_PROTECTED";
    default: {
      const auto low = static_cast<std::uint32_t>(rv);
      const Fixed<4> octets{static_cast<std::uint8_t>(low >> 24), static_cast<std::uint8_t>(low >> 16),
                            static_cast<std::uint8_t>(low >> 8), static_cast<std::uint8_t>(low)};
      return "CKR 0x" + hex(octets);
    }
  }
}

Result<TokenModule> TokenModule::load(const std::string& path) {
  std::error_code code;
  TokenModule module(std::filesystem::absolute(path, code).string());  // never by a library search path
  if (code) return bad_module(path, "cannot be found: " + code.message());
  TRY(examine_file(module.path_));
  // Not unmapped again: a module may have left handlers for the end of the process.
  module.library_ = ::dlopen(module.path_.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!module.library_) {
    const char* const why = ::dlerror();
    return bad_module(path, std::string("cannot be loaded: ") + printable(why ? why : "", 300));
  }
  TRY(module.find_functions());
  TRY(module.initialise());
  return module;
}

Result<void> TokenModule::find_functions() {
  void* const symbol = ::dlsym(library_, "C_GetFunctionList");
  if (!symbol) return bad_module(path_, "is a library, but no PKCS#11 module: it has no C_GetFunctionList");
  CK_C_GetFunctionList get = nullptr;
  static_assert(sizeof get == sizeof symbol);
  std::memcpy(&get, &symbol, sizeof get);  // POSIX: the pointers are alike, C++ has no cast for it
  const CK_RV rv = get(&functions_);
  if (rv != CKR_OK || !functions_) return bad_module(path_, "gives no list of functions: " + name_of_rv(rv));
  if (functions_->version.major < 2)
    return bad_module(path_, "speaks PKCS#11 of version " + std::to_string(functions_->version.major),
                      "use a module of version 2.20 or later");
  return {};
}

Result<void> TokenModule::initialise() {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;  // a server that opens its store anew has threads
  const CK_RV rv = functions_->C_Initialize(&arguments);
  ours_to_finalise_ = rv == CKR_OK;
  if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) return {};
  return fail(Errc::storage, kTokenClause,
              "the PKCS#11 module " + printable(path_) + " does not start: " + name_of_rv(rv),
              "check the module's own configuration (SoftHSM: SOFTHSM2_CONF) and its rights");
}

TokenModule::TokenModule(TokenModule&& other) noexcept
    : path_(std::move(other.path_)),
      library_(std::exchange(other.library_, nullptr)),
      functions_(std::exchange(other.functions_, nullptr)),
      ours_to_finalise_(std::exchange(other.ours_to_finalise_, false)) {}

TokenModule::~TokenModule() {
  if (ours_to_finalise_) functions_->C_Finalize(nullptr);
  if (library_) ::dlclose(library_);
}

Result<TokenSession> TokenSession::open(const TokenDoor& door, const std::string& label,
                                        const std::string& serial, TokenSessionMode mode) {
  TokenSession session(TRY(TokenModule::load(door.module)));
  const CK_SLOT_ID slot = TRY(session.find(label, serial));
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (mode == TokenSessionMode::changing ? CKF_RW_SESSION : 0UL);
  const CK_RV rv = session.call().C_OpenSession(slot, flags, nullptr, nullptr, &session.handle_);
  if (rv != CKR_OK) {
    session.handle_ = CK_INVALID_HANDLE;
    return bad_token(label, "gives no session: " + name_of_rv(rv),
                     "end other programs that hold sessions of it, and check that it can be written to");
  }
  TRY(session.log_in(door.pin_file));
  return session;
}

Result<CK_SLOT_ID> TokenSession::find(const std::string& label, const std::string& serial) {
  struct Found {
    CK_SLOT_ID slot;
    CK_TOKEN_INFO token;
  };
  std::vector<Found> found;
  std::string others;
  for (const CK_SLOT_ID slot : TRY(slots_with_tokens(module_))) {
    CK_TOKEN_INFO token{};
    if (call().C_GetTokenInfo(slot, &token) != CKR_OK || (token.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    if (trimmed(token.label) == label)
      found.push_back({slot, token});
    else
      others += (others.empty() ? "" : ", ") + printable(trimmed(token.label), 32);
  }
  if (found.empty())
    return bad_token(label,
                     "is not there; the module " + printable(module_.path()) + " has " +
                         (others.empty() ? "none" : others),
                     "plug it in or start its service, or name the right one");
  // A copy of the token has another serial number: the label alone decides while it is the only one.
  if (found.size() > 1)
    std::erase_if(found, [&](const Found& one) { return trimmed(one.token.serialNumber) != serial; });
  if (found.size() != 1)
    return bad_token(label, "is there more than once", "give each token a label of its own");
  label_ = label;
  serial_ = trimmed(found[0].token.serialNumber);
  TRY(check_flags(found[0].token, label));
  return found[0].slot;
}

Result<void> TokenSession::log_in(const std::string& pin_file) {
  SecretOctets pin = TRY(read_secret_line(pin_file, "PIN file", kMostPin,
                                          "write the user PIN of the token into its first line, mode 0600"));
  const auto octets = pin.expose_mutable();
  const CK_RV rv = call().C_Login(handle_, CKU_USER, octets.data(), octets.size());
  logged_in_ = rv == CKR_OK;
  if (logged_in_) return {};
  if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID)
    return fail(Errc::not_authorised, kTokenClause,
                "the PIN in " + printable(pin_file) + " is not the one of the token " + printable(label_),
                "correct the file before the next try: the token counts wrong PINs and locks");
  if (rv == CKR_PIN_LOCKED)
    return bad_token(label_, "is locked: too many wrong PINs",
                     "set a new user PIN with the token's own tool, as its security officer");
  return bad_token(label_, "refuses the login: " + name_of_rv(rv), "try the PIN with the token's own tool");
}

TokenSession::TokenSession(TokenSession&& other) noexcept
    : module_(std::move(other.module_)),
      label_(std::move(other.label_)),
      serial_(std::move(other.serial_)),
      handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)),
      logged_in_(std::exchange(other.logged_in_, false)) {}

TokenSession::~TokenSession() {
  if (handle_ == CK_INVALID_HANDLE) return;
  if (logged_in_) call().C_Logout(handle_);
  call().C_CloseSession(handle_);
}

}  // namespace regroup::crypto
