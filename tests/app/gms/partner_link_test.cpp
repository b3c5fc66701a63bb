// SPDX-License-Identifier: Apache-2.0
// Two GMSs that talk over real HTTPS on the loopback (TS 33.179 7.3.5.3; PR-40): who is trusted, what is
// repeated, what silence means. Ports are drawn by the system, time is real.
#include "app/gms/partner_link.hpp"

#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"
#include "app/tls_lab.hpp"
#include "http/server.hpp"

namespace regroup::test {
namespace {

using testing::HasSubstr;

const SystemClock kRealTime;

struct Authorities {
  TemporaryDirectory home, elsewhere;
  app::LabCa ca = app::LabCa::make(home.path).value();
  app::LabCa stranger = app::LabCa::make(elsewhere.path, "another lab CA").value();
};
Authorities& authorities() {
  static Authorities made;
  return made;
}
app::LabFiles certificate(const std::string& uri, const app::LabCa& ca = authorities().ca) {
  return ca.issue({.name = uri.substr(uri.find('@') + 1), .uris = {uri}, .addresses = {"127.0.0.1"}}).value();
}

// A GMS with its trusted listener, and its own way to the partner.
class System {
 public:
  System(const std::string& domain, const std::string& certified)
      : lab(domain, {}, &kRealTime), files_(certificate(certified)) {
    lab.settings.t_ask = 1;
    http::ServerOptions options;
    http::ListenerOptions listener;
    listener.name = "trusted";
    listener.address = "127.0.0.1:0";
    listener.certificate_file = files_.certificate;
    listener.key_file = files_.key;
    listener.client_certificate = http::ClientCertificate::required;
    listener.client_ca_file = authorities().ca.certificate_file();
    options.listeners.push_back(std::move(listener));
    server_ =
        std::make_unique<http::Server>(options, [this](http::Request request, http::Responder responder) {
          take(std::move(request), std::move(responder));
        });
    const auto started = server_->start();
    EXPECT_TRUE(started.ok()) << started.error().text();
  }
  ~System() {
    server_->stop();
    lab.loop().stop();
    link_.reset();  // its pending calls end now, on a loop that still exists
    lab.stop();
  }
  void reach(const System& partner, const std::string& san = {}) {
    app::GmsConfig config;
    config.domain = lab.settings;
    config.certificate_file = files_.certificate;
    config.key_file = files_.key;
    app::PartnerAccess access;
    access.gms_uri = partner.lab.gms_uri;
    access.xcap_root = partner.url("");
    access.ca_file = authorities().ca.certificate_file();
    access.san = san.empty() ? access.gms_uri : san;
    config.partners.push_back(access);
    link_ = app::PartnerLink::make(config, lab.loop()).value();
    lab.loop().run([this] { link_->attach(lab.core()); });
  }
  [[nodiscard]] std::string url(const std::string& resource) const {
    return server_->origin("trusted") + "/xcap-root/" + resource;
  }
  void close() { server_->stop(); }
  [[nodiscard]] std::string partner_state(const std::string& group) {
    const auto ledger = lab.ledger(group);
    return ledger["regroups"].empty() ? "" : ledger["regroups"].back()["partners"].at(0)["state"];
  }

  GmsLab lab;
  std::atomic<int> requests = 0;
  std::atomic<int> drop_notifications = 0;  // worked through, but the answer is lost

 private:
  void take(http::Request request, http::Responder responder) {
    ++requests;
    auto asked = std::make_shared<http::Request>(std::move(request));
    auto held = std::make_shared<http::Responder>(std::move(responder));
    const bool c9 = text_of(asked->body).find("group-regroup-notification") != std::string_view::npos;
    const bool lost = c9 && drop_notifications > 0 && drop_notifications-- > 0;
    lab.loop().post([this, asked, held, lost] {
      lab.front().handle(*asked, [held, lost](http::Response response) {
        if (!lost) held->send(std::move(response));
      });
    });
  }
  app::LabFiles files_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<app::PartnerLink> link_;
};

struct TwoSystems {
  explicit TwoSystems(const std::string& beta_certificate = kGmsB) : beta("beta.example", beta_certificate) {
    alpha.reach(beta);
    alpha.lab.create(kFire, {kAnn});
    alpha.lab.create(kRescue, {kBob});
    beta.lab.create(kPolice, {kQuinn});
  }
  xcap::GmopResponse regroup(const std::string& id, const std::vector<std::string>& groups) {
    return gmop_in(alpha.lab.gmop(kDispatch, regroup_request(id, groups)));
  }
  System alpha{"alpha.example", kGmsA};
  System beta;
};

TEST(PartnerLink, ARegroupOverTwoSystemsEndsInOneKey) {
  TwoSystems both;
  const auto answer = both.regroup("req-00000001", {kFire, kPolice});
  ASSERT_TRUE(answer.accepted) << answer.reason;
  EXPECT_TRUE(answer.constituents.empty()) << "all joined";
  EXPECT_EQ(both.beta.requests, 2) << "C3 and C9";
  EXPECT_EQ(both.alpha.partner_state(answer.temporary), "ACKED");
  EXPECT_EQ(both.alpha.lab.state_of(answer.temporary, kGmsB), "INSTALLED");

  const auto held = [](GmsLab& lab, const std::string& who, const std::string& group,
                       const std::string& temporary) {
    LabUe client = client_of(who, kRealTime, lab.gms_uri);
    const auto document = lab.get(who, GmsLab::keys_path(group));
    client.take(client.ue->document(group, payloads_in(xcap::parse_gktp(document.body.view()).value())));
    return client.held(temporary);
  };
  const auto ann = held(both.alpha.lab, kAnn, kFire, answer.temporary);
  EXPECT_EQ(ann.size(), 1u);
  EXPECT_EQ(held(both.beta.lab, kQuinn, kPolice, answer.temporary), ann);
}

TEST(PartnerLink, ATeardownReachesThePartner) {
  TwoSystems both;
  const std::string temporary = both.regroup("req-00000001", {kFire, kPolice}).temporary;
  ASSERT_EQ(both.beta.lab.get(kQuinn, GmsLab::keys_path(temporary)).status, 200u);
  const xcap::RegroupTeardown down{"req-00000002", temporary, {}};
  EXPECT_TRUE(gmop_in(both.alpha.lab.gmop(kDispatch, down)).accepted);
  EXPECT_TRUE(both.alpha.lab.until([&] {
    for (const auto& [ref, regroup] : both.alpha.lab.core().gms().state().regroups)
      if (regroup.partners.at(0).state == gms::PartnerState::withdrawn) return true;
    return false;
  }));
  EXPECT_EQ(both.beta.lab.get(kQuinn, GmsLab::keys_path(temporary)).status, 404u);
  EXPECT_EQ(both.beta.lab.get(kQuinn, GmsLab::keys_path(kPolice)).status, 200u);
  EXPECT_TRUE(both.regroup("req-00000003", {kFire, kPolice}).accepted) << "both are free again";
}

TEST(PartnerLink, APartnerOutOfReachRejectsTheRegroupAndNothingIsCreated) {
  TwoSystems both;
  both.beta.close();
  const std::size_t keys = both.alpha.lab.keys();
  const auto answer = both.regroup("req-00000001", {kFire, kPolice});
  EXPECT_FALSE(answer.accepted);
  EXPECT_EQ(answer.reason, "partner-unreachable");
  EXPECT_EQ(both.alpha.lab.keys(), keys);
  EXPECT_TRUE(both.regroup("req-00000002", {kFire, kRescue}).accepted) << "the group is free again";
}

TEST(PartnerLink, APartnerWithoutConfiguredAccessIsOutOfReach) {
  System alpha{"alpha.example", kGmsA};
  System gamma{"gamma.example", kGmsC};
  alpha.reach(gamma);
  alpha.lab.create(kFire, {kAnn});
  const auto answer = gmop_in(alpha.lab.gmop(kDispatch, regroup_request("req-00000001", {kFire, kPolice})));
  EXPECT_EQ(answer.reason, "partner-unreachable");
  EXPECT_EQ(gamma.requests, 0) << "nobody else is asked instead";
}

// The address alone is not the partner: its certificate must carry the configured name.
TEST(PartnerLink, AServerThatIsNotThePartnerHearsNothing) {
  TwoSystems both(kGmsC);
  const auto answer = both.regroup("req-00000001", {kFire, kPolice});
  EXPECT_FALSE(answer.accepted);
  EXPECT_EQ(answer.reason, "partner-unreachable");
  EXPECT_EQ(both.beta.requests, 0);
  EXPECT_THAT(both.alpha.lab.on_loop([&] { return both.alpha.lab.log; }),
              testing::Contains(HasSubstr("C3 to " + kGmsB)));
}

TEST(PartnerLink, OnlyTheCertificateOfThePartnerOpensTheTrustedListener) {
  System beta("beta.example", kGmsB);
  beta.lab.create(kPolice, {kQuinn});
  xcap::RegroupCreation c3 = regroup_request("rg-0000000000000001", {kFire, kPolice});
  c3.between_servers = true;
  const auto status = [&](const std::optional<app::LabFiles>& files,
                          const std::string& asserted) -> unsigned {
    http::ClientOptions options;
    options.ca_file = authorities().ca.certificate_file();
    if (files) options.certificate_file = files->certificate;
    if (files) options.key_file = files->key;
    http::ClientRequest request;
    request.method = "POST";
    request.url = beta.url(GmsLab::group_path(kPolice));
    request.headers.add("Content-Type", std::string(xcap::mime::kGmop));
    request.headers.add("X-3GPP-Asserted-Identity", "\"" + asserted + "\"");
    request.body = to_octets(view(xcap::write_gmop(xcap::GmopRequest(c3))));
    const auto answer = http::Client::make(options).value()->call(std::move(request));
    return answer.ok() ? answer->status : 0;
  };
  EXPECT_EQ(status({}, kGmsA), 0u) << "no certificate: no TLS";
  EXPECT_EQ(status(certificate(kGmsA, authorities().stranger), kGmsA), 0u) << "of another CA";
  EXPECT_EQ(beta.requests, 0);
  EXPECT_EQ(status(certificate(kGmsC), kGmsA), 403u) << "a partner that pretends to be another";
  EXPECT_EQ(status(certificate("sip:gms@delta.example"), "sip:gms@delta.example"), 403u);
  EXPECT_EQ(status(certificate(kGmsA), kGmsA), 200u);
}

// The partner worked C9 through, but its answer got lost: the repetition finds the key.
TEST(PartnerLink, ALostAnswerToC9IsAskedForAgainAndMakesNoSecondKey) {
  TwoSystems both;
  both.beta.drop_notifications = 1;
  const auto answer = both.regroup("req-00000001", {kFire, kPolice});
  ASSERT_TRUE(answer.accepted) << answer.reason;
  EXPECT_TRUE(answer.constituents.empty()) << "the repetition came through before c13_wait was over";
  EXPECT_EQ(both.beta.requests, 3);
  EXPECT_EQ(both.beta.lab.ledger(answer.temporary)["keys"].size(), 1u);
  EXPECT_EQ(both.alpha.lab.ledger(answer.temporary)["keys"].size(), 1u);
  EXPECT_EQ(both.alpha.partner_state(answer.temporary), "ACKED");
}

}  // namespace
}  // namespace regroup::test
