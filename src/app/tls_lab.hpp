// SPDX-License-Identifier: Apache-2.0
// A certificate authority for the demo and the tests, never for a deployment: its key lives only in this
// object and cannot be revoked or renewed. Certificates are P-256, valid two days, with the names the roles
// need (PR-39, PR-40): DNS names and addresses of the listeners, and the server identity as URI.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace regroup::app {

struct LabSubject {
  std::string name;  // common name and stem of the file names: letters, digits, '-', '.'
  std::vector<std::string> dns = {};
  std::vector<std::string> uris = {};
  std::vector<std::string> addresses = {};  // numeric, for example "127.0.0.1"
};

struct LabFiles {
  std::string certificate;  // NAME-cert.pem
  std::string key;          // NAME-key.pem, mode 0600
};

class LabCa {
 public:
  // Makes a key and a self-signed certificate and writes DIRECTORY/ca.pem; the directory exists.
  [[nodiscard]] static Result<LabCa> make(std::string directory,
                                          const std::string& common_name = "regroup lab CA");
  LabCa(LabCa&&) noexcept;
  LabCa& operator=(LabCa&&) noexcept;
  ~LabCa();

  [[nodiscard]] const std::string& certificate_file() const;
  // A certificate for both TLS server and client use. Overwrites the two files.
  [[nodiscard]] Result<LabFiles> issue(const LabSubject& subject) const;

 private:
  struct State;
  explicit LabCa(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace regroup::app
