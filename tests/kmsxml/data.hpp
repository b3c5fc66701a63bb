// SPDX-License-Identifier: Apache-2.0
// The documents of tests/kmsxml/data (see README.md there).
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace regroup::test {

inline std::string kms_document(const std::string& name) {
  std::ifstream file(std::string(REGROUP_TEST_DIR) + "/kmsxml/data/" + name);
  if (!file) throw std::runtime_error("no document " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// `text` with the first `from` replaced; throws when there is none, so that a test cannot pass by missing its
// target.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("\"" + from + "\" is not in the document");
  return text.replace(at, from.size(), to);
}

inline std::string replaced_everywhere(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace regroup::test
