// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_store.hpp"

#include <sqlite3.h>
#include <stdlib.h>  // realpath
#include <unistd.h>

#include <mutex>
#include <vector>

#include "base/text.hpp"
#include "storage/file_lock.hpp"

namespace regroup::storage {
namespace {

constexpr int kApplicationId = 0x52475250;  // "RGRP" in the file's header, for file(1) and for us
constexpr int kPage = 256;                  // records read per turn of for_each

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Db = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

std::string cure_for(int code, const std::string& path) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "end the program that has " + path + " open (a database shell, a copy tool) and try again";
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return "make room on its disk, then see the system log for disk errors";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "restore " + path + " from a backup; keep the damaged file for examination";
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "make the file and its folder writable for this user";
    default:
      return {};
  }
}

std::string meaning_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "is locked by another program";
    case SQLITE_FULL:
      return "cannot grow: the disk is full";
    case SQLITE_CORRUPT:
      return "is damaged";
    case SQLITE_NOTADB:
      return "is not a database";
    default:
      return std::string("failed: ") + sqlite3_errstr(code);
  }
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, Descriptor lock, Db db)
      : path_(std::move(path)), lock_(std::move(lock)), db_(std::move(db)) {}

  [[nodiscard]] Result<void> prepare_file(const SqliteOptions& options, bool fresh);

  [[nodiscard]] Result<void> commit(std::span<const Write> writes) override;
  [[nodiscard]] Result<std::optional<Octets>> get(std::string_view kind, std::string_view id) override;
  [[nodiscard]] Result<void> for_each(std::string_view kind, const Visit& visit) override;
  [[nodiscard]] Result<void> backup(const std::string& path) override;
  [[nodiscard]] Result<std::string> generation() override;

 private:
  struct Row {
    std::string id;
    Octets value;
  };

  [[nodiscard]] Error trouble(int code) const {
    return fail(Errc::storage, "", path_ + " " + meaning_of(code), cure_for(code, path_));
  }
  [[nodiscard]] Result<void> run(const std::string& sql) {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return trouble(code);
    return {};
  }
  [[nodiscard]] Result<Statement> prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    Statement statement(raw);
    if (code != SQLITE_OK) return trouble(code);
    return statement;
  }
  [[nodiscard]] Result<void> bind(sqlite3_stmt* statement, int at, std::string_view text) {
    const int code = sqlite3_bind_text(statement, at, text.empty() ? "" : text.data(),
                                       static_cast<int>(text.size()), SQLITE_TRANSIENT);
    if (code != SQLITE_OK) return trouble(code);
    return {};
  }
  // True: there is a row.
  [[nodiscard]] Result<bool> step(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return trouble(code);
  }
  [[nodiscard]] Result<std::string> one(std::string_view sql);
  [[nodiscard]] Result<void> create_schema(const std::string& purpose);
  [[nodiscard]] Result<void> check_schema(const std::string& purpose);
  [[nodiscard]] Result<void> write_all(std::span<const Write> writes);
  [[nodiscard]] Result<std::vector<Row>> page_after(std::string_view kind,
                                                    const std::optional<std::string>& last);

  std::string path_;
  Descriptor lock_;  // released after db_ is closed (members die in reverse order)
  Db db_;
  std::mutex mutex_;
};

Octets blob_of(sqlite3_stmt* statement, int column) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, column));
  return to_octets({data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))});
}

std::string text_of_column(sqlite3_stmt* statement, int column) {
  return std::string(text_of(blob_of(statement, column)));
}

Result<std::string> SqliteStore::one(std::string_view sql) {
  const Statement statement = TRY(prepare(sql));
  if (!TRY(step(statement.get()))) return std::string();
  return text_of_column(statement.get(), 0);
}

Result<void> SqliteStore::prepare_file(const SqliteOptions& options, bool fresh) {
  sqlite3_busy_timeout(db_.get(), options.busy_ms);
  sqlite3_extended_result_codes(db_.get(), 1);
  // FULL: a commit is synced before it is answered. secure_delete: erased values leave no trace in free
  // pages.
  TRY(
      run("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA secure_delete=ON; PRAGMA "
          "synchronous=FULL;"));
  // An empty file is what a creation that was cut off leaves behind.
  if (!fresh && TRY(one("PRAGMA page_count")) != "0") TRY(check_schema(options.purpose));
  if (TRY(one("PRAGMA journal_mode=WAL")) != "wal")
    return fail(Errc::storage, "", path_ + " cannot be put into WAL mode",
                "use a local disk, not a network share");
  if (TRY(one("PRAGMA user_version")) == "0") TRY(create_schema(options.purpose));
  return {};
}

Result<void> SqliteStore::create_schema(const std::string& purpose) {
  const auto stop = [this](Error error) {
    (void)run("ROLLBACK");
    return error;
  };
  const std::string version = std::to_string(kSchemaVersion);
  auto made =
      run("BEGIN IMMEDIATE;"
          "CREATE TABLE schema_version(version INTEGER NOT NULL, purpose TEXT NOT NULL, made TEXT NOT NULL) "
          "STRICT;"
          "CREATE TABLE record(kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, UNIQUE(kind, id)) "
          "STRICT;"
          "PRAGMA application_id=" +
          std::to_string(kApplicationId) + "; PRAGMA user_version=" + version + ";");
  if (!made) return stop(std::move(made).error());
  auto statement = prepare("INSERT INTO schema_version VALUES(" + version + ", ?1, datetime('now'))");
  if (!statement) return stop(std::move(statement).error());
  if (auto bound = bind(statement->get(), 1, purpose); !bound) return stop(std::move(bound).error());
  if (auto done = step(statement->get()); !done) return stop(std::move(done).error());
  return run("COMMIT");
}

Result<void> SqliteStore::check_schema(const std::string& purpose) {
  if (TRY(one("PRAGMA application_id")) != std::to_string(kApplicationId))
    return fail(Errc::storage, "", path_ + " is a database of another program",
                "name the store of this server");
  const std::string version = TRY(one("PRAGMA user_version"));
  if (version != std::to_string(kSchemaVersion))
    return fail(Errc::storage, "",
                path_ + " has layout version " + printable(version) + ", this program reads version " +
                    std::to_string(kSchemaVersion),
                "use the program version that wrote it");
  const std::string found = TRY(one("SELECT purpose FROM schema_version"));
  if (found != purpose)
    return fail(Errc::storage, "",
                path_ + " is a store of a " + printable(found) + ", not of a " + printable(purpose),
                "name the store of this server");
  if (TRY(one("PRAGMA quick_check(1)")) != "ok") return trouble(SQLITE_CORRUPT);
  return {};
}

Result<void> SqliteStore::write_all(std::span<const Write> writes) {
  const Statement put =
      TRY(prepare("INSERT INTO record(kind, id, value) VALUES(?1, ?2, ?3) ON CONFLICT(kind, id) DO UPDATE "
                  "SET value=excluded.value"));
  const Statement erase = TRY(prepare("DELETE FROM record WHERE kind=?1 AND id=?2"));
  for (const Write& write : writes) {
    sqlite3_stmt* statement = write.value ? put.get() : erase.get();
    sqlite3_reset(statement);
    TRY(bind(statement, 1, write.kind));
    TRY(bind(statement, 2, write.id));
    if (write.value) {
      const void* data = write.value->empty() ? static_cast<const void*>("") : write.value->data();
      const int code = sqlite3_bind_blob64(statement, 3, data, write.value->size(), SQLITE_STATIC);
      if (code != SQLITE_OK) return trouble(code);
    }
    TRY(step(statement));
  }
  return {};
}

Result<void> SqliteStore::commit(std::span<const Write> writes) {
  TRY(check(writes));
  const std::lock_guard lock(mutex_);
  TRY(run("BEGIN IMMEDIATE"));
  auto done = write_all(writes);
  if (done) done = run("COMMIT");
  if (!done && !sqlite3_get_autocommit(db_.get())) (void)run("ROLLBACK");
  return done;
}

Result<std::optional<Octets>> SqliteStore::get(std::string_view kind, std::string_view id) {
  const std::lock_guard lock(mutex_);
  const Statement statement = TRY(prepare("SELECT value FROM record WHERE kind=?1 AND id=?2"));
  TRY(bind(statement.get(), 1, kind));
  TRY(bind(statement.get(), 2, id));
  if (!TRY(step(statement.get()))) return std::optional<Octets>();
  return std::optional<Octets>(blob_of(statement.get(), 0));
}

Result<std::vector<SqliteStore::Row>> SqliteStore::page_after(std::string_view kind,
                                                              const std::optional<std::string>& last) {
  const std::lock_guard lock(mutex_);
  const Statement statement =
      TRY(prepare("SELECT id, value FROM record WHERE kind=?1 AND (?2 IS NULL OR id>?2) ORDER BY id LIMIT " +
                  std::to_string(kPage)));
  TRY(bind(statement.get(), 1, kind));
  if (last) TRY(bind(statement.get(), 2, *last));
  std::vector<Row> rows;
  while (TRY(step(statement.get())))
    rows.push_back({text_of_column(statement.get(), 0), blob_of(statement.get(), 1)});
  return rows;
}

Result<void> SqliteStore::for_each(std::string_view kind, const Visit& visit) {
  std::optional<std::string> last;
  for (;;) {
    const std::vector<Row> rows = TRY(page_after(kind, last));
    for (const Row& row : rows) TRY(visit(row.id, row.value));
    if (rows.size() < kPage) return {};
    last = rows.back().id;
  }
}

Result<std::string> SqliteStore::generation() {
  const std::lock_guard lock(mutex_);
  return one("PRAGMA data_version");
}

// Written beside the target and linked into place, so that a backup file is whole from the moment it has its
// name.
Result<void> SqliteStore::backup(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const std::string part = path + ".part";
  ::unlink(part.c_str());  // of a backup that was cut off
  TRY(create_private_file(part));
  const auto copy = [&]() -> Result<void> {
    const Statement statement = TRY(prepare("VACUUM INTO ?1"));
    TRY(bind(statement.get(), 1, part));
    TRY(step(statement.get()));
    TRY(sync_path(part));
    if (::link(part.c_str(), path.c_str()) != 0)
      return fail(Errc::storage, "", "cannot make backup " + path, "name a file that does not exist");
    return sync_path(folder_of(path));
  };
  auto done = copy();
  ::unlink(part.c_str());
  return done;
}

// One name per file, whatever links lead to it: the lock must be the same for all of them.
std::string canonical(const std::string& path) {
  char* resolved = ::realpath(folder_of(path).c_str(), nullptr);
  if (!resolved) return path;
  const std::size_t slash = path.rfind('/');
  std::string whole =
      std::string(resolved) + "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
  ::free(resolved);
  char* file = ::realpath(whole.c_str(), nullptr);
  if (!file) return whole;
  whole = file;
  ::free(file);
  return whole;
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options) {
  const std::string path = canonical(options.path);
  const bool fresh = ::access(path.c_str(), F_OK) != 0;
  if (fresh && !options.create)
    return fail(Errc::storage, "", options.path + " does not exist",
                "name an existing store, or let it be created");
  Descriptor lock;
  if (!options.shared) lock = TRY(lock_file(path + ".lock"));
  if (fresh) TRY(create_private_file(path));
  TRY(check_private_file(path));
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  auto store = std::make_unique<SqliteStore>(path, std::move(lock), Db(raw));
  if (code != SQLITE_OK) return fail(Errc::storage, "", path + " " + meaning_of(code), cure_for(code, path));
  TRY(store->prepare_file(options, fresh));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace regroup::storage
