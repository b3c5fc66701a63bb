// SPDX-License-Identifier: Apache-2.0
#include "kms/audit.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::kms {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class KmsAuditLog : public testing::Test {
 protected:
  KmsAuditLog() {
    std::string name = (fs::temp_directory_path() / "regroup-audit-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~KmsAuditLog() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return directory_ + "/audit.log"; }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::ifstream file(path());
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
  void write_lines(const std::vector<std::string>& all) const {
    std::ofstream file(path(), std::ios::trunc);
    for (const std::string& line : all) file << line << "\n";
  }
  AuditHead append(const std::string& record) {
    return AuditLog::open(directory_).value()->append(record).value();
  }
  void fill(int count) {
    const auto log = AuditLog::open(directory_).value();
    for (int i = 1; i <= count; ++i) ASSERT_TRUE(log->append("{\"event\":" + std::to_string(i) + "}").ok());
  }
  // Why verify() refuses, as text.
  [[nodiscard]] std::string refusal(const std::optional<AuditHead>& known = {}) const {
    const auto verified = verify_audit_log(directory_, known);
    if (verified.ok()) return "accepted";
    EXPECT_EQ(verified.error().code, Errc::bad_signature);
    EXPECT_THAT(verified.error().cure, HasSubstr("evidence"));
    return verified.error().detail;
  }
  std::string directory_;
};

TEST_F(KmsAuditLog, HasALineForEachRecordChainedByTheDocumentedHash) {
  const AuditHead first = append(R"({"event":"one"})"), second = append(R"({"event":"two"})");
  EXPECT_EQ(first.hash, crypto::sha256({Fixed<32>{}, view(R"(1 {"event":"one"})")}));
  EXPECT_EQ(second.hash, crypto::sha256({first.hash, view(R"(2 {"event":"two"})")}));
  EXPECT_EQ(lines(), (std::vector<std::string>{"1 " + hex(first.hash) + R"( {"event":"one"})",
                                               "2 " + hex(second.hash) + R"( {"event":"two"})"}));
  EXPECT_EQ(verify_audit_log(directory_).value(), second);
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(KmsAuditLog, AnyChangedOctetIsFoundWithItsLine) {
  fill(3);
  const std::vector<std::string> good = lines();
  for (std::size_t line = 0; line < good.size(); ++line)
    for (std::size_t at = 0; at < good[line].size(); ++at) {
      auto bad = good;
      bad[line][at] = static_cast<char>(bad[line][at] ^ 1);
      write_lines(bad);
      ASSERT_THAT(refusal(), HasSubstr("line " + std::to_string(line + 1) + ":")) << at;
    }
}

TEST_F(KmsAuditLog, LossRepetitionAndAnotherOrderAreToldApart) {
  fill(5);
  const std::vector<std::string> good = lines();
  const auto with = [&](std::initializer_list<std::size_t> order) {
    std::vector<std::string> out;
    for (const std::size_t i : order) out.push_back(good[i]);
    write_lines(out);
    return refusal();
  };
  EXPECT_THAT(with({0, 2, 3, 4}), HasSubstr("line 2: record 3 stands where 2 is due: records were removed"));
  EXPECT_THAT(with({1, 2, 3, 4}), HasSubstr("line 1: record 2 stands where 1 is due"));
  EXPECT_THAT(with({0, 1, 1, 2, 3, 4}), HasSubstr("line 3: record 2 stands where 3 is due: it was repeated"));
  EXPECT_THAT(with({0, 1, 3, 2, 4}), HasSubstr("line 3: record 4 stands where 3 is due"));
  EXPECT_EQ(with({0, 1, 2, 3, 4}), "accepted");
}

TEST_F(KmsAuditLog, ACutEndAndALogWrittenAnewAreFoundByAHeadOfEarlier) {
  fill(4);
  const AuditHead known = AuditHead::parse(verify_audit_log(directory_).value().text()).value();
  append(R"({"event":5})");
  EXPECT_EQ(refusal(known), "accepted");
  auto cut = lines();
  cut.resize(2);
  write_lines(cut);
  EXPECT_EQ(refusal(), "accepted") << "the chain alone does not show it";
  EXPECT_THAT(refusal(known), HasSubstr("line 3: records 3 to 4 are missing"));
  fs::remove(path());
  for (int i = 0; i < 6; ++i) append(R"({"event":"another"})");
  EXPECT_THAT(refusal(known), HasSubstr("line 4: the record of that head was another"));
}

TEST_F(KmsAuditLog, HeadsAreReadAsTheyArePrinted) {
  for (const char* bad : {"", "1", "1:", ":00", "00:00", "1:zz", "01:00", "-1:00"})
    EXPECT_EQ(AuditHead::parse(bad).error().code, Errc::usage) << bad;
  EXPECT_EQ(AuditHead::parse(AuditHead().text()).value(), AuditHead());
  fill(1);
  EXPECT_EQ(refusal(AuditHead()), "accepted") << "every log begins with it";
  EXPECT_EQ(AuditHead::parse("7:" + std::string(64, 'a'))->records, 7u);
}

TEST_F(KmsAuditLog, TheBeginningOfALineThatAPowerCutLeftIsCutOffAndTold) {
  fill(2);
  std::ofstream(path(), std::ios::app) << "3 0123";
  EXPECT_THAT(refusal().substr(0, 300), HasSubstr("line 3: has no end"));
  append(R"({"event":"after"})");
  EXPECT_EQ(refusal(), "accepted");
  EXPECT_THAT(lines().at(2), HasSubstr(R"({"event":"recovered","octets":6})"));
  EXPECT_THAT(lines().at(3), HasSubstr("after"));
}

TEST_F(KmsAuditLog, ABrokenLogIsNotContinued) {
  fill(2);
  auto bad = lines();
  bad[0][70] ^= 1;
  write_lines(bad);
  EXPECT_EQ(AuditLog::open(directory_).error().code, Errc::bad_signature);
}

TEST_F(KmsAuditLog, OneThatIsCutOrChangedInUseIsNotContinued) {
  const auto log = AuditLog::open(directory_).value();
  ASSERT_TRUE(log->append(R"({"event":1})").ok());
  ASSERT_TRUE(log->append(R"({"event":2})").ok());
  auto cut = lines();
  cut.resize(1);
  write_lines(cut);
  EXPECT_EQ(log->append(R"({"event":3})").error().code, Errc::bad_signature);
  EXPECT_EQ(lines().size(), 1u);
}

TEST_F(KmsAuditLog, TakesRecordsOfSeveralThreadsAndProcesses) {
  constexpr int kEach = 50;
  const auto work = [&] {
    const auto log = AuditLog::open(directory_).value();
    for (int i = 0; i < kEach; ++i)
      if (!log->append(R"({"event":"x"})").ok()) return false;
    return true;
  };
  const pid_t child = fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  const auto log = AuditLog::open(directory_).value();
  std::thread other([&] {
    for (int i = 0; i < kEach; ++i) EXPECT_TRUE(log->append(R"({"event":"y"})").ok());
  });
  for (int i = 0; i < kEach; ++i) EXPECT_TRUE(log->append(R"({"event":"z"})").ok());
  other.join();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(verify_audit_log(directory_)->records, 3u * kEach);
}

TEST_F(KmsAuditLog, AFullDiskLeavesNothingHalfWritten) {
  fill(3);
  const auto size = fs::file_size(path());
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{size + 20, size + 20};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto log = AuditLog::open(directory_);
    const bool refused = log.ok() && (*log)->append(R"({"event":"4"})").error().code == Errc::storage;
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(fs::file_size(path()), size);
  EXPECT_EQ(append(R"({"event":"4"})").records, 4u);
}

TEST_F(KmsAuditLog, AFileThatOthersMayReadOrThatIsNoneIsRefused) {
  fill(1);
  ::chmod(path().c_str(), 0644);
  EXPECT_THAT(AuditLog::open(directory_).error().cure, HasSubstr("0600"));
  fs::remove(path());
  fs::create_symlink("/dev/null", path());
  EXPECT_EQ(AuditLog::open(directory_).error().code, Errc::storage);
  fs::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(AuditLog::open(directory_).error().code, Errc::storage);
  EXPECT_EQ(verify_audit_log(directory_).error().code, Errc::usage);
}

TEST_F(KmsAuditLog, ALineWithoutEndIsReadInBoundedMemory) {
  fill(1);
  std::ofstream(path(), std::ios::app) << std::string(std::size_t{1} << 20, '7');
  EXPECT_THAT(refusal().substr(0, 400), HasSubstr("line 2: has more than 16 KiB"));
}

}  // namespace
}  // namespace regroup::kms
