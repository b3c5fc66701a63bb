// SPDX-License-Identifier: Apache-2.0
// The audit log of a KMS (layout in docs/formats.md, Audit log): one line for each thing issued, refused or
// administered, durable before its answer leaves, chained to the line before by SHA-256. It holds no key and
// nobody needs a key to verify it. An edit, a loss or another order breaks the chain at a line that verify()
// names; the end of a log may be cut without a trace, unless a head from later was kept elsewhere.
// A line has at most 16 KiB. Several processes may append to one log.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::kms {

// How many records a log has and the hash of the last one; before the first: 0 and zero octets.
struct AuditHead {
  std::uint64_t records = 0;
  Fixed<32> hash{};
  bool operator==(const AuditHead&) const = default;

  // "RECORDS:HASH", as `regroup audit head` prints it.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Result<AuditHead> parse(std::string_view text);
};

class AuditLog {
 public:
  // DIRECTORY/audit.log, made (0600) if it is missing. The beginning of a line that a power cut left was
  // never answered: it is cut off and a record says so.
  [[nodiscard]] static Result<std::unique_ptr<AuditLog>> open(const std::string& directory);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  // Appends a record, a JSON object without line ends; it is on the disk when this returns. After an error
  // nothing of it stands there. Errc::bad_signature: somebody changed the log under us.
  [[nodiscard]] Result<AuditHead> append(std::string_view record);

 private:
  AuditLog(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  [[nodiscard]] Result<void> cut_torn_end();
  [[nodiscard]] Result<void> catch_up();
  [[nodiscard]] Result<void> write(std::string_view record);
  [[nodiscard]] Error refuse_errno(const char* what) const;

  std::mutex mutex_;
  int fd_;
  std::string path_;
  std::uint64_t size_ = 0;  // octets up to the head
  AuditHead head_;
};

// Reads the whole log. `known` is a head of earlier that must be in it. Errc::bad_signature names the first
// line that is wrong and how; Errc::storage: there is no log.
[[nodiscard]] Result<AuditHead> verify_audit_log(const std::string& directory,
                                                 const std::optional<AuditHead>& known = {});

}  // namespace regroup::kms
