// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_roll_over.hpp"

#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/kms_verb.hpp"
#include "app/process.hpp"

namespace regroup::app::cli {
namespace {

// The first period that begins at or after --from.
Result<std::int64_t> first_period(const KmsRollOverOptions& options, const kms::Kms& kms, NtpTime now) {
  if (options.from.empty()) return kms.earliest_roll_over(now);
  const NtpTime from = TRY(parse_time(options.from, "--from"));
  const std::int64_t number = kms.periods().number_at(from);
  return kms.periods().start_of(number) == from ? number : number + 1;
}

Result<Said> roll_over(const KmsRollOverOptions& options) {
  TRY(need(options.directory, "--dir"));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  const NtpTime now = SystemClock().now();
  crypto::SystemRandom random;
  const std::int64_t from = TRY(first_period(options, opened.kms, now));
  TRY(opened.kms.roll_over(from, now, random));
  const kms::CertificateRecord& next = opened.kms.registry().all_own().back().certificate;
  const std::string begins = date_time(*next.valid_from);
  TRY(administer(options.directory, opened, "roll-over",
                 {{"cert_uri", next.cert_uri}, {"period", from}, {"valid_from", begins}}));
  TRY(publish_certificates(options.directory, opened.kms, now));
  const std::string fingerprint = fingerprint_of(next);
  return Said{next.cert_uri + " takes over at " + begins + ", with key period " + std::to_string(from) +
                  "\nit is in " + successor_file(options.directory) + ", SHA-256 " + fingerprint +
                  ": give it to every partner before then; own clients fetch it by themselves\nmake a new "
                  "backup: those of before do not hold it",
              {{"cert_uri", next.cert_uri},
               {"period", from},
               {"valid_from", begins},
               {"file", successor_file(options.directory)},
               {"sha256", fingerprint},
               {"cache_num", opened.kms.registry().cache_num()}}};
}

}  // namespace

int run_kms_roll_over(const KmsRollOverOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("roll-over", roll_over(options), options.json, out, err);
}

}  // namespace regroup::app::cli
