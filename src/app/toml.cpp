// SPDX-License-Identifier: Apache-2.0
#include "app/toml.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/spelling.hpp"
#include "base/text.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kManual = "docs/operations.md";

// A file somebody named, and where.
struct NamedFile {
  std::string place, path;
  TomlTable::FileCheck check;
};
struct Document {
  std::string file;
  toml::table tree;
  std::vector<NamedFile> present;
};

// Why a file cannot be read; empty when it can. A pipe is not waited for.
std::string why_unreadable(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::strerror(errno);
  struct stat about {};
  const bool directory = ::fstat(fd, &about) == 0 && S_ISDIR(about.st_mode);
  ::close(fd);
  return directory ? std::strerror(EISDIR) : "";
}

}  // namespace

struct TomlTable::Node {
  std::shared_ptr<Document> document;  // keeps the tree alive
  const toml::table* table = nullptr;
  std::string path;             // "kms." for messages
  toml::source_index line = 1;  // where the table begins

  [[nodiscard]] const toml::node* get(const std::string& key) const {
    return table ? table->get(key) : nullptr;
  }
  // "gms.toml:12: tls.cert"
  [[nodiscard]] std::string place(const std::string& key, const toml::node* at) const {
    return document->file + ":" + std::to_string(at ? at->source().begin.line : line) + ": " + path +
           printable(key);
  }

  // `at`: the value in question; without one the line is that of the table it should stand in.
  [[nodiscard]] Error error(const std::string& key, const toml::node* at, std::string_view clause,
                            const std::string& what, std::string cure) const {
    return fail(Errc::usage, clause.empty() ? kManual : clause, place(key, at) + ": " + what,
                cure.empty() ? std::string(kManual) + " says what it holds" : std::move(cure));
  }
};

namespace {

// Reads one value of a TOML type, with its own words for a wrong one.
template <class T>
Result<std::optional<T>> value_of(const TomlTable::Node& node, const std::string& key, const char* kind) {
  const toml::node* found = node.get(key);
  if (!found) return std::optional<T>();
  const auto value = found->value_exact<T>();
  if (!value)
    return node.error(key, found, {}, std::string("must be ") + kind, "write it as " + std::string(kind));
  return std::optional<T>(*value);
}

TomlTable table_in(const TomlTable::Node& outer, const std::string& key, const toml::table* table) {
  return TomlTable(std::make_shared<TomlTable::Node>(TomlTable::Node{
      outer.document, table, outer.path + key + ".", table ? table->source().begin.line : outer.line}));
}

}  // namespace

Result<TomlTable> TomlTable::parse(const std::string& text, const std::string& name) {
  auto document = std::make_shared<Document>();
  document->file = name;
  try {
    document->tree = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(
        Errc::usage, "TOML 1.0",
        name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()),
        "correct that line");
  }
  const toml::table* const tree = &document->tree;
  return TomlTable(std::make_shared<Node>(Node{std::move(document), tree, {}, 1}));
}

Result<TomlTable> TomlTable::read_file(const std::string& path) {
  std::error_code code;
  const auto size = std::filesystem::file_size(path, code);
  if (code)
    return fail(Errc::usage, kManual, "configuration file " + path + " cannot be read: " + code.message(),
                "name the file with --config");
  if (size > 1024 * 1024)
    return fail(Errc::usage, kManual, "configuration file " + path + " is larger than 1 MiB",
                "name a configuration file");
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file)
    return fail(Errc::usage, kManual, "configuration file " + path + " cannot be opened",
                "check its name and its mode");
  std::string text(size, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return parse(text, path);
}

Result<void> TomlTable::only(const Keys& known) const {
  if (!node_->table) return {};
  const toml::node* first = nullptr;
  std::string unknown;
  for (const auto& [key, value] : *node_->table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    if (first && first->source().begin.line <= value.source().begin.line) continue;
    first = &value;
    unknown = key.str();
  }
  if (!first) return {};
  const std::string_view meant = nearest(unknown, known);
  return node_->error(unknown, first, {}, "is not a known key",
                      meant.empty()
                          ? "check its spelling and its table: " + std::string(kManual) + " lists the keys"
                          : "did you mean " + std::string(meant) + "?");
}

bool TomlTable::has(const std::string& key) const { return node_->table && node_->table->contains(key); }

Result<std::string> TomlTable::text(const std::string& key) {
  const auto value = TRY(value_of<std::string>(*node_, key, "a text"));
  if (!value)
    return node_->error(key, nullptr, {}, "is missing",
                        "add it: " + std::string(kManual) + " says what it holds");
  if (value->empty()) return node_->error(key, node_->get(key), {}, "is empty", {});
  return *value;
}

Result<std::string> TomlTable::text_or(const std::string& key, std::string otherwise) {
  const auto value = TRY(value_of<std::string>(*node_, key, "a text"));
  return value.value_or(std::move(otherwise));
}

Result<std::int64_t> TomlTable::integer_or(const std::string& key, std::int64_t otherwise, std::int64_t least,
                                           std::int64_t most) {
  const auto value = TRY(value_of<std::int64_t>(*node_, key, "a whole number"));
  if (value && (*value < least || *value > most))
    return node_->error(key, node_->get(key), {},
                        "is " + std::to_string(*value) + ", must lie between " + std::to_string(least) +
                            " and " + std::to_string(most),
                        "choose a value in that range; the default is " + std::to_string(otherwise));
  return value.value_or(otherwise);
}

Result<bool> TomlTable::flag_or(const std::string& key, bool otherwise) {
  const auto value = TRY(value_of<bool>(*node_, key, "true or false"));
  return value.value_or(otherwise);
}

Result<std::vector<std::string>> TomlTable::texts_or(const std::string& key,
                                                     std::vector<std::string> otherwise) {
  const toml::node* found = node_->get(key);
  if (!found) return otherwise;
  const toml::array* array = found->as_array();
  const std::string cure = "write " + key + " = [\"…\", \"…\"]";
  if (!array) return node_->error(key, found, {}, "must be a list of texts", cure);
  std::vector<std::string> out;
  for (const toml::node& one : *array) {
    const auto value = one.value_exact<std::string>();
    if (!value) return node_->error(key, &one, {}, "must be a list of texts", cure);
    out.push_back(*value);
  }
  return out;
}

Result<TomlTable> TomlTable::open_table(const std::string& key) {
  const toml::node* found = node_->get(key);
  if (found && !found->is_table())
    return node_->error(key, found, {}, "must be a table", "write it below [" + node_->path + key + "]");
  return table_in(*node_, key, found ? found->as_table() : nullptr);
}

Result<TomlTable> TomlTable::table(const std::string& key, const Keys& known) {
  TomlTable inner = TRY(open_table(key));
  TRY(inner.only(known));
  return inner;
}

Result<std::vector<TomlTable>> TomlTable::tables(const std::string& key, const Keys& known) {
  std::vector<TomlTable> out;
  const toml::node* found = node_->get(key);
  if (!found) return out;
  const toml::array* array = found->as_array();
  const std::string cure = "write each below [[" + node_->path + key + "]]";
  if (!array) return node_->error(key, found, {}, "must be an array of tables", cure);
  for (const toml::node& one : *array) {
    if (!one.is_table()) return node_->error(key, &one, {}, "must be an array of tables", cure);
    out.push_back(table_in(*node_, key, one.as_table()));
    TRY(out.back().only(known));
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> TomlTable::all_texts() {
  std::vector<std::pair<std::string, std::string>> out;
  if (!node_->table) return out;
  for (const auto& [key, value] : *node_->table) {
    const std::string name(key.str());
    out.emplace_back(name, TRY(text(name)));
  }
  return out;
}

Result<std::string> TomlTable::file(const std::string& key) {
  const std::filesystem::path name = TRY(text(key));
  return name.is_absolute() ? name.string()
                            : (std::filesystem::path(node_->document->file).parent_path() / name).string();
}

Result<std::string> TomlTable::present_file(const std::string& key, FileCheck check) {
  std::string path = TRY(file(key));
  node_->document->present.push_back({node_->place(key, node_->get(key)), path, std::move(check)});
  return path;
}

Result<void> TomlTable::check_files() const {
  for (const NamedFile& one : node_->document->present) {
    if (const std::string why = why_unreadable(one.path); !why.empty())
      return fail(Errc::usage, kManual, one.place + ": " + printable(one.path) + " cannot be read: " + why,
                  "put the file there, or correct its name");
    const Result<void> good = one.check ? one.check(one.path) : Result<void>();
    if (!good.ok())
      return fail(Errc::usage, good.error().clause.empty() ? kManual : good.error().clause,
                  one.place + ": " + good.error().detail, good.error().cure);
  }
  return {};
}

Error TomlTable::wrong(const std::string& key, std::string_view clause, const std::string& what,
                       std::string cure) const {
  return node_->error(key, node_->get(key), clause, what, std::move(cure));
}

Error TomlTable::placed(const std::string& key, const Error& error, std::size_t item) const {
  const toml::node* at = node_->get(key);
  if (at && at->is_array() && at->as_array()->get(item)) at = at->as_array()->get(item);
  return node_->error(key, at, error.clause, error.detail, error.cure);
}

}  // namespace regroup::app
