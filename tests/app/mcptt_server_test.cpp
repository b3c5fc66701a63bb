// SPDX-License-Identifier: Apache-2.0
// A configured MCPTT server reads and may watch group documents; another server does not know they exist.
#include "app/gms/gms_lab.hpp"

namespace regroup::test {
namespace {

constexpr const char* kServer = "sip:mcptt-server@alpha.example";
constexpr const char* kOther = "sip:other-server@alpha.example";

TEST(McpttServer, ReadsGroupDocumentsWhenItIsConfigured) {
  GmsLab lab;
  lab.settings.mcptt_servers = {kServer};
  lab.create(kFire, {kAnn, kBob});
  const auto read = [&](const char* certified, const char* asserted) {
    return lab.ask(GmsLab::peer_request("GET", GmsLab::group_path(kFire), certified, asserted)).status;
  };
  EXPECT_EQ(read(kServer, kServer), 200u);
  EXPECT_EQ(read(kOther, kOther), 404u);
  EXPECT_EQ(read(kOther, kServer), 403u) << "asserted by somebody else";
  // The rule that subscriptions ask, too.
  EXPECT_TRUE(lab.on_loop(
      [&] { return app::Documents(lab.core().gms()).knows(kServer, *lab.core().gms().group(kFire)); }));
  EXPECT_EQ(lab.ask(GmsLab::peer_request("PUT", lab.creation_path(), kServer, kServer, xcap::mime::kGroup,
                                         GmsLab::group_text(kRescue, {kAnn})))
                .status,
            403u)
      << "reading is not creating";
}

TEST(McpttServer, PartnerWithADnsNameIsTakenByTheFront) {
  GmsLab lab;
  for (auto& partner : lab.settings.partners) partner.san = "gms.beta.example";
  lab.create(kFire, {kAnn});
  http::Request request = GmsLab::peer_request("GET", GmsLab::group_path(kFire), kGmsB, kGmsB);
  EXPECT_EQ(lab.ask(request).status, 403u);
  request.peer.certificate.dns = {"gms.beta.example"};
  EXPECT_EQ(lab.ask(request).status, 404u) << "known now; a group it does not share is nothing to it";
}

}  // namespace
}  // namespace regroup::test
