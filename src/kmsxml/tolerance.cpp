// SPDX-License-Identifier: Apache-2.0
#include "kmsxml/tolerance.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace regroup::kmsxml {
namespace {

struct Known {
  std::string_view name;
  int trap;
};

// In the order of the enumeration.
constexpr std::array<Known, kTolerances> kKnown{{
    {"uid-as-hex-text", 1},
    {"epoch-1970", 2},
    {"hex-uid", 4},
    {"other-uid", 4},
    {"ssk-length", 5},
    {"no-xsi-type", 6},
    {"element-order", 7},
    {"namespace", 8},
    {"hex-cipher", 10},
    {"c14n-form", 11},
    {"outer-id", 11},
    {"zoneless-time", 16},
    {"base64-key", 21},
    {"spaced-key", 21},
    {"req-url-path", 22},
}};

constexpr std::string_view kNamespaceEntry = "namespace:";

const Known& known(Tolerance tolerance) { return kKnown[static_cast<std::size_t>(tolerance)]; }

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? "" : ", ") + one;
  return out;
}

Error unknown_entry(std::string_view entry) {
  std::vector<std::string> names;
  for (const Known& one : kKnown)
    names.emplace_back(one.name == "namespace" ? std::string(kNamespaceEntry) + "URI"
                                               : std::string(one.name));
  return fail(Errc::usage, "docs/wire.md, Traps", "there is no tolerance " + printable(entry, 60),
              "choose among " + joined(names));
}

}  // namespace

std::string_view name_of(Tolerance tolerance) { return known(tolerance).name; }
int trap_of(Tolerance tolerance) { return known(tolerance).trap; }

void Tally::add(const Tally& other) {
  for (std::size_t i = 0; i < kTolerances; ++i) counts_[i] += other.counts_[i];
}

std::string Tally::text() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < kTolerances; ++i)
    if (counts_[i] > 0) out.push_back(std::string(kKnown[i].name) + " " + std::to_string(counts_[i]));
  return joined(out);
}

Result<void> Profile::allow(std::string_view entry) {
  if (entry.substr(0, kNamespaceEntry.size()) == kNamespaceEntry && entry.size() > kNamespaceEntry.size()) {
    allowed.insert(Tolerance::namespace_of);
    const std::string uri(entry.substr(kNamespaceEntry.size()));
    if (std::find(namespaces.begin(), namespaces.end(), uri) == namespaces.end()) namespaces.push_back(uri);
    return {};
  }
  for (std::size_t i = 0; i < kTolerances; ++i) {
    if (kKnown[i].name != entry || static_cast<Tolerance>(i) == Tolerance::namespace_of) continue;
    allowed.insert(static_cast<Tolerance>(i));
    return {};
  }
  return unknown_entry(entry);
}

std::string Profile::text() const {
  std::vector<std::string> out;
  for (const Tolerance one : allowed)
    if (one != Tolerance::namespace_of) out.emplace_back(name_of(one));
  for (const std::string& one : namespaces)
    if (one != kNamespace) out.push_back(std::string(kNamespaceEntry) + one);
  return joined(out);
}

Profile Profile::all_forms() {
  Profile out;
  for (std::size_t i = 0; i < kTolerances; ++i) out.allowed.insert(static_cast<Tolerance>(i));
  out.allowed.erase(Tolerance::uid_as_hex_text);
  out.allowed.erase(Tolerance::epoch_1970);
  out.namespaces.emplace_back("TOBEDEFINED");
  return out;
}

std::string cure_by(Tolerance tolerance, std::string_view entry) {
  const std::string name(entry.empty() ? name_of(tolerance) : entry);
  return "have the KMS corrected, or write tolerate = [\"" + name +
         "\"] into [kms] (kms-client: --tolerate " + name + "): trap T-" + std::to_string(trap_of(tolerance));
}

}  // namespace regroup::kmsxml
