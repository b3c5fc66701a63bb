// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module in this process, and one session of a user with one token of it. The module is opened by
// dlopen and finalised when it goes: nothing of it stays alive beside a running server. It is code of
// somebody else with all our secrets around it, so only a file that nobody but root and this user can change
// is opened.
#pragma once

#include <p11-kit/pkcs11.h>

#include <memory>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/token_key.hpp"

namespace regroup::crypto {

inline constexpr std::string_view kTokenClause = "docs/operations.md, PKCS#11 token";

// "CKR_PIN_LOCKED", for the values that an operator can do something about; else the number.
[[nodiscard]] std::string name_of_rv(CK_RV rv);

class TokenModule {
 public:
  [[nodiscard]] static Result<TokenModule> load(const std::string& path);
  TokenModule(TokenModule&& other) noexcept;
  TokenModule& operator=(TokenModule&&) = delete;
  ~TokenModule();

  [[nodiscard]] const CK_FUNCTION_LIST& call() const { return *functions_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TokenModule(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] Result<void> find_functions();
  [[nodiscard]] Result<void> initialise();

  std::string path_;
  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
  bool ours_to_finalise_ = false;
};

enum class TokenSessionMode { reading, changing };

class TokenSession {
 public:
  // Logs in with the PIN, once: a token counts wrong ones and locks. Several tokens may have the label; then
  // the one with the serial number is taken (empty: refused).
  [[nodiscard]] static Result<TokenSession> open(const TokenDoor& door, const std::string& label,
                                                 const std::string& serial, TokenSessionMode mode);
  TokenSession(TokenSession&& other) noexcept;
  TokenSession& operator=(TokenSession&&) = delete;
  ~TokenSession();

  [[nodiscard]] const CK_FUNCTION_LIST& call() const { return module_.call(); }
  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] const std::string& serial() const { return serial_; }

 private:
  explicit TokenSession(TokenModule module) : module_(std::move(module)) {}
  [[nodiscard]] Result<CK_SLOT_ID> find(const std::string& label, const std::string& serial);
  [[nodiscard]] Result<void> log_in(const std::string& pin_file);

  TokenModule module_;
  std::string label_, serial_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  bool logged_in_ = false;
};

}  // namespace regroup::crypto
