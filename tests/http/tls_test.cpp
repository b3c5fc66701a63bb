// SPDX-License-Identifier: Apache-2.0
// Who is let in and who is believed: certificates, names, TLS versions, key files.
#include <sys/stat.h>

#include <fstream>

#include "lab.hpp"
#include "raw_peer.hpp"

namespace regroup::http {
namespace {

std::unique_ptr<Server> mutual_server(ClientCertificate mode) {
  ServerOptions options;
  options.listeners = {mutual_listener(mode)};
  return serve(options, [](Request request, Responder respond) {
    const PeerCertificate& c = request.peer.certificate;
    std::string text = c.presented ? "presented " + c.subject : "none";
    for (const std::string& uri : c.uris) text += " U=" + uri;
    for (const std::string& dns : c.dns) text += " D=" + dns;
    respond(make_response(200, "text/plain", text));
  });
}

void expect_transport(const Result<Response>& answer, std::string_view part) {
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::transport);
  EXPECT_NE(answer.error().text().find(part), std::string::npos) << answer.error().text();
}

TEST(Tls, ARequiredClientCertificateIsSeenWithItsNames) {
  const auto server = mutual_server(ClientCertificate::required);
  const auto client = must(Client::make(with_certificate(lab().client)));
  EXPECT_EQ(must(client->call(get(*server, "/", "trusted"))).body.text(),
            "presented CN=peer U=sip:gms@beta.example U=urn:x,y D=gms.beta.example");
}

TEST(Tls, WithoutTheRequiredCertificateNoRequestGetsThrough) {
  const auto server = mutual_server(ClientCertificate::required);
  const auto client = must(Client::make(trusting()));
  const auto answer = client->call(get(*server, "/", "trusted"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::transport);
}

TEST(Tls, ACertificateOfAnotherAuthorityIsRefusedEvenWhereOneIsOptional) {
  for (const auto mode : {ClientCertificate::required, ClientCertificate::optional}) {
    const auto server = mutual_server(mode);
    const auto client = must(Client::make(with_certificate(lab().intruder)));
    EXPECT_FALSE(client->call(get(*server, "/", "trusted")).ok());
  }
}

TEST(Tls, AnOptionalCertificateMayBeAbsent) {
  const auto server = mutual_server(ClientCertificate::optional);
  const auto without = must(Client::make(trusting()));
  EXPECT_EQ(must(without->call(get(*server, "/", "trusted"))).body.text(), "none");
  const auto with = must(Client::make(with_certificate(lab().client)));
  EXPECT_TRUE(must(with->call(get(*server, "/", "trusted"))).body.text().starts_with("presented"));
}

TEST(Tls, AServerOfAnotherAuthorityIsRefused) {
  const auto server = serve(echo);
  ClientOptions options;
  options.ca_file = lab().stranger.certificate_file();
  ::setenv("SSL_CERT_FILE", lab().ca.certificate_file().c_str(), 1);  // the system store would know it
  const auto client = must(Client::make(options));
  ::unsetenv("SSL_CERT_FILE");
  expect_transport(client->call(get(*server, "/")), "TLS: server certificate refused");
}

TEST(Tls, AServerWithAnotherNameIsRefused) {
  const auto server = serve(echo);
  const auto client = must(Client::make(trusting()));
  ClientRequest request = get(*server, "/");
  request.url = "https://gms.beta.example/";
  expect_transport(client->call(std::move(request)), "TLS: server certificate refused: hostname mismatch");
}

TEST(Tls, ANumericHostIsCheckedAgainstTheAddressesOfTheCertificate) {
  const auto server = serve(echo);
  const auto client = must(Client::make(trusting()));
  ClientRequest good;
  good.url = server->origin("ue") + "/x";
  EXPECT_EQ(must(client->call(good)).body.text(), "GET /x ue ");
  ClientRequest bad = get(*server, "/");
  bad.url = "https://127.0.0.2/";
  expect_transport(client->call(std::move(bad)), "IP address mismatch");
}

TEST(Tls, APartnerMustCarryTheRequiredSan) {
  const auto server = serve(echo);
  const auto client = must(Client::make(trusting()));
  for (const std::string san : {"sip:gms@alpha.example", "GMS.alpha.example"}) {
    ClientRequest request = get(*server, "/");
    request.required_san = san;
    EXPECT_TRUE(client->call(std::move(request)).ok()) << san;
  }
  for (const std::string san : {"sip:gms@beta.example", "sip:GMS@alpha.example", "gms.beta.example"}) {
    ClientRequest request = get(*server, "/");
    request.required_san = san;
    expect_transport(client->call(std::move(request)), "does not carry " + san);
  }
}

TEST(Tls, OldVersionsAndWeakSuitesAreRefused) {
  const auto server = serve(echo);
  EXPECT_FALSE(RawPeer(server->port("ue")).shake_hands(TLS1_VERSION, TLS1_1_VERSION));
  EXPECT_FALSE(RawPeer(server->port("ue"))
                   .shake_hands(TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"));
  RawPeer modern(server->port("ue"));
  EXPECT_TRUE(modern.shake_hands(TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
  EXPECT_EQ(modern.version(), "TLSv1.2");
  RawPeer newest(server->port("ue"));
  EXPECT_TRUE(newest.shake_hands(TLS1_3_VERSION, TLS1_3_VERSION));
  EXPECT_EQ(newest.version(), "TLSv1.3");
}

TEST(Tls, WhoeverSpeaksPlainHttpGetsNoHttpAnswer) {
  const auto server = serve(echo);
  RawPeer peer(server->port("ue"));
  ASSERT_TRUE(peer.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(peer.hear_out().find("HTTP/"), std::string::npos);
  EXPECT_TRUE(must(Client::make(trusting()))->call(get(*server, "/")).ok());
}

TEST(Tls, AKeyFileThatOthersMayReadIsRefusedOnBothSides) {
  const auto exposed = must(lab().ca.issue({"exposed", {"gms.alpha.example"}}));
  ASSERT_EQ(::chmod(exposed.key.c_str(), 0640), 0);
  ServerOptions options;
  options.listeners = {listener()};
  options.listeners[0].certificate_file = exposed.certificate;
  options.listeners[0].key_file = exposed.key;
  Server server(options, echo);
  const auto started = server.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, Errc::usage);
  EXPECT_NE(started.error().text().find("chmod 600"), std::string::npos);
  const auto client = Client::make(with_certificate(exposed));
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code, Errc::usage);
}

TEST(Tls, WrongFilesAreNamedAtTheStart) {
  struct Case {
    std::function<void(ListenerOptions&)> spoil;
    std::string named;
  };
  const std::vector<Case> cases{
      {[](ListenerOptions& o) { o.certificate_file = "/nonexistent.pem"; }, "/nonexistent.pem"},
      {[](ListenerOptions& o) { o.key_file = lab().client.key; }, "does not belong"},
      {[](ListenerOptions& o) { o.client_certificate = ClientCertificate::required; }, "no CA file"},
      {[](ListenerOptions& o) { o.address = "localhost:0"; }, "numeric"},
      {[](ListenerOptions& o) { o.address = "192.0.2.1:0"; }, "bind"},
  };
  for (const Case& c : cases) {
    ServerOptions options;
    options.listeners = {listener("first"), listener("second")};
    c.spoil(options.listeners[1]);
    Server server(options, echo);
    const auto started = server.start();
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().text().find("\"second\""), std::string::npos) << started.error().text();
    EXPECT_NE(started.error().text().find(c.named), std::string::npos) << started.error().text();
    EXPECT_EQ(server.port("first"), 0);
  }
  EXPECT_FALSE(Client::make(ClientOptions{}).ok());
}

TEST(TlsLab, WritesKeysForTheOwnerOnlyAndRefusesNamesThatLeaveTheDirectory) {
  struct stat about {};
  ASSERT_EQ(::stat(lab().server.key.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_FALSE(lab().ca.issue({"../up", {}, {}, {}}).ok());
  EXPECT_FALSE(lab().ca.issue({"", {}, {}, {}}).ok());
}

}  // namespace
}  // namespace regroup::http
