// SPDX-License-Identifier: Apache-2.0
#include "app/demo/lab.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/cli/kms.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "http/target.hpp"

namespace regroup::app::demo {
namespace {

const std::vector<std::string> kScopes{"3gpp:mc:ptt_key_management_service",
                                       "3gpp:mc:ptt_group_management_service"};

Result<void> write_private(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file || chmod(path.c_str(), 0600) != 0) return fail(Errc::storage, "", "cannot write " + path);
  return {};
}

// A port that is free now. Another program could take it before we do; then the start fails by name and is
// repeated.
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool ok = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) close(fd);
  return ok ? ntohs(address.sin_port) : 0;
}

std::string at(int port) { return "127.0.0.1:" + std::to_string(port); }

// A verb run in this process; its words are kept for the error.
template <class Verb>
Result<std::string> verb(const char* name, Verb run) {
  std::ostringstream out, err;
  const int code = run(out, err);
  if (code != 0) return fail(Errc::usage, "", std::string(name) + ": " + err.str());
  return out.str();
}

}  // namespace

std::string stem(const std::string& identity) {
  std::string out = identity.substr(identity.find(':') + 1);
  return out.substr(0, out.find('@'));
}

std::string System::config_of(const std::string& identity) const {
  return file("ue-" + stem(identity) + ".toml");
}

KmsAccess System::kms_access(const std::string& identity) const {
  KmsAccess access;
  access.uri = kms_uri;
  access.url = kms_url;
  access.ca_file = directory + "/../ca.pem";
  access.token_file = file(stem(identity) + ".jwt");
  if (identity == gms_uri) {
    access.certificate_file = gms_tls.certificate;
    access.key_file = gms_tls.key;
  }
  return access;
}

Result<std::unique_ptr<Lab>> Lab::make(int members) {
  char name[] = "/tmp/regroup-demo-XXXXXX";
  if (!mkdtemp(name)) return fail(Errc::storage, "", "no directory can be made under /tmp");
  std::unique_ptr<Lab> lab(new Lab(name));
  lab->ca_.emplace(TRY(LabCa::make(lab->directory_)));
  lab->issuer_.emplace(TRY(Issuer::make(lab->directory_, "https://idms.demo.example")));
  System& alpha = lab->alpha_;
  alpha.name = "alpha";
  alpha.period = 2592000;
  System& beta = lab->beta_;
  beta.name = "beta";
  beta.period = 604800;
  beta.offset = 259200;
  for (System* system : lab->systems) TRY(lab->prepare(*system, members));
  for (System* system : lab->systems) TRY(lab->make_identities(*system));
  for (System* system : lab->systems) {
    System& other = system == &alpha ? beta : alpha;
    cli::KmsImportCertificateOptions import;
    import.directory = system->file("kms");
    import.file = other.file("kms-certificate.xml");
    import.passphrase_file = system->file("kms.pass");
    TRY(verb("kms import-certificate",
             [&](auto& out, auto& err) { return cli::run_kms_import_certificate(import, out, err); }));
  }
  http::ClientOptions options;
  options.ca_file = lab->ca_->certificate_file();
  lab->client_ = TRY(http::Client::make(options));
  options.certificate_file = alpha.gms_tls.certificate;
  options.key_file = alpha.gms_tls.key;
  lab->admin_ = TRY(http::Client::make(options));
  return lab;
}

Lab::~Lab() {
  for (System* system : systems) {
    system->clients.clear();
    system->gms.reset();
    system->kms.reset();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<void> Lab::prepare(System& system, int members) {
  system.domain = system.name + ".example";
  system.directory = directory_ + "/" + system.name;
  if (mkdir(system.directory.c_str(), 0700) != 0)
    return fail(Errc::storage, "", "cannot make " + system.directory);
  system.kms_uri = "kms." + system.domain;
  system.gms_uri = "sip:gms@" + system.domain;
  system.dispatcher = "sip:dispatch@" + system.domain;
  system.outsider = "sip:outsider@" + system.domain;
  system.rogue = "sip:rogue@" + system.domain;
  for (int i = 1; i <= members; ++i)
    system.users.push_back("sip:user" + std::to_string(i) + "@" + system.domain);
  for (int* port : {&system.port_ue, &system.port_trusted, &system.port_admin, &system.port_sip})
    *port = free_port();
  system.xcap_root = "https://" + at(system.port_ue) + "/xcap-root/";
  system.trusted_root = "https://" + at(system.port_trusted) + "/xcap-root/";
  system.admin_url = "https://" + at(system.port_admin);
  system.sip_route = "sip:" + at(system.port_sip) + ";transport=tcp";
  LabSubject subject;
  subject.name = system.name + "-gms";
  subject.addresses = {"127.0.0.1"};
  subject.uris = {system.gms_uri};
  system.gms_tls = TRY(ca_->issue(subject));
  crypto::SystemRandom random;
  for (const char* file : {"kms.pass", "gms.pass", "ue.pass"})
    TRY(write_private(system.file(file), base64(random.octets<24>()) + "\n"));
  return {};
}

Result<void> Lab::make_identities(System& system) {
  cli::KmsInitOptions init;
  init.directory = system.file("kms");
  init.kms_uri = system.kms_uri;
  init.period = system.period;
  init.offset = system.offset;
  init.passphrase_file = system.file("kms.pass");
  TRY(verb("kms init", [&](auto& out, auto& err) { return cli::run_kms_init(init, out, err); }));
  const auto add = [&](const std::string& identity, bool server) -> Result<void> {
    cli::KmsAddIdentityOptions options;
    options.directory = init.directory;
    options.identity = identity;
    options.server = server;
    options.passphrase_file = init.passphrase_file;
    TRY(verb("kms add-identity",
             [&](auto& out, auto& err) { return cli::run_kms_add_identity(options, out, err); }));
    return write_token(system, identity);
  };
  TRY(add(system.gms_uri, true));
  for (const std::string& user : system.users) TRY(add(user, false));
  for (const std::string* other : {&system.dispatcher, &system.outsider, &system.rogue})
    TRY(add(*other, false));
  cli::KmsCertificateOptions certificate;
  certificate.directory = init.directory;
  const std::string xml = TRY(verb("kms certificate", [&](auto& out, auto& err) {
    return cli::run_kms_certificate(certificate, out, err);
  }));
  return write_private(system.file("kms-certificate.xml"), xml);
}

Result<void> Lab::write_token(const System& system, const std::string& identity) {
  IssuedClaims claims;
  claims.mcptt_id = identity;
  claims.scopes = kScopes;
  return write_private(system.file(stem(identity) + ".jwt"),
                       TRY(issuer_->token(claims, SystemClock().now())) + "\n");
}

Result<void> Lab::write_gms_config(System& system, const System& other) {
  std::ostringstream toml;
  toml << "gms_uri = \"" << system.gms_uri << "\"\nxcap_root = \"" << system.xcap_root
       << "\"\nrelease_profile = \"rel13\"\ndomains = [\"" << system.domain
       << "\"]\nstore = \"gms.sqlite\"\nkek_passphrase_file = \"gms.pass\"\n[listen]\nhttps = { ue = \""
       << at(system.port_ue) << "\", trusted = \"" << at(system.port_trusted) << "\", admin = \""
       << at(system.port_admin) << "\" }\nsip = [\"tcp:" << at(system.port_sip) << "\"]\n[tls]\ncert = \""
       << system.gms_tls.certificate << "\"\nkey = \"" << system.gms_tls.key
       << "\"\nca = { trusted = \"../ca.pem\", kms = \"../ca.pem\" }\n[kms]\nuri = \"" << system.kms_uri
       << "\"\nurl = \"" << system.kms_url
       << "\"\npolicy = \"plain\"\ntoken = { file = \"gms.jwt\" }\n[token]\njwks = \"" << issuer_->jwks_file()
       << "\"\nissuer = \"" << issuer_->url() << "\"\n[policy]\ncreators = [\"" << system.dispatcher
       << "\"]\nmax_members = 100000\n[[partner]]\ngms_uri = \"" << other.gms_uri << "\"\nkms_uri = \""
       << other.kms_uri << "\"\ndomains = [\"" << other.domain << "\"]\nxcap_root = \"" << other.trusted_root
       << "\"\nca = \"../ca.pem\"\n";
  return write_private(system.file("gms.toml"), toml.str());
}

Result<void> Lab::write_ue_config(const System& system, const std::string& identity) {
  std::ostringstream toml;
  toml << "mcptt_id = \"" << identity << "\"\ngms_uri = \"" << system.gms_uri << "\"\nxcap_root = \""
       << system.xcap_root
       << "\"\ntls = { kms_ca = \"../ca.pem\", gms_ca = \"../ca.pem\" }\nstore = { ring = \""
       << stem(identity) << ".ring\", passphrase_file = \"ue.pass\" }\n[kms]\nuri = \"" << system.kms_uri
       << "\"\nurl = \"" << system.kms_url << "\"\npolicy = \"plain\"\n[token]\nfile = \"" << stem(identity)
       << ".jwt\"\n[sip]\nroute = \"" << system.sip_route << "\"\ncontact = \"127.0.0.1:0\"\n";
  return write_private(system.config_of(identity), toml.str());
}

Result<void> Lab::start_kms() {
  for (System* system : systems) {
    LabSubject subject;
    subject.name = system->name + "-kms";
    subject.addresses = {"127.0.0.1"};
    const LabFiles tls = TRY(ca_->issue(subject));
    system->kms = TRY(Child::start(
        {"kms", "serve", "--dir", system->file("kms"), "--listen", "127.0.0.1:0", "--tls-cert",
         tls.certificate, "--tls-key", tls.key, "--client-ca", ca_->certificate_file(), "--jwks",
         issuer_->jwks_file(), "--issuer", issuer_->url(), "--passphrase-file", system->file("kms.pass")},
        system->file("kms.log")));
  }
  for (System* system : systems) system->kms_url = TRY(system->kms->wait_ready(30));
  return {};
}

Result<void> Lab::start_gms() {
  for (System* system : systems) {
    TRY(write_gms_config(*system, system == &alpha_ ? beta_ : alpha_));
    system->gms =
        TRY(Child::start({"gms", "serve", "--config", system->file("gms.toml")}, system->file("gms.log")));
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
    std::vector<std::string> together{"ue", "run", "--json"};
    for (const std::string& user : system->users) {
      together.push_back("--config");
      together.push_back(system->config_of(user));
      if (system->users.size() > 4) continue;
      system->clients.push_back(
          TRY(Child::start(together, system->file(stem(user) + ".log"),
                           [this, user](const std::string& line) { event(user, line); })));
      together.resize(3);
    }
    if (together.size() > 3)
      system->clients.push_back(TRY(Child::start(together, system->file("clients.log"),
                                                 [this](const std::string& line) { event({}, line); })));
  }
  const int patience = 60 + static_cast<int>(alpha_.users.size());
  for (System* system : systems)
    for (const auto& client : system->clients) TRY(client->wait_ready(patience));
  return {};
}

void Lab::event(const std::string& identity, const std::string& line) {
  json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) return;
  const std::string who = identity.empty() ? parsed.value("mcptt_id", "") : identity;
  const std::lock_guard lock(mutex_);
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
  const http::Response response = TRY(admin_->call(std::move(request)));
  if (response.status != 200)
    return fail(Errc::transport, "", "the ledger was answered " + std::to_string(response.status));
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
