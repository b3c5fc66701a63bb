// SPDX-License-Identifier: Apache-2.0
#include "app/toml.hpp"

#include <toml++/toml.h>

#include <filesystem>
#include <set>

#include "base/text.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kManual = "docs/operations.md";

}  // namespace

struct TomlTable::Node {
  std::shared_ptr<toml::table> root;  // keeps the tree alive
  const toml::table* table = nullptr;
  std::string file;
  std::string path;             // "kms." for messages
  toml::source_index line = 1;  // where the table begins
  std::set<std::string> used;
  std::vector<std::shared_ptr<Node>> inner;

  // `at`: the value in question; without one the line is that of the table it should stand in.
  [[nodiscard]] Error error(const std::string& key, const toml::node* at, std::string_view clause,
                            const std::string& what, std::string cure) const {
    const auto place = at ? at->source().begin.line : line;
    return fail(Errc::usage, clause.empty() ? kManual : clause,
                file + ":" + std::to_string(place) + ": " + path + printable(key) + ": " + what,
                cure.empty() ? std::string(kManual) + " says what it holds" : std::move(cure));
  }
  const toml::node* take(const std::string& key) {
    used.insert(key);
    return table ? table->get(key) : nullptr;
  }
};

namespace {

// Reads one value of a TOML type, with its own words for a wrong one.
template <class T>
Result<std::optional<T>> value_of(TomlTable::Node& node, const std::string& key, const char* kind) {
  const toml::node* found = node.take(key);
  if (!found) return std::optional<T>();
  const auto value = found->value_exact<T>();
  if (!value)
    return node.error(key, found, {}, std::string("must be ") + kind, "write it as " + std::string(kind));
  return std::optional<T>(*value);
}

TomlTable table_in(TomlTable::Node& outer, const std::string& key, const toml::table* table) {
  auto inner = std::make_shared<TomlTable::Node>();
  inner->root = outer.root;
  inner->table = table;
  inner->file = outer.file;
  inner->path = outer.path + key + ".";
  inner->line = table ? table->source().begin.line : outer.line;
  outer.inner.push_back(inner);
  return TomlTable(std::move(inner));
}

}  // namespace

Result<TomlTable> TomlTable::parse(const std::string& text, const std::string& name) {
  auto node = std::make_shared<Node>();
  node->file = name;
  try {
    node->root = std::make_shared<toml::table>(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    return fail(
        Errc::usage, "TOML 1.0",
        name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()),
        "correct that line");
  }
  node->table = node->root.get();
  return TomlTable(std::move(node));
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

bool TomlTable::has(const std::string& key) const { return node_->table && node_->table->contains(key); }

Result<std::string> TomlTable::text(const std::string& key) {
  const auto value = TRY(value_of<std::string>(*node_, key, "a text"));
  if (!value)
    return node_->error(key, nullptr, {}, "is missing",
                        "add it: " + std::string(kManual) + " says what it holds");
  if (value->empty()) return node_->error(key, node_->table->get(key), {}, "is empty", {});
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
    return node_->error(key, node_->table->get(key), {},
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
  const toml::node* found = node_->take(key);
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

Result<TomlTable> TomlTable::table(const std::string& key) {
  const toml::node* found = node_->take(key);
  if (found && !found->is_table())
    return node_->error(key, found, {}, "must be a table", "write it below [" + node_->path + key + "]");
  return table_in(*node_, key, found ? found->as_table() : nullptr);
}

Result<std::vector<TomlTable>> TomlTable::tables(const std::string& key) {
  std::vector<TomlTable> out;
  const toml::node* found = node_->take(key);
  if (!found) return out;
  const toml::array* array = found->as_array();
  const std::string cure = "write each below [[" + node_->path + key + "]]";
  if (!array) return node_->error(key, found, {}, "must be an array of tables", cure);
  for (const toml::node& one : *array) {
    if (!one.is_table()) return node_->error(key, &one, {}, "must be an array of tables", cure);
    out.push_back(table_in(*node_, key, one.as_table()));
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
                            : (std::filesystem::path(node_->file).parent_path() / name).string();
}

Result<std::string> TomlTable::file_or(const std::string& key, std::string otherwise) {
  if (!has(key) || node_->table->get(key)->value_or(std::string("x")).empty()) {
    node_->used.insert(key);
    return otherwise;
  }
  return file(key);
}

Error TomlTable::wrong(const std::string& key, std::string_view clause, const std::string& what,
                       std::string cure) const {
  return node_->error(key, node_->table ? node_->table->get(key) : nullptr, clause, what, std::move(cure));
}

Error TomlTable::placed(const std::string& key, const Error& error, std::size_t item) const {
  const toml::node* at = node_->table ? node_->table->get(key) : nullptr;
  if (at && at->is_array() && at->as_array()->get(item)) at = at->as_array()->get(item);
  return node_->error(key, at, error.clause, error.detail, error.cure);
}

Result<void> TomlTable::finish() const {
  if (node_->table)
    for (const auto& [key, value] : *node_->table)
      if (!node_->used.count(std::string(key.str())))
        return node_->error(std::string(key.str()), &value, {}, "is not a known key",
                            "check its spelling and its table: " + std::string(kManual) + " lists the keys");
  for (const auto& inner : node_->inner) TRY(TomlTable(inner).finish());
  return {};
}

}  // namespace regroup::app
