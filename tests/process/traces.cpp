// SPDX-License-Identifier: Apache-2.0
#include "process/traces.hpp"

#include <string.h>  // memmem

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.hpp"

namespace regroup::process {
namespace {

constexpr std::size_t kWindow = 24;  // octets; enough that chance finds nothing

// The characters of a base64 text that these octets alone decide when `before` octets stand in front of them.
std::string aligned(OctetsView secret, std::size_t before, std::string (*encode)(OctetsView)) {
  Octets padded(before, 0);
  padded.insert(padded.end(), secret.begin(), secret.end());
  const std::size_t first = (before * 4 + 2) / 3, last = padded.size() * 4 / 3;
  return encode(padded).substr(first, last - first);
}

void add_forms(OctetsView secret, std::vector<Form>& out) {
  out.push_back({"raw", std::string(text_of(secret))});
  out.push_back({"hex", hex(secret)});
  out.push_back({"HEX", hex_upper(secret)});
  for (std::size_t before = 0; before < 3; ++before) {
    out.push_back({"base64", aligned(secret, before, base64)});
    out.push_back({"base64url", aligned(secret, before, base64url)});
  }
}

bool holds(std::string_view text, const std::string& form) {
  return memmem(text.data(), text.size(), form.data(), form.size()) != nullptr;
}

bool ends_with(std::string_view text, std::string_view end) {
  return !end.empty() && text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

std::vector<Form> forms_of(OctetsView secret) {
  std::vector<Form> out;
  if (secret.size() <= 2 * kWindow) {
    add_forms(secret, out);
  } else {
    add_forms(secret.first(kWindow), out);
    add_forms(secret.last(kWindow), out);
  }
  return out;
}

void Traces::look_for(const std::string& name, OctetsView secret, const std::string& home) {
  secrets_.push_back({name, home, forms_of(secret)});
}

std::vector<std::string> Traces::in(std::string_view text, std::string_view file) const {
  std::vector<std::string> found;
  for (const Wanted& secret : secrets_) {
    if (ends_with(file, secret.home)) continue;
    for (const Form& form : secret.forms)
      if (holds(text, form.text)) found.push_back(form.name + " of " + secret.name);
  }
  return found;
}

std::vector<std::string> Traces::below(const std::string& directory) const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    for (const std::string& what : in(contents(path), path)) found.push_back(path + ": " + what);
  }
  return found;
}

std::vector<std::string> Traces::of(pid_t process) const {
  std::vector<std::string> found;
  for (const char* what : {"cmdline", "environ"}) {
    const std::string path = "/proc/" + std::to_string(process) + "/" + what;
    for (const std::string& trace : in(contents(path))) found.push_back(path + ": " + trace);
  }
  return found;
}

std::string contents(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return {};
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace regroup::process
