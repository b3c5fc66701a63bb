// SPDX-License-Identifier: Apache-2.0
// The two MCPTT systems of the demo: directories, certificates, tokens and configuration files as an operator
// would make them (bootstrap.md 5), then one process each for KMS and GMS and the clients.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "app/demo/child.hpp"
#include "app/issuer.hpp"
#include "app/kms/client.hpp"
#include "app/tls_lab.hpp"
#include "http/client.hpp"

namespace regroup::app::demo {

using nlohmann::json;

struct System {
  std::string name;    // "alpha"
  std::string domain;  // "alpha.example"
  std::string directory;
  std::string kms_uri, kms_url;
  std::int64_t period = 0, offset = 0;
  bool signs = false;  // every identity has transport keys, policy wrap+sign; else policy plain
  std::unique_ptr<http::Client> admin;  // the operator's, with the GMS's own certificate
  std::string gms_uri, xcap_root, admin_url, trusted_root, sip_route;
  int port_kms = 0, port_ue = 0, port_trusted = 0, port_admin = 0, port_sip = 0;
  LabFiles kms_tls, gms_tls;
  std::string dispatcher, outsider, rogue;
  std::vector<std::string> users;
  std::unique_ptr<Child> kms, gms;
  std::vector<std::unique_ptr<Child>> clients;

  [[nodiscard]] std::string file(const std::string& name_of_file) const {
    return directory + "/" + name_of_file;
  }
  [[nodiscard]] std::string group(const std::string& user_part) const {
    return "sip:" + user_part + "@" + domain;
  }
  [[nodiscard]] std::string config_of(const std::string& identity) const;          // its ue.toml
  [[nodiscard]] std::string transport_keys_of(const std::string& identity) const;  // the file
  [[nodiscard]] KmsAccess kms_access(const std::string& identity) const;
  [[nodiscard]] std::string kms_table(const std::string& identity) const;  // [kms] of its configuration
};

struct LabOptions {
  // Another identity of alpha's GMS than sip:gms@alpha.example, such as sip:user.001.group@alpha.example
  // (TS 33.179 7.3.5.1: key material of the same kind as any UE's, only the authority sets it apart).
  std::string user_like_gms = {};
  // `gms_authorised` of a client's ue.toml, by its identity; without an entry the key is left out.
  std::map<std::string, std::vector<std::string>> gms_authorised = {};
};

class Lab {
 public:
  // A private directory under /tmp, removed with the object.
  [[nodiscard]] static Result<std::unique_ptr<Lab>> make(int members, LabOptions options = {});
  ~Lab();

  [[nodiscard]] Result<void> start_kms();
  [[nodiscard]] Result<void> start_gms();
  [[nodiscard]] Result<void> start_clients();
  // One process anew, at the addresses it had; the one before has been stopped or killed.
  [[nodiscard]] Result<void> restart_kms(System& system);
  [[nodiscard]] Result<void> restart_gms(System& system);
  // The clients of `users` have a process each (up to four of them).
  [[nodiscard]] Result<void> restart_client(System& system, std::size_t user);
  // A client beside those of `users`: a dispatcher, an outsider. Its lines are events like theirs.
  [[nodiscard]] Result<std::unique_ptr<Child>> start_client(System& system, const std::string& identity);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  System& alpha() { return alpha_; }
  System& beta() { return beta_; }
  System* systems[2] = {&alpha_, &beta_};

  // The operator's view of one group at one GMS.
  [[nodiscard]] Result<json> ledger(const System& system, const std::string& group);
  // A request of a client with its own token; for the refusals.
  [[nodiscard]] Result<http::Response> as_client(const System& system, const std::string& identity,
                                                 const std::string& method, const std::string& path,
                                                 const std::string& type = {}, const std::string& body = {});
  // What the clients themselves said: fingerprint by (identity, group, GMK-ID).
  [[nodiscard]] std::string fingerprint(const std::string& identity, const std::string& group,
                                        const std::string& gmk_id);
  [[nodiscard]] bool withdrew(const std::string& identity, const std::string& gmk_id);
  // Its subscription holds this group's keys: the next one comes inside a NOTIFY.
  [[nodiscard]] bool watches(const std::string& identity, const std::string& group);
  // Each line that a process of the lab has printed.
  [[nodiscard]] std::string printed();

 private:
  Lab(std::string directory, LabOptions options)
      : directory_(std::move(directory)), options_(std::move(options)) {}
  Result<void> prepare(System& system, int members);
  Result<void> make_identities(System& system);
  Result<void> write_gms_config(System& system, const System& other);
  Result<void> write_ue_config(const System& system, const std::string& identity);
  Result<void> write_token(const System& system, const std::string& identity);
  Result<void> launch_kms(System& system);
  Result<void> launch_gms(System& system);
  Result<std::unique_ptr<Child>> launch_client(System& system, const std::string& identity);
  void note(const std::string& line);
  void event(const std::string& identity, const std::string& line);

  std::string directory_;
  LabOptions options_;
  System alpha_, beta_;
  std::set<int> ports_;
  std::optional<LabCa> ca_;
  std::optional<Issuer> issuer_;
  std::unique_ptr<http::Client> client_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, json>> events_;
  std::set<std::pair<std::string, std::string>> watching_;
  std::string printed_;
};

// User part of an identity as a file stem.
[[nodiscard]] std::string stem(const std::string& identity);

}  // namespace regroup::app::demo
