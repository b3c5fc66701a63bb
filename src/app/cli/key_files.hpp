// SPDX-License-Identifier: Apache-2.0
// What the lab verbs `open` and `seal` read besides a message: KMS certificates and key sets from KMS XML
// (bare elements or whole KmsResponses, TS 33.180 D.3), times, and how they end.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

#include "mcx/domain.hpp"

namespace regroup::app::cli {

struct HeldKeys {
  mcx::Domains domains;
  std::vector<mcx::KeySet> key_sets;
};

// Whatever is wrong with an argument is a matter of usage, and the option is named.
template <class T>
[[nodiscard]] Result<T> argument(Result<T> parsed, std::string_view option) {
  if (parsed.ok()) return parsed;
  Error error = std::move(parsed).error().with(option);
  error.code = Errc::usage;
  return error;
}

// The octets of a file named on the command line, "-" for `in`. Errc::usage when it cannot be read.
[[nodiscard]] Result<Octets> read_named(const std::string& file, std::istream& in);

// Errc::usage when a file cannot be read; any other error names the file and what it refuses in it.
[[nodiscard]] Result<HeldKeys> read_keys(const std::vector<std::string>& certificate_files,
                                         const std::vector<std::string>& key_set_files, std::istream& in);

// "now", a dateTime such as 2026-03-02T09:30:00Z, Unix seconds in decimal, or T as in a message: the 16 hex
// digits of NTP-UTC, of the era nearest to the clock. Errc::usage otherwise.
[[nodiscard]] Result<NtpTime> parse_time(const std::string& text, std::string_view option);

// 0 done, 1 a file cannot be written, 2 usage (a file that cannot be read too), 3 refused.
enum LabExit { kLabDone = 0, kLabUnwritten = 1, kLabUsage = 2, kLabRefused = 3 };
[[nodiscard]] int exit_of(const Error& error);
// Of kms, gms and ue: 2 usage and configuration, 3 what a peer or a document refuses, 1 everything else.
[[nodiscard]] int exit_of_role(const Error& error);
[[nodiscard]] nlohmann::json error_json(const Error& error);

}  // namespace regroup::app::cli
