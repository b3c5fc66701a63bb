// SPDX-License-Identifier: Apache-2.0
// What the verbs of `regroup kms` have in common: how they end, and how an administrative act is done.
#pragma once

#include <nlohmann/json.hpp>

#include "app/kms/directory.hpp"

namespace regroup::app::cli {

// What a command found out: a sentence for people, an object for programs.
struct Said {
  std::string text;
  nlohmann::json json;
  std::string warning = {};  // on stderr, whatever is asked for
  int exit_code = 0;
};

// Prints it, or the refusal; returns the exit code.
[[nodiscard]] int finish_kms_verb(const char* command, const Result<Said>& said, bool json, std::ostream& out,
                                  std::ostream& err);

// Errc::usage when `option` was not given.
[[nodiscard]] Result<void> need(const std::string& value, std::string_view option);

// What a partner compares by voice: SHA-256 of the whole of what `kms certificate` prints.
[[nodiscard]] std::string fingerprint_of(const kms::CertificateRecord& own);

// "sip:bob@mcx.example" -> "sip_bob@mcx.example": whatever a file name should not have becomes '_'.
[[nodiscard]] std::string file_name_of(const std::string& identity);

// An administrative act: recorded in the audit log, then done. Nothing changed: nothing recorded.
[[nodiscard]] Result<void> administer(const std::string& directory, OpenedKms& opened, std::string_view act,
                                      nlohmann::json record);

}  // namespace regroup::app::cli
