// SPDX-License-Identifier: Apache-2.0
// Every MIKEY message of the vector files by name: our worked examples and what other vendors published.
#pragma once

#include <map>

#include "mikey/message.hpp"
#include "vectors.hpp"

namespace regroup::test {

inline Octets unhex(const char* text) { return unhex(std::string(text)); }

// The one published message that must not parse: #CS = 0 with a GENERIC-ID map (it is also undecryptable).
inline constexpr std::string_view kBrokenVendorMessage = "vendor B v3/2/PCK";

inline Octets worked(const std::string& name = "explicit_cs_and_sp") {
  return unhex(vectors("worked-imessage.json")["messages"][name]);
}

inline const nlohmann::json& vendor_domains() {
  static const nlohmann::json all = vectors("vendor-messages.json");
  return all["domains"];
}

inline std::map<std::string, Octets> vendor_messages() {
  std::map<std::string, Octets> out;
  for (const auto& domain : vendor_domains()) {
    int number = 0;
    for (const auto& entry : domain["messages"])
      out[domain["name"].get<std::string>() + "/" + std::to_string(number++) + "/" +
          entry["kind"].get<std::string>()] = from_base64(entry["message"].get<std::string>()).value();
  }
  return out;
}

// Worked and vendor messages that parse.
inline std::map<std::string, Octets> good_messages() {
  std::map<std::string, Octets> out = vendor_messages();
  out.erase(std::string(kBrokenVendorMessage));
  for (const char* name : {"explicit_cs_and_sp", "empty_map_default_profile", "hidden_identities"})
    out[name] = worked(name);
  return out;
}

}  // namespace regroup::test
