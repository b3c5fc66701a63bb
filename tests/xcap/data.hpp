// SPDX-License-Identifier: Apache-2.0
// Test data of this room, and what hostile XML looks like.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/octets.hpp"

namespace regroup::xcap {

inline std::string data(const std::string& name) {
  std::ifstream in(std::string(REGROUP_TEST_DIR) + "/xcap/data/" + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// Every one of these is refused by every reader of this room.
inline std::vector<std::string> hostile_documents(const std::string& root) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  std::string bomb = "<!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    bomb += std::string("<!ENTITY ") + c + " \"&" + before + ";&" + before + ";&" + before + ";&" + before +
            ";\">";
  }
  return {
      "",
      "not XML at all",
      "<" + root,
      "<" + root + "/><" + root + "/>",
      "<!DOCTYPE " + root + " SYSTEM \"file:///etc/passwd\"><" + root + "/>",
      "<!DOCTYPE " + root + " [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><" + root + ">&x;</" + root + ">",
      bomb + "]><b>&j;</b>",
      "<" + root + "><p:unbound/></" + root + ">",
      deep,
      "<?xml version=\"1.0\" encoding=\"UTF-16\"?><" + root + "/>",
      "<" + root + ">\xff\xfe</" + root + ">",
      "<" + root + ">&undefined;</" + root + ">",
      "<" + root + " a=\"1\" a=\"2\"/>",
      "<" + root + " xmlns=\"urn:nothing:known\"/>"};
}

// Text cut at every octet and with single octets changed must be read or refused, never more.
template <class Parse>
void survives_damage(const std::string& text, Parse parse) {
  for (std::size_t cut = 0; cut < text.size(); cut += 1 + text.size() / 400) parse(text.substr(0, cut));
  for (std::size_t at = 0; at < text.size(); at += 1 + text.size() / 400)
    for (const char c : {'\0', '<', '"', ' ', '9'}) {
      std::string changed = text;
      changed[at] = c;
      parse(changed);
    }
}

}  // namespace regroup::xcap
