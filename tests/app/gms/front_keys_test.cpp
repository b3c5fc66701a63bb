// SPDX-License-Identifier: Apache-2.0
// Key documents as each reader sees them (TS 24.481 7.7; PR-18, PR-36), key receipts (PR-33), and what
// hostile bodies get.
#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"

namespace regroup::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<xcap::GktpPayload> gktp_in(const http::Response& response) {
  EXPECT_EQ(response.status, 200u);
  const auto parsed = xcap::parse_gktp(response.body.view());
  EXPECT_TRUE(parsed.ok()) << response.body.text();
  return parsed.ok() ? parsed.value() : std::vector<xcap::GktpPayload>{};
}

TEST(GmsFrontKeys, EachMemberSeesOnlyItsOwnPayloadAndCanOpenIt) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  const auto ann = lab.get(kAnn, GmsLab::keys_path(kFire)), bob = lab.get(kBob, GmsLab::keys_path(kFire));
  EXPECT_NE(etag_in(ann), etag_in(bob));
  EXPECT_EQ(bob.headers.find("Cache-Control"), "no-store");
  ASSERT_EQ(gktp_in(bob).size(), 1u);
  EXPECT_EQ(gktp_in(bob)[0].id, kBob);
  EXPECT_THAT(std::string(bob.body.text()), Not(HasSubstr("ann")));
  EXPECT_THAT(std::string(bob.body.text()), Not(HasSubstr(hex_upper(view(kAnn)))))
      << "nor inside the message";

  LabUe client = client_of(kBob, lab.clock());
  client.take(client.ue->document(kFire, payloads_in(gktp_in(ann))));
  EXPECT_TRUE(client.held(kFire).empty()) << "the payload of another";
  client.take(client.ue->document(kFire, payloads_in(gktp_in(bob))));
  ASSERT_EQ(client.held(kFire).size(), 1u);
  const auto key = lab.ledger(kFire)["keys"][0];
  EXPECT_EQ(client.held(kFire).at("both"),
            key["key_fingerprint"].get<std::string>() + "/" + key["gmk_id"].get<std::string>());
}

TEST(GmsFrontKeys, UnknownGroupNotAMemberAndNotKeyedLookAlike) {
  GmsLab lab;
  lab.create(kFire, {kAnn, "sip:stranger@nowhere.example"});
  EXPECT_EQ(lab.state_of(kFire, "sip:stranger@nowhere.example"), "UNKEYED");
  for (const auto& [who, group] :
       {std::pair(kMallory, kFire), std::pair(kAnn, kRescue),
        std::pair(std::string("sip:stranger@nowhere.example"), kFire), std::pair(kDispatch, kFire)}) {
    const auto none = lab.get(who, GmsLab::keys_path(group));
    EXPECT_EQ(none.status, 404u) << who;
    EXPECT_TRUE(none.body.empty());
  }
}

TEST(GmsFrontKeys, TheUsersTreeIsOpenToItsOwnerOnly) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  const std::string bobs = xcap::write_address(xcap::gktp_address(kBob, kFire));
  EXPECT_EQ(etag_in(lab.get(kBob, bobs)), etag_in(lab.get(kBob, GmsLab::keys_path(kFire))));
  EXPECT_EQ(lab.get(kAnn, bobs).status, 404u);
  EXPECT_EQ(lab.get(kDispatch, bobs).status, 404u);
}

TEST(GmsFrontKeys, AnUnchangedDocumentIs304AndHeadAnswersWithoutABody) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  const std::string path = GmsLab::keys_path(kFire);
  const auto head = lab.ask(GmsLab::request("HEAD", path, lab.token(kBob)));
  EXPECT_EQ(head.status, 200u);
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(lab.state_of(kFire, kBob), "PREPARED") << "a look at the ETag is no delivery";

  http::Request conditional = GmsLab::request("GET", path, lab.token(kBob));
  conditional.headers.add("If-None-Match", "\"" + etag_in(head) + "\"");
  const auto unchanged = lab.ask(conditional);
  EXPECT_EQ(unchanged.status, 304u);
  EXPECT_TRUE(unchanged.body.empty());
  EXPECT_EQ(etag_in(unchanged), etag_in(head));
  EXPECT_EQ(lab.state_of(kFire, kBob), "FETCHED") << "who knows the current ETag has the payload";
  EXPECT_EQ(lab.state_of(kFire, kAnn), "PREPARED");
  conditional.headers.set("Authorization", "Bearer " + lab.token(kAnn));
  EXPECT_EQ(lab.ask(conditional).status, 200u) << "the ETag of another's rendering";
}

TEST(GmsFrontKeys, ARestartChangesNeitherDocumentsNorLedger) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  const std::string keys = etag_in(lab.get(kBob, GmsLab::keys_path(kFire))),
                    group = etag_in(lab.get(kBob, GmsLab::group_path(kFire)));
  const auto before = lab.ledger(kFire);
  lab.restart();
  EXPECT_EQ(lab.ledger(kFire), before);
  EXPECT_EQ(etag_in(lab.get(kBob, GmsLab::keys_path(kFire))), keys);
  EXPECT_EQ(etag_in(lab.get(kBob, GmsLab::group_path(kFire))), group);
}

TEST(GmsFrontKeys, ClientsNeverWriteTheDocument) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  for (const char* method : {"PUT", "DELETE"}) {
    const auto refused = lab.ask(
        GmsLab::request(method, GmsLab::keys_path(kFire), lab.token(kAnn), xcap::mime::kGktp, "<x/>"));
    EXPECT_EQ(refused.status, 405u);
    EXPECT_EQ(refused.headers.find("Allow"), "GET, HEAD, POST");
  }
}

TEST(GmsFrontKeys, TheLedgerIsForTheOperatorsListenerAndHoldsNoKey) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  http::Request request;
  request.method = "GET";
  request.target = "/ledger/" + http::percent_encode(kFire);
  request.peer.listener = "admin";
  EXPECT_EQ(lab.ask(request).status, 403u) << "no certificate";
  request.peer.certificate.presented = true;
  request.peer.certificate.uris = {"sip:gms@partner.example"};
  EXPECT_EQ(lab.ask(request).status, 403u) << "a partner's certificate of the same CA";
  request.peer.certificate.uris = {lab.core().gms().with().settings.gms_uri.text()};
  const auto shown = lab.ask(request);
  EXPECT_EQ(shown.status, 200u);
  const auto ledger = nlohmann::json::parse(shown.body.text());
  EXPECT_EQ(ledger["rows"].size(), 1u);
  const std::string key =
      lab.on_loop([&] { return hex(lab.core().gms().state().keys.begin()->second.material.key.expose()); });
  EXPECT_THAT(std::string(shown.body.text()), Not(HasSubstr(key)));
  EXPECT_THAT(std::string(shown.body.text()), Not(HasSubstr(base64(from_hex(key).value()))));
  const http::PeerCertificate own = std::exchange(request.peer.certificate, {});
  for (const char* listener : {"ue", "trusted"}) {
    request.peer.listener = listener;
    EXPECT_EQ(lab.ask(request).status, 403u);
    http::Request with_token = request;
    with_token.headers.add("Authorization", "Bearer " + lab.token(kDispatch));
    EXPECT_EQ(lab.ask(with_token).status, 404u);
  }
  request.peer.listener = "admin";
  request.peer.certificate = own;
  request.method = "POST";
  EXPECT_EQ(lab.ask(request).status, 405u);
}

// ---- key receipts

class GmsFrontReceipts : public testing::Test {
 protected:
  GmsFrontReceipts() { lab.create(kFire, {kAnn, kBob}); }
  Fixed<32> hash_of(const std::string& who) {
    return lab.on_loop([&] {
      for (const gms::LedgerRow* row : lab.core().gms().ledger_of(kFire))
        if (row->member.text() == who) return row->hash;
      return Fixed<32>{};
    });
  }
  unsigned post(const std::string& who, const std::string& body, const std::string& group = kFire,
                std::string_view type = xcap::mime::kKeyReceipt) {
    return lab.ask(GmsLab::request("POST", GmsLab::keys_path(group), lab.token(who), type, body)).status;
  }
  unsigned send(const std::string& who, const Fixed<32>& hash, xcap::ReceiptResult result) {
    const xcap::Receipt one{hash, result, 0x0a1b2c3d, kFire};
    return post(who, xcap::write_key_receipt({&one, 1}));
  }
  GmsLab lab;
};

TEST_F(GmsFrontReceipts, InstalledIsFinalAndADuplicateHasNoEffect) {
  EXPECT_EQ(send(kBob, hash_of(kBob), xcap::ReceiptResult::installed), 204u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "INSTALLED");
  const std::size_t before = lab.commits();
  EXPECT_EQ(send(kBob, hash_of(kBob), xcap::ReceiptResult::installed), 204u);
  EXPECT_EQ(send(kBob, hash_of(kBob), xcap::ReceiptResult::undecryptable), 204u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "INSTALLED");
  EXPECT_EQ(lab.commits(), before);
}

TEST_F(GmsFrontReceipts, EachFailureIsNamedInTheLedgerAndChangesNoKey) {
  using xcap::ReceiptResult;
  for (const auto result : {ReceiptResult::expired, ReceiptResult::wrong_group, ReceiptResult::bad_signature,
                            ReceiptResult::undecryptable, ReceiptResult::malformed,
                            ReceiptResult::unknown_kms, ReceiptResult::not_authorised}) {
    GmsLab fresh;
    fresh.create(kFire, {kBob});
    const auto before = fresh.ledger(kFire);
    const Fixed<32> hash = fresh.on_loop([&] { return fresh.core().gms().ledger_of(kFire).front()->hash; });
    const xcap::Receipt one{hash, result, 0x0a1b2c3d, kFire};
    EXPECT_EQ(fresh
                  .ask(GmsLab::request("POST", GmsLab::keys_path(kFire), fresh.token(kBob),
                                       xcap::mime::kKeyReceipt, xcap::write_key_receipt({&one, 1})))
                  .status,
              204u);
    const auto after = fresh.ledger(kFire);
    EXPECT_EQ(after["rows"][0]["state"], "FAILED");
    EXPECT_EQ(after["rows"][0]["reason"], std::string(xcap::name_of(result)));
    EXPECT_EQ(after["keys"], before["keys"]);
  }
}

// A client says so once the key is gone; as long as the key lives there is nothing to withdraw.
TEST_F(GmsFrontReceipts, WithdrawnAndRevokedCountOnlyForAKeyThatIsGone) {
  const Fixed<32> hash = hash_of(kBob);
  EXPECT_EQ(send(kBob, hash, xcap::ReceiptResult::withdrawn), 204u);
  EXPECT_EQ(send(kBob, hash, xcap::ReceiptResult::revoked), 204u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "PREPARED");
  lab.create(kFire, {kAnn});
  EXPECT_EQ(send(kBob, hash, xcap::ReceiptResult::withdrawn), 204u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "WITHDRAWN");
  EXPECT_EQ(send(kBob, hash, xcap::ReceiptResult::installed), 204u) << "superseded: counted, no effect";
  EXPECT_EQ(lab.state_of(kFire, kBob), "WITHDRAWN");
}

TEST_F(GmsFrontReceipts, OnesOwnReceiptSaysNothingAboutAnother) {
  EXPECT_EQ(send(kBob, hash_of(kAnn), xcap::ReceiptResult::installed), 204u);
  EXPECT_EQ(lab.state_of(kFire, kAnn), "PREPARED");
  EXPECT_EQ(lab.state_of(kFire, kBob), "PREPARED");
  EXPECT_EQ(send(kBob, Fixed<32>{}, xcap::ReceiptResult::installed), 204u) << "unknown: counted, no effect";
}

TEST_F(GmsFrontReceipts, WhoWasNeverKeyedGets404AndNoTokenGets403) {
  EXPECT_EQ(send(kMallory, hash_of(kAnn), xcap::ReceiptResult::installed), 404u);
  EXPECT_EQ(send(kDispatch, hash_of(kAnn), xcap::ReceiptResult::installed), 404u);
  const xcap::Receipt one{hash_of(kAnn), xcap::ReceiptResult::installed, 1, kFire};
  EXPECT_EQ(post(kAnn, xcap::write_key_receipt({&one, 1}), kRescue), 404u);
  EXPECT_EQ(lab.ask(GmsLab::request("POST", GmsLab::keys_path(kFire), "", xcap::mime::kKeyReceipt,
                                    xcap::write_key_receipt({&one, 1})))
                .status,
            403u);
  EXPECT_EQ(lab.state_of(kFire, kAnn), "PREPARED");
}

TEST_F(GmsFrontReceipts, GarbageIs400AndAnotherTypeIs415) {
  const std::size_t before = lab.commits();
  const std::string head = "<key-receipt xmlns=\"urn:regroup:key-receipt:1\">", tail = "</key-receipt>";
  const std::string hash = hex(hash_of(kBob));
  for (const std::string& body :
       {std::string(), std::string("\0\1\2", 3), std::string("<x/>"), head + tail,
        head +
            "<receipt message=\"00\" result=\"installed\" gmk-id=\"0A1B2C3D\" "
            "group=\"sip:g@x\"/>" +
            tail,
        head + "<receipt message=\"" + hash + "\" result=\"perfect\" group=\"sip:g@x\"/>" + tail,
        head + "<receipt message=\"" + hash + "\" result=\"installed\" group=\"sip:g@x\"/>" + tail,
        head + "<receipt message=\"" + hash + "\" result=\"installed\" gmk-id=\"0A1B2C3D\"/>" + tail})
    EXPECT_EQ(post(kBob, body), 400u) << printable(body, 200);
  EXPECT_EQ(post(kBob, head + tail, kFire, "text/xml"), 415u);
  EXPECT_EQ(lab.commits(), before);
}

TEST_F(GmsFrontReceipts, OneBadReceiptAmongGoodOnesChangesNothing) {
  const xcap::Receipt good{hash_of(kBob), xcap::ReceiptResult::installed, 1, kFire};
  std::string body = xcap::write_key_receipt({&good, 1});
  body.insert(body.find("</key-receipt>"), "<receipt message=\"zz\" result=\"installed\"/>");
  EXPECT_EQ(post(kBob, body), 400u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "PREPARED");
}

// ---- hostile bodies

// Bounded time means: far below what an entity bomb or a quadratic parser would take, with sanitizers on.
constexpr std::chrono::seconds kBounded{10};

std::vector<std::pair<std::string, std::string>> hostile_bodies() {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  std::string many =
      "<group xmlns=\"urn:oma:xml:poc:list-service\"><list-service "
      "uri=\"sip:h@alpha.example\"><list>";
  for (int i = 0; i < 10'001; ++i) many += "<entry uri=\"sip:u" + std::to_string(i) + "@x\"/>";
  many += "</list></list-service></group>";
  std::string attributes = "<group xmlns=\"urn:oma:xml:poc:list-service\"";
  for (int i = 0; i < 50'000; ++i) attributes += " a" + std::to_string(i) + "=\"\"";
  return {
      {"too large", std::string((std::size_t{4} << 20) + 1, ' ')},
      {"a DTD", "<!DOCTYPE group SYSTEM \"file:///etc/passwd\"><group/>"},
      {"an entity bomb",
       "<!DOCTYPE g [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
       "\"&a;&a;&a;&a;&a;&a;&a;&a;\">"
       "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><g>&c;</g>"},
      {"deep nesting", deep},
      {"10 001 entries", many},
      {"many attributes", attributes + "/>"},
      {"an unbound prefix", "<q:group xmlns=\"urn:oma:xml:poc:list-service\"/>"},
      {"not UTF-8", "<group>\xff\xfe</group>"},
      {"another encoding", "<?xml version=\"1.0\" encoding=\"UTF-16\"?><group/>"},
      {"binary", std::string("\x00\x01\x1a\x05", 4)},
      {"nothing", ""},
      {"half a document", "<group xmlns=\"urn:oma:xml:poc:list-service\"><list-service"},
  };
}

TEST(GmsFrontHostile, BodiesAreRefusedInBoundedTimeWithTheStateUnchanged) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const std::size_t before = lab.commits();
  for (const auto& [name, body] : hostile_bodies()) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(lab.put(kDispatch, body).status, 409u) << name;
    const auto post = [&](const std::string& resource, std::string_view type) {
      return lab.ask(GmsLab::request("POST", resource, lab.token(kAnn), type, body)).status;
    };
    EXPECT_EQ(post(GmsLab::group_path(kFire), xcap::mime::kGmop), 400u) << name;
    EXPECT_EQ(post(GmsLab::keys_path(kFire), xcap::mime::kKeyReceipt), 400u) << name;
    const auto partner = lab.ask(
        GmsLab::peer_request("POST", GmsLab::group_path(kFire), kGmsB, kGmsB, xcap::mime::kGmop, body));
    EXPECT_EQ(partner.status, 400u) << name;
    EXPECT_LT(std::chrono::steady_clock::now() - start, kBounded) << name;
  }
  EXPECT_EQ(lab.commits(), before);
  EXPECT_EQ(lab.get(kAnn, GmsLab::keys_path(kFire)).status, 200u) << "and it goes on";
}

}  // namespace
}  // namespace regroup::test
