// SPDX-License-Identifier: Apache-2.0
#include "app/demo/lab.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/cli/kms.hpp"
#include "app/kms/transport_file.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"

namespace regroup::app::demo {
namespace {

const std::vector<std::string> kScopes{"3gpp:mc:ptt_key_management_service",
                                       "3gpp:mc:ptt_group_management_service"};

Result<void> write_private(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file || chmod(path.c_str(), 0600) != 0)
    return fail(Errc::storage, "", "cannot write " + path, "check the space and rights of /tmp");
  return {};
}

bool is_free(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool ok = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (fd >= 0) close(fd);
  return ok;
}

// A port that is free now, below those that the kernel gives to outgoing connections: it must still be free
// when a process that was killed comes back. Another program could take it all the same; then the start fails
// by name.
int free_port(Random& random, std::set<int>& drawn_before) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    const Fixed<2> drawn = random.octets<2>();
    const int port = 12'000 + (drawn[0] << 8 | drawn[1]) % 20'000;
    if (is_free(port) && drawn_before.insert(port).second) return port;
  }
  return 0;
}

std::string at(int port) { return "127.0.0.1:" + std::to_string(port); }

// A verb run in this process; its words are kept for the error.
template <class Verb>
Result<std::string> verb(const char* name, Verb run) {
  std::ostringstream out, err;
  const int code = run(out, err);
  if (code != 0) return fail(Errc::usage, "", std::string(name) + ": " + err.str(), "see the lines before");
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

std::string System::transport_keys_of(const std::string& identity) const {
  return file(stem(identity) + "-trk.json");
}

std::string System::kms_table(const std::string& identity) const {
  return "[kms]\nuri = \"" + kms_uri + "\"\nurl = \"" + kms_url + "\"\npolicy = \"" +
         (signs ? "wrap+sign\"\ntransport_keys = \"" + stem(identity) + "-trk.json" : "plain") + "\"\n";
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
  if (!signs) return access;
  access.policy = KmsPolicy::wrap_sign;
  if (auto keys = read_transport_key_file(transport_keys_of(identity)); keys.ok())
    access.transport_keys = std::make_shared<TransportRing>(std::move(keys).value());
  return access;
}

Result<std::unique_ptr<Lab>> Lab::make(int members, LabOptions lab_options) {
  char name[] = "/tmp/regroup-demo-XXXXXX";
  if (!mkdtemp(name))
    return fail(Errc::storage, "", "no directory can be made under /tmp",
                "check the space and rights of /tmp");
  std::unique_ptr<Lab> lab(new Lab(name, std::move(lab_options)));
  lab->ca_.emplace(TRY(LabCa::make(lab->directory_)));
  lab->issuer_.emplace(TRY(Issuer::make(lab->directory_, "https://idms.demo.example")));
  System& alpha = lab->alpha_;
  alpha.name = "alpha";
  alpha.period = 2592000;
  alpha.signs = true;  // one system of each kind: both are walked each time
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
  for (System* system : lab->systems) {
    options.certificate_file = system->gms_tls.certificate;
    options.key_file = system->gms_tls.key;
    system->admin = TRY(http::Client::make(options));
  }
  return lab;
}

Result<void> Lab::prepare(System& system, int members) {
  system.domain = system.name + ".example";
  system.directory = directory_ + "/" + system.name;
  if (mkdir(system.directory.c_str(), 0700) != 0)
    return fail(Errc::storage, "", "cannot make " + system.directory, "check the space and rights of /tmp");
  system.kms_uri = "kms." + system.domain;
  const bool user_like = &system == &alpha_ && !options_.user_like_gms.empty();
  system.gms_uri = user_like ? options_.user_like_gms : "sip:gms@" + system.domain;
  system.dispatcher = "sip:dispatch@" + system.domain;
  system.outsider = "sip:outsider@" + system.domain;
  system.rogue = "sip:rogue@" + system.domain;
  for (int i = 1; i <= members; ++i)
    system.users.push_back("sip:user" + std::to_string(i) + "@" + system.domain);
  crypto::SystemRandom random;
  for (int* port :
       {&system.port_kms, &system.port_ue, &system.port_trusted, &system.port_admin, &system.port_sip})
    *port = free_port(random, ports_);
  system.xcap_root = "https://" + at(system.port_ue) + "/xcap-root/";
  system.trusted_root = "https://" + at(system.port_trusted) + "/xcap-root/";
  system.admin_url = "https://" + at(system.port_admin);
  system.sip_route = "sip:" + at(system.port_sip) + ";transport=tcp";
  LabSubject subject;
  subject.addresses = {"127.0.0.1"};
  subject.name = system.name + "-kms";
  system.kms_tls = TRY(ca_->issue(subject));
  subject.name = system.name + "-gms";
  subject.uris = {system.gms_uri};
  system.gms_tls = TRY(ca_->issue(subject));
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
    TRY(go_on());
    cli::KmsAddIdentityOptions options;
    options.directory = init.directory;
    options.identity = identity;
    options.server = server;
    options.passphrase_file = init.passphrase_file;
    if (system.signs) options.transport_keys_out = system.transport_keys_of(identity);
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
       << "\"\nca = { trusted = \"../ca.pem\", kms = \"../ca.pem\" }\n"
       << system.kms_table(system.gms_uri) << "token = { file = \"" << stem(system.gms_uri)
       << ".jwt\" }\n[token]\njwks = \"" << issuer_->jwks_file() << "\"\nissuer = \"" << issuer_->url()
       << "\"\n[policy]\ncreators = [\"" << system.dispatcher
       << "\"]\nmax_members = 100000\n[[partner]]\ngms_uri = \"" << other.gms_uri << "\"\nkms_uri = \""
       << other.kms_uri << "\"\ndomains = [\"" << other.domain << "\"]\nxcap_root = \"" << other.trusted_root
       << "\"\nca = \"../ca.pem\"\ntell_members_keyed = true\n";
  return write_private(system.file("gms.toml"), toml.str());
}

Result<void> Lab::write_ue_config(const System& system, const std::string& identity) {
  std::string authorised;
  if (const auto list = options_.gms_authorised.find(identity); list != options_.gms_authorised.end())
    authorised = "gms_authorised = " + json(list->second).dump() + "\n";
  std::ostringstream toml;
  toml << "mcptt_id = \"" << identity << "\"\ngms_uri = \"" << system.gms_uri << "\"\nxcap_root = \""
       << system.xcap_root << "\"\n"
       << authorised << "tls = { kms_ca = \"../ca.pem\", gms_ca = \"../ca.pem\" }\nstore = { ring = \""
       << stem(identity) << ".ring\", passphrase_file = \"ue.pass\" }\n"
       << system.kms_table(identity) << "[token]\nfile = \"" << stem(identity) << ".jwt\"\n[sip]\nroute = \""
       << system.sip_route << "\"\ncontact = \"127.0.0.1:0\"\n";
  return write_private(system.config_of(identity), toml.str());
}

}  // namespace regroup::app::demo
