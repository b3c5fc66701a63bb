// SPDX-License-Identifier: Apache-2.0
// Looks for secrets where none may be: in files, arguments and environments, in the forms that programs write
// octets in. A find is told by the name of the secret and its form, never by its octets.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/octets.hpp"

namespace regroup::process {

struct Form {
  std::string name;
  std::string text;
};
// Raw; hex in both cases; base64 and base64url at each of the three alignments that a larger encoded text can
// give. Of a long secret two windows, so that a part of it is found too.
std::vector<Form> forms_of(OctetsView secret);

class Traces {
 public:
  // `home`: how the name of the file ends in which this secret belongs by design; empty: nowhere.
  void look_for(const std::string& name, OctetsView secret, const std::string& home = {});
  [[nodiscard]] std::size_t count() const { return secrets_.size(); }

  // "form of secret" for each form that occurs.
  [[nodiscard]] std::vector<std::string> in(std::string_view text, std::string_view file = {}) const;
  // "FILE: form of secret", for every regular file below the directory.
  [[nodiscard]] std::vector<std::string> below(const std::string& directory) const;
  // Arguments and environment. What the kernel does not let us read is safe from us.
  [[nodiscard]] std::vector<std::string> of(pid_t process) const;

 private:
  struct Wanted {
    std::string name, home;
    std::vector<Form> forms;
  };
  std::vector<Wanted> secrets_;
};

// A whole file, whatever its size says (/proc); empty when it cannot be read.
std::string contents(const std::string& path);

}  // namespace regroup::process
