// SPDX-License-Identifier: Apache-2.0
#include "app/cli/audit.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "kms/audit.hpp"

namespace regroup::app::cli {
namespace {

int tell(const char* verb, const Result<kms::AuditHead>& read, const std::string& text, bool json,
         std::ostream& out, std::ostream& err) {
  if (!read.ok()) {
    err << "regroup audit " << verb << ": " << read.error().text() << std::endl;
    if (json) {
      nlohmann::json object = error_json(read.error());
      object.erase("mikey_error");  // no key message is at stake
      out << nlohmann::json{{"error", std::move(object)}}.dump() << std::endl;
    }
    return exit_of_role(read.error());
  }
  if (json)
    out << nlohmann::json{{"records", read->records}, {"hash", hex(read->hash)}, {"head", read->text()}}
               .dump()
        << std::endl;
  else
    out << text << std::endl;
  return 0;
}

Result<kms::AuditHead> verified(const AuditOptions& options) {
  std::optional<kms::AuditHead> known;
  if (!options.head.empty()) known = TRY(argument(kms::AuditHead::parse(options.head), "--head"));
  return kms::verify_audit_log(options.directory, known);
}

}  // namespace

int run_audit_verify(const AuditOptions& options, std::ostream& out, std::ostream& err) {
  const auto read = verified(options);
  std::string text;
  if (read.ok())
    text = "the chain of " + std::to_string(read->records) + " records is whole" +
           (options.head.empty() ? "; give a --head of earlier to see that its end was not cut"
                                 : " and holds the given head");
  return tell("verify", read, text, options.json, out, err);
}

int run_audit_head(const AuditOptions& options, std::ostream& out, std::ostream& err) {
  const auto read = verified(options);
  return tell("head", read, read.ok() ? read->text() : "", options.json, out, err);
}

}  // namespace regroup::app::cli
