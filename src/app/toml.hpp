// SPDX-License-Identifier: Apache-2.0
// Configuration files (TOML): every error names file, line, key, rule and cure; an unknown key is an error
// before any missing one, so that a misspelt one neither keeps its default nor is reported as left out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"

namespace regroup::app {

class TomlTable {
 public:
  [[nodiscard]] static Result<TomlTable> read_file(const std::string& path);
  [[nodiscard]] static Result<TomlTable> parse(const std::string& text, const std::string& name);

  // The keys a table may have.
  using Keys = std::vector<std::string_view>;
  // Errc::usage for the first key that is none of them, with the nearest one.
  [[nodiscard]] Result<void> only(const Keys& known) const;

  [[nodiscard]] bool has(const std::string& key) const;
  // Required; a missing key is an error that names it and its purpose.
  [[nodiscard]] Result<std::string> text(const std::string& key);
  [[nodiscard]] Result<std::string> text_or(const std::string& key, std::string otherwise);
  [[nodiscard]] Result<std::int64_t> integer_or(const std::string& key, std::int64_t otherwise,
                                                std::int64_t least, std::int64_t most);
  [[nodiscard]] Result<bool> flag_or(const std::string& key, bool otherwise);
  [[nodiscard]] Result<std::vector<std::string>> texts_or(const std::string& key,
                                                          std::vector<std::string> otherwise);
  // Required, and read by `read` (text -> Result<T>), whose error gets its place in the file.
  template <class Parse>
  [[nodiscard]] std::invoke_result_t<Parse, std::string> parsed(const std::string& key, Parse read) {
    auto value = read(TRY(text(key)));
    if (!value.ok()) return placed(key, value.error());
    return value;
  }
  // A list whose items `read` reads; an absent one reads as empty.
  template <class Parse>
  [[nodiscard]] auto each(const std::string& key, Parse read)
      -> Result<std::vector<std::decay_t<decltype(read(std::string()).value())>>> {
    std::vector<std::decay_t<decltype(read(std::string()).value())>> out;
    const std::vector<std::string> items = TRY(texts_or(key, {}));
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto value = read(items[i]);
      if (!value.ok()) return placed(key, value.error(), i);
      out.push_back(std::move(value).value());
    }
    return out;
  }
  // A sub-table with those keys; an absent one reads as empty.
  [[nodiscard]] Result<TomlTable> table(const std::string& key, const Keys& known);
  [[nodiscard]] Result<std::vector<TomlTable>> tables(const std::string& key, const Keys& known);
  // All keys with text values of a sub-table whose keys are data ([kms_of]).
  [[nodiscard]] Result<TomlTable> open_table(const std::string& key);
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> all_texts();
  // A file name, relative to the configuration file.
  [[nodiscard]] Result<std::string> file(const std::string& key);
  // The same of a file that must be there already, and be what `check` wants: check_files() looks.
  using FileCheck = std::function<Result<void>(const std::string& path)>;
  [[nodiscard]] Result<std::string> present_file(const std::string& key, FileCheck check = {});

  // Errc::usage about the value of `key`, with file and line. An empty `clause` or `cure` points to the
  // manual.
  [[nodiscard]] Error wrong(const std::string& key, std::string_view clause, const std::string& what,
                            std::string cure) const;
  // The error of whoever read the value of `key` (the item-th of a list), with file and line.
  static constexpr std::size_t kWhole = SIZE_MAX;
  [[nodiscard]] Error placed(const std::string& key, const Error& error, std::size_t item = kWhole) const;

  // Errc::usage for the first of all present_file()s of this document that cannot be read or does not pass
  // its check, with its place.
  [[nodiscard]] Result<void> check_files() const;

  struct Node;
  explicit TomlTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}

 private:
  std::shared_ptr<Node> node_;
};

}  // namespace regroup::app
