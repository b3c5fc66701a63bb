// SPDX-License-Identifier: Apache-2.0
#include "app/cli/key_files.hpp"

#include <charconv>

#include "app/cli/message_input.hpp"
#include "app/kms/documents.hpp"
#include "base/text.hpp"
#include "mikey/error_code.hpp"

namespace regroup::app::cli {
namespace {

constexpr std::int64_t kLatestUnix = std::int64_t{1} << 36;  // the year 4147

}  // namespace

Result<Octets> read_named(const std::string& file, std::istream& in) {
  auto octets = read_input(file, in);
  if (octets.ok() || octets.error().code != Errc::storage) return octets;
  return fail(Errc::usage, "", octets.error().detail, octets.error().cure);
}

Result<HeldKeys> read_keys(const std::vector<std::string>& certificate_files,
                           const std::vector<std::string>& key_set_files, std::istream& in) {
  HeldKeys out;
  for (const std::string& file : certificate_files) {
    const Octets document = TRY(read_named(file, in));
    auto certificates = certificates_in(document);
    if (!certificates.ok()) return std::move(certificates).error().with(file);
    for (mcx::KmsCertificate& certificate : *certificates) TRY(out.domains.add(std::move(certificate)));
  }
  for (const std::string& file : key_set_files) {
    Octets document = TRY(read_named(file, in));
    auto key_sets = key_sets_in(document, out.domains);
    wipe(document);
    if (!key_sets.ok()) return std::move(key_sets).error().with(file);
    for (mcx::KeySet& keys : *key_sets) out.key_sets.push_back(std::move(keys));
  }
  return out;
}

Result<NtpTime> parse_time(const std::string& text, std::string_view option) {
  const NtpTime clock = SystemClock().now();
  if (text == "now") return clock;
  if (const auto ntp = fixed_from_hex<8>(text); text.size() == 16 && ntp.ok())
    return NtpTime::nearest(*ntp, clock);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0 && seconds <= kLatestUnix)
    return NtpTime::from_unix(seconds);
  auto time = parse_date_time(text);
  if (!time.ok())
    return fail(Errc::usage, "", std::string(option) + ": " + time.error().detail, time.error().cure);
  return time;
}

int exit_of(const Error& error) {
  if (error.code == Errc::storage) return kLabUnwritten;
  return error.code == Errc::usage ? kLabUsage : kLabRefused;
}

int exit_of_role(const Error& error) {
  switch (error.code) {
    case Errc::usage:
      return 2;
    case Errc::storage:
    case Errc::transport:
    case Errc::internal:
    case Errc::not_yet_valid:  // this machine's clock
      return 1;
    default:
      return 3;
  }
}

nlohmann::json error_json(const Error& error) {
  nlohmann::json out{{"code", name_of(error.code)},
                     {"clause", error.clause},
                     {"detail", error.detail},
                     {"cure", error.cure}};
  const bool of_a_message = exit_of_role(error) == 3;
  if (of_a_message) out["mikey_error"] = mikey::error_code(error);
  return out;
}

}  // namespace regroup::app::cli
