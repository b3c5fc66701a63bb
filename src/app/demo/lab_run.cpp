// SPDX-License-Identifier: Apache-2.0
// The processes of the lab: their starts, what they print, and what one asks them.
#include <filesystem>
#include <fstream>

#include "app/demo/lab.hpp"
#include "http/target.hpp"

namespace regroup::app::demo {

Lab::~Lab() {
  for (System* system : systems)
    for (const auto& client : system->clients) client->ask_to_stop();  // they end side by side
  for (System* system : systems) {
    system->clients.clear();
    system->gms.reset();
    system->kms.reset();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<void> Lab::launch_kms(System& system) {
  system.kms.reset();
  system.kms = TRY(Child::start(
      {"kms", "serve", "--dir", system.file("kms"), "--listen",
       "127.0.0.1:" + std::to_string(system.port_kms), "--tls-cert", system.kms_tls.certificate, "--tls-key",
       system.kms_tls.key, "--client-ca", ca_->certificate_file(), "--jwks", issuer_->jwks_file(), "--issuer",
       issuer_->url(), "--passphrase-file", system.file("kms.pass")},
      system.file("kms.log"), [this](const std::string& line) { note(line); }));
  return {};
}

Result<void> Lab::launch_gms(System& system) {
  system.gms.reset();
  system.gms = TRY(Child::start({"gms", "serve", "--config", system.file("gms.toml")}, system.file("gms.log"),
                                [this](const std::string& line) { note(line); }));
  return {};
}

Result<std::unique_ptr<Child>> Lab::launch_client(System& system, const std::string& identity) {
  return Child::start({"ue", "run", "--json", "--config", system.config_of(identity)},
                      system.file(stem(identity) + ".log"),
                      [this, identity](const std::string& line) { event(identity, line); });
}

Result<void> Lab::start_kms() {
  for (System* system : systems) TRY(launch_kms(*system));
  for (System* system : systems) system->kms_url = TRY(system->kms->wait_ready(30));
  return {};
}

Result<void> Lab::start_gms() {
  for (System* system : systems) {
    TRY(write_gms_config(*system, system == &alpha_ ? beta_ : alpha_));
    TRY(launch_gms(*system));
  }
  for (System* system : systems) TRY(system->gms->wait_ready(30));
  return {};
}

// Up to four clients have a process each; more share one.
Result<void> Lab::start_clients() {
  for (System* system : systems) {
    for (const std::string& user : system->users) TRY(write_ue_config(*system, user));
    for (const std::string* other : {&system->dispatcher, &system->outsider})
      TRY(write_ue_config(*system, *other));
    if (system->users.size() <= 4) {
      for (const std::string& user : system->users)
        system->clients.push_back(TRY(launch_client(*system, user)));
      continue;
    }
    std::vector<std::string> together{"ue", "run", "--json"};
    for (const std::string& user : system->users) {
      together.push_back("--config");
      together.push_back(system->config_of(user));
    }
    system->clients.push_back(TRY(Child::start(together, system->file("clients.log"),
                                               [this](const std::string& line) { event({}, line); })));
  }
  const int patience = 60 + static_cast<int>(alpha_.users.size());
  for (System* system : systems)
    for (const auto& client : system->clients) TRY(client->wait_ready(patience));
  return {};
}

Result<void> Lab::restart_kms(System& system) {
  TRY(launch_kms(system));
  TRY(system.kms->wait_ready(30));
  return {};
}

Result<void> Lab::restart_gms(System& system) {
  TRY(launch_gms(system));
  TRY(system.gms->wait_ready(30));
  return {};
}

Result<void> Lab::restart_client(System& system, std::size_t user) {
  system.clients.at(user).reset();
  system.clients[user] = TRY(start_client(system, system.users.at(user)));
  return {};
}

Result<std::unique_ptr<Child>> Lab::start_client(System& system, const std::string& identity) {
  std::unique_ptr<Child> client = TRY(launch_client(system, identity));
  TRY(client->wait_ready(60));
  return client;
}

void Lab::note(const std::string& line) {
  const std::lock_guard lock(mutex_);
  printed_ += line + "\n";
}

std::string Lab::printed() {
  const std::lock_guard lock(mutex_);
  return printed_;
}

void Lab::event(const std::string& identity, const std::string& line) {
  note(line);
  json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) return;
  const std::string who = identity.empty() ? parsed.value("mcptt_id", "") : identity;
  const std::lock_guard lock(mutex_);
  if (parsed.value("event", "") == "watching") watching_.emplace(who, parsed.value("group", ""));
  events_.emplace_back(who, std::move(parsed));
}

std::string Lab::fingerprint(const std::string& identity, const std::string& group,
                             const std::string& gmk_id) {
  const std::lock_guard lock(mutex_);
  for (const auto& [who, event] : events_)
    if (who == identity && event.value("group", "") == group && event.value("gmk_id", "") == gmk_id &&
        event.value("event", "") == "installed")
      return event.value("key_fingerprint", "");
  return {};
}

bool Lab::watches(const std::string& identity, const std::string& group) {
  const std::lock_guard lock(mutex_);
  return watching_.count({identity, group}) != 0;
}

bool Lab::withdrew(const std::string& identity, const std::string& gmk_id) {
  const std::lock_guard lock(mutex_);
  for (const auto& [who, event] : events_)
    if (who == identity && event.value("gmk_id", "") == gmk_id && event.value("event", "") == "withdrawn")
      return true;
  return false;
}

Result<json> Lab::ledger(const System& system, const std::string& group) {
  http::ClientRequest request;
  request.url = system.admin_url + "/ledger/" + http::percent_encode(group);
  const http::Response response = TRY(system.admin->call(std::move(request)));
  if (response.status != 200)
    return fail(Errc::transport, "", "the ledger was answered " + std::to_string(response.status),
                "see the log of that GMS in the folder of the demo");
  return json::parse(response.body.text(), nullptr, false);
}

Result<http::Response> Lab::as_client(const System& system, const std::string& identity,
                                      const std::string& method, const std::string& path,
                                      const std::string& type, const std::string& body) {
  std::ifstream file(system.file(stem(identity) + ".jwt"));
  std::string token;
  std::getline(file, token);
  http::ClientRequest request;
  request.method = method;
  request.url = system.xcap_root + path;
  request.headers.add("Authorization", "Bearer " + token);
  if (!type.empty()) request.headers.add("Content-Type", type);
  request.body = to_octets(view(body));
  return client_->call(std::move(request));
}

}  // namespace regroup::app::demo
