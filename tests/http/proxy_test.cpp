// SPDX-License-Identifier: Apache-2.0
// A request by way of a home HTTP proxy (TS 24.482 annex A): a TLS proxy that forwards to the server behind
// it, written with the house's own server and client.
#include <gmock/gmock.h>

#include "http/forwarding_proxy.hpp"

namespace regroup::http {
namespace {

using testing::HasSubstr;

class Proxied : public testing::Test {
 protected:
  Proxied() {
    origin = serve([](Request request, Responder respond) {
      respond(make_response(200, "text/plain",
                            request.method + " " + request.target + " " +
                                std::string(request.headers.find("Host").value_or("none")) + " " +
                                std::string(text_of(request.body))));
    });
    proxy = std::make_unique<ForwardingProxy>(origin->port("ue"));
  }
  [[nodiscard]] Result<Response> send(const std::string& by) const {
    ClientRequest request;
    request.method = "PUT";
    request.url = "https://gms.alpha.example:8443/xcap-root/a%2Fb?c=d";
    request.body = to_octets(view("body"));
    request.proxy = by;
    const auto client = must(Client::make(trusting()));
    return client->call(std::move(request), std::chrono::seconds(60));
  }
  std::unique_ptr<Server> origin;
  std::unique_ptr<ForwardingProxy> proxy;
};

TEST_F(Proxied, RequestKeepsTargetAndHostOfTheServerBehindTheProxy) {
  const auto answer = send(proxy->address());
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->body.text(), "PUT /xcap-root/a%2Fb?c=d gms.alpha.example:8443 body");
  EXPECT_EQ(proxy->forwarded(), 1u);
}

TEST_F(Proxied, NameInTheProxysCertificateIsTheProxysAndNotTheServers) {
  const ForwardingProxy pretender(origin->port("ue"), lab().server);  // gms.alpha.example, not localhost
  const auto answer = send(pretender.address());
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().text(), HasSubstr("by proxy localhost:"));
  EXPECT_THAT(answer.error().text(), HasSubstr("certificate refused"));
  EXPECT_EQ(pretender.forwarded(), 0u);
}

TEST_F(Proxied, ConnectionByAProxyIsNotReusedForAnother) {
  const auto client = must(Client::make(trusting()));
  ForwardingProxy second(origin->port("ue"));
  for (const std::string& by : {proxy->address(), second.address(), proxy->address()}) {
    ClientRequest request;
    request.url = "https://gms.alpha.example/";
    request.proxy = by;
    EXPECT_TRUE(client->call(std::move(request), std::chrono::seconds(60)).ok());
  }
  EXPECT_EQ(proxy->forwarded(), 2u);
  EXPECT_EQ(second.forwarded(), 1u);
}

TEST_F(Proxied, AddressThatIsNoneIsAUsageError) { EXPECT_FALSE(send("no-port").ok()); }

}  // namespace
}  // namespace regroup::http
