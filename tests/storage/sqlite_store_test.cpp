// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "folder.hpp"

// The program's own definitions come before those of the C library, for SQLite too: they count and pass on.
static int syncs = 0;
extern "C" int fsync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int fdatasync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace regroup::storage {
namespace {

using testing::HasSubstr;

std::unique_ptr<Store> open_or_die(const std::string& path, const char* purpose = "gms") {
  auto opened = open_sqlite({path, purpose});
  EXPECT_TRUE(opened.ok()) << opened.error().text();
  return opened.ok() ? std::move(opened).value() : nullptr;
}

unsigned mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777u;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  ::chmod(path.c_str(), 0600);
}

TEST(SqliteStore, IsThereAgainAfterReopening) {
  const Folder folder;
  ASSERT_TRUE(open_or_die(folder.file("s.db"))->commit(Write::put(kHeaderKind, "vault", view("salt"))).ok());
  EXPECT_EQ(open_or_die(folder.file("s.db"))->get(kHeaderKind, "vault").value(), to_octets(view("salt")));
}

TEST(SqliteStore, SyncsEachCommitBeforeItIsAnswered) {
  const Folder folder;
  const auto store = open_or_die(folder.file("s.db"));
  for (int i = 0; i < 5; ++i) {
    const int before = syncs;
    ASSERT_TRUE(store->commit(Write::put("k", std::to_string(i), view("1"))).ok());
    EXPECT_GT(syncs, before) << "commit " << i;
  }
}

TEST(SqliteStore, MakesEveryFilePrivateWhateverTheUmask) {
  const Folder folder;
  const mode_t old = ::umask(0);
  const auto store = open_or_die(folder.file("s.db"));
  ASSERT_TRUE(store->commit(Write::put("k", "a", view("1"))).ok());
  ASSERT_TRUE(store->backup(folder.file("backup.db")).ok());
  ::umask(old);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(mode_of(entry.path().string()), 0600u) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 4) << "database, WAL, lock, backup";
}

TEST(SqliteStore, RefusesASecondOwnerAndNamesTheFirst) {
  const Folder folder;
  auto first = open_or_die(folder.file("s.db"));
  std::filesystem::create_symlink(folder.file("s.db"), folder.file("link.db"));
  for (const char* name : {"s.db", "link.db"}) {
    const auto second = open_sqlite({folder.file(name), "gms"});
    ASSERT_FALSE(second.ok()) << name;
    EXPECT_EQ(second.error().code, Errc::storage);
    EXPECT_THAT(second.error().text(), HasSubstr(folder.file("s.db")));
    EXPECT_THAT(second.error().text(), HasSubstr("process " + std::to_string(::getpid())));
  }
  EXPECT_TRUE(first->commit(Write::put("k", "a", view("1"))).ok()) << "the owner is not disturbed";
  first.reset();
  EXPECT_TRUE(open_sqlite({folder.file("s.db"), "gms"}).ok());
}

TEST(SqliteStore, WaitsForAForeignLockAndThenNamesFileAndCure) {
  const Folder folder;
  auto opened = open_sqlite({folder.file("s.db"), "gms", 50});
  ASSERT_TRUE(opened.ok());
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file("s.db").c_str(), &shell), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(shell, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto blocked = opened.value()->commit(Write::put("k", "a", view("1")));
  ASSERT_FALSE(blocked.ok());
  EXPECT_EQ(blocked.error().code, Errc::storage);
  EXPECT_THAT(blocked.error().text(), HasSubstr("s.db is locked by another program"));
  EXPECT_THAT(blocked.error().cure, HasSubstr("end the program"));
  sqlite3_exec(shell, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(shell);
  EXPECT_TRUE(opened.value()->commit(Write::put("k", "a", view("1"))).ok());
}

TEST(SqliteStore, RefusesWhatIsNotItsOwn) {
  const Folder folder;
  const std::string path = folder.file("s.db");
  open_or_die(path, "kms").reset();
  auto wrong_purpose = open_sqlite({path, "gms"});
  ASSERT_FALSE(wrong_purpose.ok());
  EXPECT_THAT(wrong_purpose.error().text(), HasSubstr("is a store of a kms"));

  ::chmod(path.c_str(), 0640);
  auto readable = open_sqlite({path, "kms"});
  ASSERT_FALSE(readable.ok());
  EXPECT_THAT(readable.error().cure, HasSubstr("chmod 600"));

  const auto alter = [&](const char* name, const char* sql) {
    const std::string other = folder.file(name);
    sqlite3* db = nullptr;
    open_or_die(other).reset();
    EXPECT_EQ(sqlite3_open(other.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    const auto opened = open_sqlite({other, "gms"});
    EXPECT_FALSE(opened.ok()) << name;
    return opened.ok() ? std::string() : opened.error().text();
  };
  EXPECT_THAT(alter("foreign.db", "PRAGMA application_id=7"), HasSubstr("another program"));
  EXPECT_THAT(alter("newer.db", "PRAGMA user_version=2"), HasSubstr("layout version 2"));

  const auto absent = open_sqlite({.path = folder.file("none.db"), .purpose = "gms", .create = false});
  ASSERT_FALSE(absent.ok());
  EXPECT_FALSE(std::filesystem::exists(folder.file("none.db")));
  EXPECT_FALSE(open_sqlite({folder.file("no/such/folder.db"), "gms"}).ok());
}

TEST(SqliteStore, SaysThatADamagedFileIsDamaged) {
  const Folder folder;
  const std::string path = folder.file("s.db");
  {
    const auto store = open_or_die(path);
    for (int i = 0; i < 200; ++i)
      ASSERT_TRUE(store->commit(Write::put("k", std::to_string(i), Octets(300, 7))).ok());
  }
  const std::string good = read_file(path);
  std::string holes = good;
  for (std::size_t at = 4096; at + 4096 <= holes.size(); at += 8192)
    holes.replace(at, 512, std::string(512, '\xff'));
  std::string leaf = good;
  leaf.replace(leaf.size() - 4096, 512, std::string(512, '\xff'));
  for (const std::string& bad : {std::string("this is not a database, it only has its name......"), holes,
                                 leaf, good.substr(0, good.size() / 2)}) {
    write_file(path, bad);
    const auto opened = open_sqlite({path, "gms"});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::storage);
    EXPECT_THAT(opened.error().text(), HasSubstr("s.db is "));
    EXPECT_THAT(opened.error().cure, HasSubstr("from a backup"));
    EXPECT_EQ(read_file(path), bad) << "a damaged file is left as it is";
  }
  write_file(path, good);
  EXPECT_TRUE(open_sqlite({path, "gms"}).ok());
}

TEST(SqliteStore, ABackupOpensAsAStoreAndIsNeverOverwritten) {
  const Folder folder;
  const auto store = open_or_die(folder.file("s.db"));
  ASSERT_TRUE(store->commit(Write::put("k", "a", view("1"))).ok());
  ASSERT_TRUE(store->backup(folder.file("b.db")).ok());
  EXPECT_FALSE(store->backup(folder.file("b.db")).ok());
  EXPECT_FALSE(std::filesystem::exists(folder.file("b.db.part")));
  EXPECT_EQ(open_or_die(folder.file("b.db"))->get("k", "a").value(), to_octets(view("1")));
  EXPECT_TRUE(store->commit(Write::put("k", "a", view("2"))).ok());
}

TEST(SqliteStore, AnErasedValueLeavesNoTraceInTheClosedFile) {
  const Folder folder;
  const std::string needle = "a value that is to disappear 0123456789";
  {
    const auto store = open_or_die(folder.file("s.db"));
    ASSERT_TRUE(store->commit(Write::put("k", "a", view(needle))).ok());
    ASSERT_TRUE(store->commit(Write::put("k", "b", view("stays"))).ok());
    ASSERT_TRUE(store->commit(Write::erase("k", "a")).ok());
  }
  EXPECT_THAT(read_file(folder.file("s.db")), HasSubstr("stays"));
  EXPECT_THAT(read_file(folder.file("s.db")), testing::Not(HasSubstr(needle)));
  EXPECT_FALSE(std::filesystem::exists(folder.file("s.db-wal")));
}

// Runs `work` in a child process; gives its process number.
template <class Work>
pid_t in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

constexpr int kBatch = 40;

// Commits 1, 2, 3 ... into each of kBatch records and reports each promised number through the pipe.
void commit_forever(const std::string& path, int out, std::uint32_t start) {
  auto opened = open_sqlite({path, "gms"});
  if (!opened) ::_exit(3);
  for (std::uint32_t number = start;; ++number) {
    std::vector<Write> writes;
    for (int i = 0; i < kBatch; ++i) writes.push_back(Write::put("k", std::to_string(i), be32(number)));
    if (!opened.value()->commit(writes).ok()) ::_exit(4);
    if (::write(out, &number, sizeof number) != sizeof number) ::_exit(5);
  }
}

TEST(SqliteStore, AKillInTheMiddleOfACommitLosesNothingPromisedAndHalvesNothing) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand dice(seed);
  const Folder folder;
  std::uint32_t promised = 0;
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = in_child([&] { commit_forever(folder.file("s.db"), ends[1], promised + 1); });
    ::close(ends[1]);
    const std::uint32_t wanted = promised + 1 + static_cast<std::uint32_t>(dice() % 20);
    std::uint32_t number = 0;
    while (promised < wanted && ::read(ends[0], &number, sizeof number) == sizeof number) promised = number;
    for (volatile unsigned long spin = dice() % 200000; spin > 0;)
      spin = spin - 1;  // die somewhere in the next commit
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
    while (::read(ends[0], &number, sizeof number) == sizeof number) promised = number;
    ::close(ends[0]);

    const auto store = open_or_die(folder.file("s.db"));
    std::vector<Octets> values;
    ASSERT_TRUE(store
                    ->for_each("k",
                               [&](std::string_view, OctetsView value) -> Result<void> {
                                 values.push_back(to_octets(value));
                                 return {};
                               })
                    .ok());
    ASSERT_EQ(values.size(), static_cast<std::size_t>(kBatch));
    for (const Octets& value : values) ASSERT_EQ(value, values[0]) << "half a commit";
    const std::uint32_t found = load_be32(std::span<const std::uint8_t, 4>(values[0]));
    EXPECT_GE(found, promised);
    EXPECT_LE(found, promised + 1);
    promised = found;
  }
}

// A limit on the size of files stands for a full disk.
TEST(SqliteStore, AFullDiskFailsTheCommitAndKeepsWhatWasThere) {
  const Folder folder;
  const std::string path = folder.file("s.db");
  ASSERT_TRUE(open_or_die(path)->commit(Write::put("k", "a", view("before"))).ok());
  const pid_t child = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto opened = open_sqlite({path, "gms"});
    if (!opened) ::_exit(3);
    const Write writes[] = {Write::put("k", "a", view("after")), Write::put("k", "b", Octets(400'000, 1))};
    const auto done = opened.value()->commit(writes);
    if (done.ok() || done.error().code != Errc::storage || done.error().cure.empty()) ::_exit(4);
    const auto still = opened.value()->get("k", "a");
    if (!still.ok() || still.value() != to_octets(view("before"))) ::_exit(5);
    if (!opened.value()->commit(Write::put("k", "c", view("small"))).ok()) ::_exit(6);
  });
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  const auto store = open_or_die(path);
  EXPECT_EQ(store->get("k", "a").value(), to_octets(view("before")));
  EXPECT_EQ(store->get("k", "b").value(), std::nullopt);
  EXPECT_EQ(store->get("k", "c").value(), to_octets(view("small")));
}

}  // namespace
}  // namespace regroup::storage
