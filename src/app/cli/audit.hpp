// SPDX-License-Identifier: Apache-2.0
// regroup audit verify | head (docs/operations.md, audit): the audit log of a KMS, read without a passphrase.
// Exit codes: 0 whole, 1 failure, 2 usage (no log there), 3 broken or cut, and where.
#pragma once

#include <iosfwd>
#include <string>

namespace regroup::app::cli {

struct AuditOptions {
  std::string directory;
  std::string head;  // RECORDS:HASH of earlier, for verify; empty: the chain alone
  bool json = false;
};
[[nodiscard]] int run_audit_verify(const AuditOptions& options, std::ostream& out, std::ostream& err);
// RECORDS:HASH of a whole log, to be kept where the KMS cannot reach it.
[[nodiscard]] int run_audit_head(const AuditOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::cli
