// SPDX-License-Identifier: Apache-2.0
// What a temporary group is to clients and to the partner's dispatcher (PR-44), the names of payloads in a
// key document (PR-16), and who may read the ledger besides the GMS itself.
#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"

namespace regroup::test {
namespace {

TEST(GmsTemporaryGroup, CannotBePutByAClient) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  lab.create(kRescue, {kBob});
  const std::string temporary =
      gmop_in(lab.gmop(kDispatch, regroup_request("req-00000001", {kFire, kRescue}))).temporary;
  const std::size_t before = lab.commits();
  const std::string text = GmsLab::group_text(temporary, {kAnn, kBob, kMallory});
  for (const std::string& path : {GmsLab::group_path(temporary), lab.creation_path()})
    EXPECT_EQ(lab.ask(GmsLab::request("PUT", path, lab.token(kDispatch), xcap::mime::kGroup, text)).status,
              403u)
        << path;
  EXPECT_EQ(lab.commits(), before);
}

TEST(GmsTemporaryGroup, IsDeletedAtItsPrimaryOnly) {
  GmsLab beta("beta.example");
  beta.create(kPolice, {kQuinn});
  xcap::RegroupNotification c9;
  c9.id = "rg-0000000000000001";
  c9.seq = 1;
  c9.regrouped = regroup_request("", {kFire, kPolice}).regrouped;
  c9.regrouped.temporary = "sip:tmp-1@alpha.example";
  c9.regrouped.levels.protect_media = c9.regrouped.levels.protect_floor = false;  // no payload then
  ASSERT_TRUE(
      gmop_in(beta.ask(GmsLab::peer_request("POST", GmsLab::group_path(kPolice), kGmsA, kGmsA,
                                            xcap::mime::kGmop, xcap::write_gmop(xcap::GmopRequest(c9)))))
          .accepted);
  const std::string path = GmsLab::group_path(c9.regrouped.temporary);
  EXPECT_EQ(beta.ask(GmsLab::request("DELETE", path, beta.token(kDispatch))).status, 403u);
  EXPECT_EQ(beta.get(kDispatch, path).status, 200u);
}

// The preferred media key has the reader's plain identity as its id, the others their GMK-ID behind it.
TEST(GmsTemporaryGroup, AndItsConstituentsNameEachPayloadOfAReaderOnce) {
  GmsLab lab;
  const auto create = [&](const std::string& group, const char* floor) {
    const std::string plan =
        "<k:key-plan xmlns:k=\"urn:regroup:group:1\" floor-key=\"" + std::string(floor) + "\"/>";
    ASSERT_EQ(lab.put(kDispatch, GmsLab::group_text(group, {kBob}, plan)).status, 201u);
  };
  create(kFire, "gmk");
  create(kRescue, "mkfc");
  const auto ids = [&](const std::string& group) {
    const auto document = xcap::parse_gktp(lab.get(kBob, GmsLab::keys_path(group)).body.view()).value();
    std::vector<std::string> out;
    for (const auto& one : document)
      out.push_back((one.parent == xcap::GktpParent::mkfc ? "mkfc " : "gmk ") + one.id);
    return out;
  };
  std::string floor;
  const nlohmann::json known = lab.ledger(kFire);
  for (const auto& key : known["keys"])
    if (key["use"] == "floor") floor = key["gmk_id"].get<std::string>();
  const std::string named = ";kid=" + hex_upper(from_hex(floor).value());
  EXPECT_THAT(ids(kFire), testing::UnorderedElementsAre("gmk " + kBob, "gmk " + kBob + named));
  EXPECT_THAT(ids(kRescue), testing::UnorderedElementsAre("gmk " + kBob, "mkfc " + kBob));
}

TEST(GmsLedger, IsForTheConfiguredOperatorsAlone) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  http::Request request;
  request.method = "GET";
  request.target = "/ledger/" + http::percent_encode(kFire);
  request.peer.listener = "admin";
  request.peer.certificate.presented = true;
  const auto status = [&](const std::string& uri) {
    request.peer.certificate.uris = {uri};
    return lab.ask(request).status;
  };
  lab.loop().run([&] { lab.settings.admins = {"urn:ops:one", "urn:ops:two"}; });
  EXPECT_EQ(status("urn:ops:one"), 200u);
  EXPECT_EQ(status("urn:ops:two"), 200u);
  EXPECT_EQ(status("urn:ops:three"), 403u);
  EXPECT_EQ(status(lab.gms_uri), 403u) << "no longer by default";
}

}  // namespace
}  // namespace regroup::test
