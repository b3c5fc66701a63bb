// SPDX-License-Identifier: Apache-2.0
// What protects KMS messages (TS 33.180 9.3), read from anybody; the first octet picks:
//   q  a signed request      r  a signed response, its wrapped keys opened      w  a bare response with
//   wrapped keys x  changes to a signed request of ours      t  a transport key file      k  the transport
//   key record of a KMS
// Nothing verifies but what was signed; what is read is written as it was.
#include "app/kms/protection.hpp"
#include "app/kms/transport_file.hpp"
#include "base/text.hpp"
#include "refusal.hpp"

using namespace regroup;

namespace {

// Those of the worked examples (tests/kmsxml/data): the corpus has what they signed.
const kms::TransportKeys& keys() {
  static const kms::TransportKeys one = [] {
    const auto key = [](const char* digits) {
      const Octets octets = from_hex(digits).value();
      return Secret<32>(OctetsView(octets).first<32>());
    };
    return kms::TransportKeys{"tk.0007.user.001@alpha.example",
                              key("beb698d5e6204b6f895b539c8683eaed456309856c96a34603cdb376890bd418"),
                              "ink.0007.user.001@alpha.example",
                              key("349ffc302baeb35f4c027a5bc7700652c0c4492a11a1c67a1fa783475a44477a")};
  }();
  return one;
}

void check_request(OctetsView document) {
  const auto request = kmsxml::open_request(document, app::signing_key_of(keys()));
  if (!request.ok()) return expect_refusal(request.error());
  FUZZ_EXPECT(kmsxml::is_signed(document));
  const auto again = kmsxml::sign(*request, app::signing_key_of(keys()));
  FUZZ_EXPECT(again.ok());
  const auto read = kmsxml::open_request(view(*again), app::signing_key_of(keys()));
  FUZZ_EXPECT(read.ok() && read->id == request->id && read->client_req_url == request->client_req_url);
}

void check_key_sets(kmsxml::KmsResponse& response) {
  auto* provided = std::get_if<kmsxml::KmsKeyProv>(&response.content);
  if (!provided) return;
  for (kmsxml::KmsKeySet& one : provided->key_sets) {
    const auto opened = app::unwrap(one, keys());
    if (!opened.ok()) {
      expect_refusal(opened.error());
      continue;
    }
    FUZZ_EXPECT(!one.wrapped && one.user_decrypt_key.size() == 257 && one.user_signing_key_ssk.size() == 32 &&
                one.user_pub_token_pvt.size() == 65);
    for (const kms::Wrapping wrapping : {kms::Wrapping::w1, kms::Wrapping::w2, kms::Wrapping::w3}) {
      app::wrap(one, keys(), wrapping);
      FUZZ_EXPECT(one.wrapped && app::unwrap(one, keys()).ok() && one.user_decrypt_key.size() == 257);
    }
  }
}

void check_response(Result<kmsxml::KmsResponse> response) {
  if (!response.ok()) return expect_refusal(response.error());
  const auto again = kmsxml::parse_response(kmsxml::write(*response).expose());
  FUZZ_EXPECT(again.ok() && again->content.index() == response->content.index());
  check_key_sets(*response);
}

// Our own request with the input laid over it at the offset that its first two octets say.
void check_changed(OctetsView changes) {
  static const std::string signed_text =
      kmsxml::sign(
          kmsxml::KmsRequest{.id = "q1",
                             .user_uri = "sip:user.001@alpha.example",
                             .kms_uri = "kms.alpha.example",
                             .time = parse_date_time("2026-03-02T09:30:00Z").value(),
                             .client_req_url = "https://kms.alpha.example/keymanagement/identity/v1/init"},
          app::signing_key_of(keys()))
          .value();
  if (changes.size() < 2) return;
  const std::size_t at = static_cast<std::size_t>(changes[0] << 8 | changes[1]) % signed_text.size();
  std::string text = signed_text;
  for (std::size_t i = 2; i < changes.size() && at + i - 2 < text.size(); ++i)
    text[at + i - 2] = static_cast<char>(text[at + i - 2] ^ changes[i]);
  const auto opened = kmsxml::open_request(view(text), app::signing_key_of(keys()));
  if (!opened.ok()) return expect_refusal(opened.error());
  FUZZ_EXPECT(opened->user_uri == "sip:user.001@alpha.example" && opened->id == "q1");
}

void check_file(OctetsView text) {
  const auto read = app::transport_keys_in(text, "keys.json");
  if (!read.ok()) return expect_refusal(read.error());
  FUZZ_EXPECT(!read->trk_id.empty() && is_one_line(read->trk_id) && is_one_line(read->ink_id));
  FUZZ_EXPECT(read->signing_id() == (read->ink_id.empty() ? read->trk_id : read->ink_id));
}

// As releases up to 0.1 kept the keys: what is read comes back from the records that keep it now.
void check_record(OctetsView octets) {
  auto store = kms::TransportKeyStore::parse(octets);
  if (!store.ok()) return expect_refusal(store.error());
  kms::TransportKeyStore again;
  for (Write& one : store->take_changes())
    FUZZ_EXPECT(again.take(Record{one.kind, one.id, std::move(one.value).value()}).ok());
  FUZZ_EXPECT(again.size() == store->size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const OctetsView rest = OctetsView(data, size).subspan(1);
  if (data[0] == 'q') check_request(rest);
  if (data[0] == 'r') check_response(kmsxml::open_response(rest, app::signing_key_of(keys())));
  if (data[0] == 'w') check_response(kmsxml::parse_response(rest));
  if (data[0] == 'x') check_changed(rest);
  if (data[0] == 't') check_file(rest);
  if (data[0] == 'k') check_record(rest);
  return 0;
}
