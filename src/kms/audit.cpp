// SPDX-License-Identifier: Apache-2.0
#include "kms/audit.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kClause = "docs/formats.md, Audit log";
constexpr std::string_view kCheckDisk = "check the space and rights of the file system";
constexpr std::string_view kCompare =
    "keep the file as evidence and compare it with its backup; moved aside, the KMS begins a new one";
constexpr std::size_t kMostLine = std::size_t{16} << 10;
constexpr std::size_t kHashDigits = 64;

std::string path_in(const std::string& directory) { return directory + "/audit.log"; }

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (fault != std::errc() || end != digits.data() + digits.size() || digits.empty() ||
      (digits.size() > 1 && digits[0] == '0'))
    return std::nullopt;
  return value;
}

// The head once `record` has followed `before`.
AuditHead after(const AuditHead& before, std::string_view record) {
  const std::uint64_t number = before.records + 1;
  return {number, crypto::sha256({before.hash, view(std::to_string(number) + " "), view(record)})};
}

struct Line {
  std::uint64_t number;
  Fixed<32> hash;
  std::string_view record;
};

std::optional<Line> line_of(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || text.size() < space + 1 + kHashDigits + 2) return std::nullopt;
  const auto number = number_of(text.substr(0, space));
  const auto hash = fixed_from_hex<32>(text.substr(space + 1, kHashDigits));
  if (!number || !hash.ok() || text[space + 1 + kHashDigits] != ' ') return std::nullopt;
  return Line{*number, *hash, text.substr(space + kHashDigits + 2)};
}

Error broken(const std::string& path, std::uint64_t line, const std::string& how) {
  return fail(Errc::bad_signature, kClause, printable(path) + ", line " + std::to_string(line) + ": " + how,
              std::string(kCompare));
}

// The head after one more line, or what is wrong with it.
Result<AuditHead> next(const std::string& path, const AuditHead& head, std::string_view text) {
  const std::uint64_t due = head.records + 1;
  const auto line = line_of(text);
  if (!line) return broken(path, due, "is no record");
  if (line->number > due)
    return broken(path, due,
                  "record " + std::to_string(line->number) + " stands where " + std::to_string(due) +
                      " is due: records were removed or moved");
  if (line->number < due)
    return broken(path, due,
                  "record " + std::to_string(line->number) + " stands where " + std::to_string(due) +
                      " is due: it was repeated or moved");
  const AuditHead reached = after(head, line->record);
  if (reached.hash != line->hash)
    return broken(path, due, "record " + std::to_string(due) + " was changed, or the one before it");
  return reached;
}

Error too_long(const std::string& path, std::uint64_t line) {
  return broken(path, line, "has more than 16 KiB");
}

// Each whole line from `offset` on; gives where the last one ends.
Result<std::uint64_t> each_line(int fd, const std::string& path, std::uint64_t offset,
                                const std::function<Result<void>(std::string_view)>& take) {
  std::string held;
  char block[std::size_t{64} << 10];
  std::uint64_t at = offset;
  for (std::uint64_t from = offset;;) {
    const ssize_t got = ::pread(fd, block, sizeof block, static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(Errc::storage, kClause, printable(path) + " cannot be read: " + std::strerror(errno),
                  std::string(kCheckDisk));
    if (got == 0) return at;
    from += static_cast<std::uint64_t>(got);
    held.append(block, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end; (end = held.find('\n', begin)) != std::string::npos; begin = end + 1) {
      TRY(take(std::string_view(held).substr(begin, end - begin)));
      at += end + 1 - begin;
    }
    held.erase(0, begin);
    if (held.size() > kMostLine) TRY(take(held));  // no line is as long: `take` says which it would be
  }
}

struct Locked {
  explicit Locked(int file, int how = LOCK_EX) : fd(file) {
    while (::flock(fd, how) != 0 && errno == EINTR) {
    }
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { ::flock(fd, LOCK_UN); }
  int fd;
};

bool is_regular(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

std::uint64_t size_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

}  // namespace

std::string AuditHead::text() const { return std::to_string(records) + ":" + hex(hash); }

Result<AuditHead> AuditHead::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto number = number_of(text.substr(0, colon));
  const auto hash = fixed_from_hex<32>(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (!number || !hash.ok())
    return fail(Errc::usage, kClause, "'" + printable(text, 100) + "' is no head of an audit log",
                "give RECORDS:HASH as regroup audit head printed it");
  return AuditHead{*number, *hash};
}

AuditLog::~AuditLog() { ::close(fd_); }

Error AuditLog::refuse_errno(const char* what) const {
  return fail(Errc::storage, kClause, printable(path_) + " " + what + ": " + std::strerror(errno),
              std::string(kCheckDisk));
}

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& directory) {
  const std::string path = path_in(directory);
  const int fd =
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0)
    return fail(Errc::storage, kClause, printable(path) + " cannot be opened: " + std::strerror(errno),
                "check the rights of the directory; the log is a file of its owner");
  std::unique_ptr<AuditLog> log(new AuditLog(fd, path));
  struct stat about {};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_uid != ::geteuid() ||
      (about.st_mode & 077) != 0)
    return fail(Errc::storage, kClause, printable(path) + " is not a regular file of this user alone",
                "chmod 0600 it, or run the KMS as its owner");
  const Locked locked(fd);
  TRY(log->catch_up());
  TRY(log->cut_torn_end());
  return log;
}

// What is beyond the last whole line.
Result<void> AuditLog::cut_torn_end() {
  const std::uint64_t torn = size_of(fd_) - size_;
  if (torn == 0) return {};
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return refuse_errno("cannot be cut");
  return write(R"({"event":"recovered","octets":)" + std::to_string(torn) + "}");
}

// Takes in what other processes appended; `size_` and `head_` then are those of the last whole line.
Result<void> AuditLog::catch_up() {
  if (size_of(fd_) < size_) return broken(path_, head_.records, "the log was cut while it was in use");
  AuditHead head = head_;
  size_ = TRY(each_line(fd_, path_, size_, [&](std::string_view text) -> Result<void> {
    if (text.size() > kMostLine) return too_long(path_, head.records + 1);
    head = TRY(next(path_, head, text));
    return {};
  }));
  head_ = head;
  return {};
}

Result<AuditHead> AuditLog::append(std::string_view record) {
  if (record.size() > kMostLine - 128 || record.find('\n') != std::string_view::npos)
    return fail(Errc::internal, kClause, "an audit record of " + std::to_string(record.size()) + " octets");
  const std::lock_guard lock(mutex_);
  const Locked locked(fd_);
  TRY(catch_up());
  TRY(cut_torn_end());
  TRY(write(record));
  return head_;
}

Result<void> AuditLog::write(std::string_view record) {
  const AuditHead reached = after(head_, record);
  const std::string line =
      std::to_string(reached.records) + " " + hex(reached.hash) + " " + std::string(record) + "\n";
  const ssize_t put = ::write(fd_, line.data(), line.size());
  if (put != static_cast<ssize_t>(line.size()) || ::fdatasync(fd_) != 0) {
    Error error = refuse_errno("cannot be written");
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return error;  // catch_up() finds what is there
    return error;
  }
  size_ += line.size();
  head_ = reached;
  return {};
}

Result<AuditHead> verify_audit_log(const std::string& directory, const std::optional<AuditHead>& known) {
  const std::string path = path_in(directory);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail(Errc::usage, kClause, printable(path) + " cannot be opened: " + std::strerror(errno),
                "name the directory of a KMS that has served or been administered");
  const std::unique_ptr<const int, void (*)(const int*)> closed(&fd, [](const int* p) { ::close(*p); });
  if (!is_regular(fd))
    return fail(Errc::usage, kClause, printable(path) + " is not a regular file",
                "name the directory of a KMS");
  const Locked locked(fd, LOCK_SH);
  AuditHead head;
  AuditHead at_known;  // the head of no record, if that is the known one
  const std::uint64_t end = TRY(each_line(fd, path, 0, [&](std::string_view text) -> Result<void> {
    if (text.size() > kMostLine) return too_long(path, head.records + 1);
    head = TRY(next(path, head, text));
    if (known && head.records == known->records) at_known = head;
    return {};
  }));
  if (known && head.records < known->records)
    return broken(path, head.records + 1,
                  "records " + std::to_string(head.records + 1) + " to " + std::to_string(known->records) +
                      " are missing: the end was cut");
  if (known && at_known != *known)
    return broken(path, known->records, "the record of that head was another: the log was written anew");
  if (size_of(fd) > end)
    return broken(path, head.records + 1,
                  "has no end, as after a power loss: the KMS cuts it off when it starts");
  return head;
}

}  // namespace regroup::kms
