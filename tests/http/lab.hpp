// SPDX-License-Identifier: Apache-2.0
// A throw-away directory with a CA, a server certificate for gms.alpha.example and 127.0.0.1, and a client
// certificate; made once per test program.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "app/tls_lab.hpp"
#include "http/client.hpp"
#include "http/server.hpp"

namespace regroup::http {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().text();
    std::abort();
  }
  return std::move(result).value();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "regroup-http-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Lab {
  TemporaryDirectory home;
  TemporaryDirectory elsewhere;
  app::LabCa ca = must(app::LabCa::make(home.path()));
  app::LabCa stranger = must(app::LabCa::make(elsewhere.path(), "another lab CA"));
  app::LabFiles server =
      must(ca.issue({"gms", {"gms.alpha.example"}, {"sip:gms@alpha.example"}, {"127.0.0.1"}}));
  app::LabFiles client = must(ca.issue({"peer", {"gms.beta.example"}, {"sip:gms@beta.example", "urn:x,y"}}));
  app::LabFiles intruder = must(stranger.issue({"intruder", {"gms.beta.example"}, {"sip:gms@beta.example"}}));
};

inline Lab& lab() {
  static Lab the_lab;
  return the_lab;
}

inline ListenerOptions listener(std::string name = "ue") {
  ListenerOptions out;
  out.name = std::move(name);
  out.address = "127.0.0.1:0";
  out.certificate_file = lab().server.certificate;
  out.key_file = lab().server.key;
  return out;
}
inline ListenerOptions mutual_listener(ClientCertificate mode, std::string name = "trusted") {
  ListenerOptions out = listener(std::move(name));
  out.client_certificate = mode;
  out.client_ca_file = lab().ca.certificate_file();
  return out;
}

inline std::unique_ptr<Server> serve(ServerOptions options, Handler handler) {
  auto server = std::make_unique<Server>(std::move(options), std::move(handler));
  const auto started = server->start();
  EXPECT_TRUE(started.ok()) << started.error().text();
  return server;
}
inline std::unique_ptr<Server> serve(Handler handler) {
  ServerOptions options;
  options.listeners = {listener()};
  return serve(std::move(options), std::move(handler));
}

inline ClientOptions trusting() {
  ClientOptions out;
  out.ca_file = lab().ca.certificate_file();
  return out;
}
inline ClientOptions with_certificate(const app::LabFiles& files) {
  ClientOptions out = trusting();
  out.certificate_file = files.certificate;
  out.key_file = files.key;
  return out;
}

// A GET by the server's name, connected to its loopback address.
inline ClientRequest get(const Server& server, const std::string& target,
                         const std::string& listener_name = "ue") {
  ClientRequest out;
  out.url = "https://gms.alpha.example" + target;
  out.connect_to = "127.0.0.1:" + std::to_string(server.port(listener_name));
  return out;
}

// "METHOD TARGET LISTENER BODY" of what arrived.
inline void echo(Request request, Responder respond) {
  respond(make_response(200, "text/plain",
                        request.method + " " + request.target + " " + request.peer.listener + " " +
                            std::string(text_of(request.body))));
}

}  // namespace regroup::http
