// SPDX-License-Identifier: Apache-2.0
// One KMS as its operator runs it: a directory that goes with the test, `regroup kms serve` in a process of
// its own, each administrative command in another. REGROUP_PROGRAM=FILE puts another build in its place, such
// as the one that ships.
#pragma once

#include <map>
#include <set>

#include "app/issuer.hpp"
#include "app/kms/access.hpp"
#include "app/kms/directory.hpp"
#include "app/tls_lab.hpp"
#include "process/demo_process.hpp"

namespace regroup::process {

class KmsProcess {
 public:
  static constexpr const char* kUri = "kms.mcx.example";

  KmsProcess();  // `kms init`

  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string directory() const { return file("kms"); }
  static std::string user(int number) { return "sip:user" + std::to_string(number) + "@mcx.example"; }

  // ---- commands, in processes of their own: "regroup kms VERB --dir ... --passphrase-file ... --json"
  [[nodiscard]] std::unique_ptr<Child> begin(const std::vector<std::string>& verb,
                                             std::function<void(const std::string&)> on_line = {});
  // Its end; code -1 when it did not exit.
  Ending run(const std::vector<std::string>& verb);
  // users 0 to count - 1, in one list.
  void add_users(int count);

  // ---- the server
  void serve(const std::vector<std::string>& more = {});  // on another port each time
  [[nodiscard]] Child& server() { return *server_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string log() const { return contents(file("serve.log")); }

  // ---- a client
  [[nodiscard]] std::string token(const std::string& identity) const;
  [[nodiscard]] app::KmsAccess access(const std::string& identity, const std::string& transport_keys = {});
  [[nodiscard]] const std::string& ca_file() const { return ca_.certificate_file(); }

  // The same store, opened by the test itself.
  [[nodiscard]] app::OpenedKms opened() const;

 private:
  Folder folder_;
  app::LabCa ca_;
  app::Issuer issuer_;
  app::LabFiles tls_;
  std::unique_ptr<Child> server_;
  std::string url_;
  std::uint16_t port_ = 0;
};

// kB of resident memory.
std::int64_t resident_kib(pid_t process);

// What is right for users 0 to count - 1 of a KMS, computed from its store once and for all.
class RightKeys {
 public:
  RightKeys(const KmsProcess& kms, int users);
  // Empty when the /keyprov answer holds the key sets of the present period and the next one of that user and
  // nothing else: RSKs as computed, SSKs that belong to their PVTs, each PVT a new one. Else what is wrong.
  [[nodiscard]] std::string fault_in(OctetsView answer, int user);

 private:
  struct Right {
    mcx::Uid uid;
    crypto::sakke::RskOctets rsk;
  };
  mcx::KmsCertificate certificate_;
  std::map<std::int64_t, std::vector<Right>> by_period_;
  std::mutex mutex_;
  std::set<std::string> pvts_;
};

}  // namespace regroup::process
