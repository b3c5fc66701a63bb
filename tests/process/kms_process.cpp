// SPDX-License-Identifier: Apache-2.0
#include "process/kms_process.hpp"

#include <sys/stat.h>

#include <fstream>

#include "app/kms/transport_file.hpp"
#include "app/kms/transport_ring.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "http/target.hpp"
#include "kmsxml/documents.hpp"

namespace regroup::process {
namespace {

void write_private(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
}

std::vector<std::string> joined(std::vector<std::string> head, const std::vector<std::string>& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

}  // namespace

KmsProcess::KmsProcess()
    : ca_(app::LabCa::make(folder_.file("")).value()),
      issuer_(app::Issuer::make(folder_.file(""), "https://idms.mcx.example").value()),
      tls_(ca_.issue({.name = "kms", .dns = {"localhost"}, .addresses = {"127.0.0.1"}}).value()) {
  const char* other = std::getenv("REGROUP_PROGRAM");
  app::demo::set_program(other ? other : REGROUP_PROGRAM);
  write_private(file("pass"), "correct horse battery staple\n");
  const Ending made = run({"init", "--kms-uri", kUri});
  EXPECT_EQ(made.code, 0) << made.err;
}

std::unique_ptr<Child> KmsProcess::begin(const std::vector<std::string>& verb,
                                         std::function<void(const std::string&)> on_line) {
  const auto arguments =
      joined(joined({"kms"}, verb), {"--dir", directory(), "--passphrase-file", file("pass"), "--json"});
  auto started = Child::start(arguments, file("commands.log"), std::move(on_line));
  EXPECT_TRUE(started.ok()) << started.error().text();
  return std::move(started).value();
}

Ending KmsProcess::run(const std::vector<std::string>& verb) {
  Ending out;
  std::string printed;
  const auto child = begin(verb, [&](const std::string& line) { printed += line; });
  const auto status = child->wait_end(120);
  if (status && WIFEXITED(*status)) out.code = WEXITSTATUS(*status);
  out.answer = json::parse(printed, nullptr, false);
  out.err = contents(file("commands.log"));
  return out;
}

void KmsProcess::add_users(int count) {
  std::ofstream list(file("users.csv"));
  list << "uri\n";
  for (int i = 0; i < count; ++i) list << user(i) << "\n";
  list.close();
  const Ending added = run({"identity", "import", file("users.csv")});
  ASSERT_EQ(added.code, 0) << added.err;
}

void KmsProcess::serve(const std::vector<std::string>& more) {
  server_.reset();
  auto started = Child::start(joined({"kms", "serve", "--dir", directory(), "--passphrase-file", file("pass"),
                                      "--listen", "127.0.0.1:0", "--tls-cert", tls_.certificate, "--tls-key",
                                      tls_.key, "--jwks", issuer_.jwks_file(), "--issuer", issuer_.url()},
                                     more),
                              file("serve.log"));
  ASSERT_TRUE(started.ok()) << started.error().text();
  server_ = std::move(started).value();
  const auto ready = server_->wait_ready(60);
  ASSERT_TRUE(ready.ok()) << ready.error().text() << log();
  url_ = *ready;
  port_ = http::parse_url(url_)->port;
}

std::string KmsProcess::token(const std::string& identity) const {
  return issuer_
      .token({.mcptt_id = identity, .scopes = {"3gpp:mc:ptt_key_management_service"}, .lifetime = 86'400},
             SystemClock().now())
      .value();
}

app::KmsAccess KmsProcess::access(const std::string& identity, const std::string& transport_keys) {
  app::KmsAccess out;
  out.uri = kUri;
  out.url = url_;
  out.ca_file = ca_file();
  out.token_file = file(app::demo::stem(identity) + ".jwt");
  write_private(out.token_file, token(identity));
  if (transport_keys.empty()) return out;
  out.policy = app::KmsPolicy::wrap_sign;
  out.transport_keys =
      std::make_shared<app::TransportRing>(app::read_transport_key_file(transport_keys).value());
  return out;
}

app::OpenedKms KmsProcess::opened() const { return app::open_kms(directory(), {file("pass")}).value(); }

std::int64_t resident_kib(pid_t process) {
  std::istringstream status(contents("/proc/" + std::to_string(process) + "/status"));
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::strtoll(line.c_str() + 6, nullptr, 10);
  return 0;
}

RightKeys::RightKeys(const KmsProcess& kms, int users)
    : certificate_(kms.opened().kms.certificate_at(SystemClock().now())) {
  const app::OpenedKms opened = kms.opened();
  std::vector<mcx::McpttId> identities;
  for (int i = 0; i < users; ++i) identities.push_back(mcx::McpttId::parse(KmsProcess::user(i)).value());
  crypto::SystemRandom random;
  const NtpTime now = SystemClock().now();
  for (const std::int64_t period : opened.kms.usual_periods(now)) {
    auto issued = opened.kms.provision_all(identities, period, now, random).value();
    for (kms::IssuedKeySet& one : issued) by_period_[period].push_back({one.uid, std::move(one.rsk)});
  }
}

std::string RightKeys::fault_in(OctetsView answer, int user) {
  const auto response = kmsxml::parse_response(answer);
  if (!response.ok()) return response.error().text();
  const std::string identity = KmsProcess::user(user);
  const auto* provided = std::get_if<kmsxml::KmsKeyProv>(&response->content);
  if (!provided || response->user_uri != identity || response->kms_uri != KmsProcess::kUri)
    return "an answer of another kind, to " + response->user_uri;
  std::set<std::int64_t> periods;
  for (const kmsxml::KmsKeySet& one : provided->key_sets) {
    const auto right = by_period_.find(one.key_period_no);
    if (right == by_period_.end() || one.user_uri != identity || one.kms_uri != KmsProcess::kUri ||
        one.revoked || one.wrapped)
      return "a key set of " + one.user_uri + " for period " + std::to_string(one.key_period_no);
    const Right& expected = right->second[static_cast<std::size_t>(user)];
    if (one.user_id != to_octets(expected.uid)) return "another UID";
    if (!ct_equal(one.user_decrypt_key.expose(), expected.rsk.expose())) return "another RSK";
    const auto signing = crypto::eccsi::UserKey::validate(
        certificate_.kpak, expected.uid, crypto::eccsi::Ssk(one.user_signing_key_ssk.expose().first<32>()),
        one.user_pub_token_pvt);
    if (!signing.ok()) return signing.error().text();
    periods.insert(one.key_period_no);
    const std::lock_guard lock(mutex_);
    if (!pvts_.insert(hex(one.user_pub_token_pvt)).second) return "a PVT that was given before";
  }
  return periods.size() == by_period_.size() && provided->key_sets.size() == periods.size()
             ? std::string()
             : "key sets of " + std::to_string(periods.size()) + " periods";
}

}  // namespace regroup::process
