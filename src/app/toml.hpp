// SPDX-License-Identifier: Apache-2.0
// Configuration files (TOML): every error names file, line and key; a key that nobody asked for is an error,
// so that a misspelt one cannot silently keep its default.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace regroup::app {

class TomlTable {
 public:
  [[nodiscard]] static Result<TomlTable> read_file(const std::string& path);
  [[nodiscard]] static Result<TomlTable> parse(const std::string& text, const std::string& name);

  [[nodiscard]] bool has(const std::string& key) const;
  // Required; a missing key is an error that names it and its purpose.
  [[nodiscard]] Result<std::string> text(const std::string& key);
  [[nodiscard]] Result<std::string> text_or(const std::string& key, std::string otherwise);
  [[nodiscard]] Result<std::int64_t> integer_or(const std::string& key, std::int64_t otherwise,
                                                std::int64_t least, std::int64_t most);
  [[nodiscard]] Result<bool> flag_or(const std::string& key, bool otherwise);
  [[nodiscard]] Result<std::vector<std::string>> texts_or(const std::string& key,
                                                          std::vector<std::string> otherwise);
  // A sub-table; an absent one reads as empty.
  [[nodiscard]] Result<TomlTable> table(const std::string& key);
  [[nodiscard]] Result<std::vector<TomlTable>> tables(const std::string& key);
  // All keys with text values of a table whose keys are data ([kms_of]).
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> all_texts();
  // A file name, relative to the configuration file.
  [[nodiscard]] Result<std::string> file(const std::string& key);
  [[nodiscard]] Result<std::string> file_or(const std::string& key, std::string otherwise);

  // Errc::usage for the first key that was not read, here or in a sub-table.
  [[nodiscard]] Result<void> finish() const;

  struct Node;
  explicit TomlTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}

 private:
  std::shared_ptr<Node> node_;
};

}  // namespace regroup::app
