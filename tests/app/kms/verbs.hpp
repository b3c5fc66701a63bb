// SPDX-License-Identifier: Apache-2.0
// The verbs of `regroup kms` as an operator meets them, in a directory that goes with the test; serve in a
// process of its own, over TLS on a free port of the loopback.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/kms.hpp"
#include "app/cli/kms_identity.hpp"
#include "app/kms/client.hpp"
#include "app/kms/kms_lab.hpp"
#include "app/kms/transport_file.hpp"
#include "app/tls_lab.hpp"

namespace regroup::app::cli {

inline constexpr const char* kBob = "sip:bob@mcx.example";
inline constexpr const char* kServer = "sip:gms@mcx.example";

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class KmsVerbs : public testing::Test {
 protected:
  KmsVerbs() { write("pass", "correct horse battery staple\n", 0600); }
  [[nodiscard]] std::string path(const std::string& name) const { return root.path + "/" + name; }
  void write(const std::string& name, const std::string& text, mode_t mode) const {
    std::ofstream(path(name)) << text;
    ::chmod(path(name).c_str(), mode);
  }
  int init(const std::string& name, const std::string& kms_uri) {
    return run_kms_init({.directory = path(name),
                         .kms_uri = kms_uri,
                         .domains = {},
                         .issuer = {},
                         .passphrase_file = path("pass"),
                         .json = true},
                        fresh(out), fresh(err));
  }
  int add(const std::string& identity, bool server = false) {
    return add_with(path("pass"), identity, server);
  }
  // An empty name: the passphrase file that init was given.
  int add_with(const std::string& passphrase_file, const std::string& identity, bool server = false) {
    return run_kms_add_identity({.directory = path("kms"),
                                 .identity = identity,
                                 .server = server,
                                 .passphrase_file = passphrase_file,
                                 .json = true},
                                fresh(out), fresh(err));
  }
  // With transport keys in `file`.
  int add_protected(const std::string& identity, const std::string& file, const std::string& policy = {},
                    const std::string& wrapping = {}) {
    return run_kms_add_identity({.directory = path("kms"),
                                 .identity = identity,
                                 .passphrase_file = path("pass"),
                                 .json = true,
                                 .transport_keys_out = file.empty() ? "" : path(file),
                                 .policy = policy,
                                 .wrapping = wrapping},
                                fresh(out), fresh(err));
  }
  // What a verb with --json said about its refusal.
  [[nodiscard]] nlohmann::json refusal() const {
    const auto said = nlohmann::json::parse(out.str(), nullptr, false);
    EXPECT_TRUE(said.is_object() && said.contains("error")) << out.str();
    return said.is_object() && said.contains("error") ? said["error"] : nlohmann::json::object();
  }
  int import(const std::string& file) {
    return run_kms_import_certificate(
        {.directory = path("kms"), .file = path(file), .passphrase_file = path("pass"), .json = true},
        fresh(out), fresh(err));
  }
  int certificate(const std::string& name) {
    return run_kms_certificate({.directory = path(name)}, fresh(out), fresh(err));
  }

  static std::ostringstream& fresh(std::ostringstream& stream) {
    stream.str("");
    return stream;
  }
  test::TemporaryDirectory root;
  std::ostringstream out, err;
};

// ---- serve
class KmsServe : public KmsVerbs {
 protected:
  KmsServe() {
    EXPECT_EQ(init("kms", "kms.mcx.example"), 0) << err.str();
    EXPECT_EQ(add(kBob), 0);
    EXPECT_EQ(add(kServer, true), 0);
    server_files = ca.issue({.name = "kms", .dns = {"localhost"}, .addresses = {"127.0.0.1"}}).value();
    gms_files = ca.issue({.name = "gms", .uris = {kServer}}).value();
    token("bob.jwt", kBob);
    token("gms.jwt", kServer);
  }
  ~KmsServe() override {
    if (child > 0) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  void token(const std::string& name, const std::string& identity) const {
    write(name,
          issuer
              .token({.mcptt_id = identity, .scopes = {"3gpp:mc:ptt_key_management_service"}},
                     SystemClock().now())
              .value(),
          0600);
  }
  [[nodiscard]] KmsServeOptions options() const {
    KmsServeOptions made;
    made.directory = path("kms");
    made.listen = "127.0.0.1:0";
    made.tls_cert = server_files.certificate;
    made.tls_key = server_files.key;
    made.client_ca = ca.certificate_file();
    made.jwks = issuer.jwks_file();
    made.issuer = issuer.url();
    made.passphrase_file = path("pass");
    return made;
  }
  // Starts the process; the URL of its ready line, empty when it ended instead.
  std::string start(const KmsServeOptions& with) {
    int pipe_ends[2];
    EXPECT_EQ(::pipe(pipe_ends), 0);
    std::fflush(stdout);  // or the child would print what the test program has buffered
    child = ::fork();
    if (child == 0) {
      ::dup2(pipe_ends[1], 1);
      ::close(pipe_ends[0]);
      ::close(pipe_ends[1]);
      std::ofstream log(path("log"), std::ios::app);
      ::_exit(run_kms_serve(with, log));
    }
    ::close(pipe_ends[1]);
    std::string line;
    char c = 0;
    while (::read(pipe_ends[0], &c, 1) == 1 && c != '\n') line += c;
    ::close(pipe_ends[0]);
    printed = line;
    return line.rfind("ready https://127.0.0.1:", 0) == 0 ? line.substr(6) : std::string();
  }
  int stop() { return ended(SIGTERM); }
  int ended(int signal = 0) {
    if (signal) ::kill(child, signal);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] KmsAccess protected_access(const std::string& url, const std::string& token_name,
                                           const std::string& transport_keys) const {
    KmsAccess access;
    access.uri = "kms.mcx.example";
    access.url = url;
    access.ca_file = ca.certificate_file();
    access.token_file = path(token_name);
    access.policy = KmsPolicy::wrap_sign;
    access.transport_keys =
        std::make_shared<TransportRing>(read_transport_key_file(path(transport_keys)).value());
    return access;
  }
  [[nodiscard]] Result<Provisioned> keys(const std::string& url, const std::string& identity,
                                         const std::string& token_name, const LabFiles& own = {},
                                         const std::string& transport_keys = {}) const {
    KmsAccess access;
    if (!transport_keys.empty()) {
      access.policy = KmsPolicy::wrap_sign;
      access.transport_keys =
          std::make_shared<TransportRing>(TRY(read_transport_key_file(path(transport_keys))));
    }
    access.uri = "kms.mcx.example";
    access.url = url;
    access.ca_file = ca.certificate_file();
    if (!token_name.empty()) access.token_file = path(token_name);
    access.certificate_file = own.certificate;
    access.key_file = own.key;
    const KmsAnswers answers = TRY(fetch_keys(access, identity));
    return read_keys(answers, identity, access.uri, SystemClock().now());
  }

  LabCa ca = LabCa::make(root.path).value();
  Issuer issuer = Issuer::make(root.path, "https://idms.mcx.example").value();
  LabFiles server_files, gms_files;
  pid_t child = 0;
  SecretOctets stored;  // of the transport keys of a client
  std::string printed;  // the first line of the process
};

}  // namespace regroup::app::cli
