// SPDX-License-Identifier: Apache-2.0
// Configuration texts of tests: the examples of the manual, written to a file, changed line by line, and what
// is said about them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/issuer.hpp"
#include "app/kms/kms_lab.hpp"
#include "app/tls_lab.hpp"
#include "base/result.hpp"

namespace regroup::test {

// docs/examples/NAME.
inline std::string example(const std::string& name) {
  std::ifstream file(std::string(REGROUP_TEST_DIR) + "/../docs/examples/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// A transport key file that can be read (docs/formats.md).
inline std::string transport_key_text() {
  return "{\"trk_id\":\"tk.1\",\"trk\":\"" + std::string(64, '1') + "\",\"ink_id\":\"ink.1\",\"ink\":\"" +
         std::string(64, '2') + "\"}\n";
}

// One CA, one server of the example's name and one token issuer for all configuration files.
inline const std::string& lab_directory() {
  static const TemporaryDirectory directory;
  static const bool made =
      app::LabCa::make(directory.path).value().issue({"gms", {}, {"sip:gms@mcx.example"}}).ok() &&
      app::Issuer::make(directory.path, "https://idms.mcx.example").ok();
  EXPECT_TRUE(made);
  return directory.path;
}
inline std::string lab_file(const std::string& name) {
  const char* const kind = name.ends_with("-cert.pem")  ? "/gms-cert.pem"
                           : name.ends_with("-key.pem") ? "/gms-key.pem"
                           : name.ends_with(".json")    ? "/jwks.json"
                                                        : "/ca.pem";
  return lab_directory() + kind;
}

// A file of that text in a directory of its own, with a good file for each certificate, key, CA and JWKS it
// names, and for transport keys.
struct ConfigFile {
  ConfigFile(const std::string& name, const std::string& text) : path(directory.path + "/" + name) {
    std::ofstream(path) << text;
    std::istringstream pieces(text);
    for (std::string piece; std::getline(pieces, piece, '"');)
      if (piece.ends_with("-trk.json"))
        put(piece, transport_key_text());
      else if (piece[0] != '/' && (piece.ends_with(".pem") || piece.ends_with(".json")))
        std::filesystem::copy_file(lab_file(piece), directory.path + "/" + piece,
                                   std::filesystem::copy_options::overwrite_existing);
  }
  void put(const std::string& name, const std::string& content, mode_t mode = 0600) const {
    std::ofstream(directory.path + "/" + name, std::ios::trunc) << content;
    ::chmod((directory.path + "/" + name).c_str(), mode);
  }
  TemporaryDirectory directory;
  std::string path;
};

// `text` with the last line that starts with `start` replaced; "" drops it.
inline std::string with_line(const std::string& text, const std::string& start, const std::string& line) {
  const std::size_t before = text.rfind("\n" + start);
  EXPECT_NE(before, std::string::npos) << "no line " << start;
  if (before == std::string::npos) return text;
  const std::size_t end = text.find('\n', before + 1);
  return text.substr(0, before) + (line.empty() ? "" : "\n" + line) + text.substr(end);
}

// The number of the last line that starts so.
inline int line_of(const std::string& text, const std::string& start) {
  const std::size_t before = text.rfind("\n" + start);
  EXPECT_NE(before, std::string::npos) << "no line " << start;
  return 2 +
         static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(before), '\n'));
}

// An error of configuration: file, line, key, clause and cure.
inline void expect_config_error(const Error& error, const std::string& file, int line, const std::string& key,
                                const std::string& cure) {
  EXPECT_EQ(error.code, Errc::usage) << error.text();
  EXPECT_THAT(error.detail, testing::HasSubstr(file + ":" + std::to_string(line) + ": " + key + ": "));
  EXPECT_FALSE(error.clause.empty()) << error.text();
  EXPECT_THAT(error.cure, testing::HasSubstr(cure)) << error.text();
}

}  // namespace regroup::test
