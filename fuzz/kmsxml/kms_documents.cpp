// SPDX-License-Identifier: Apache-2.0
// The readers of KMS documents, all on one input: what they accept under every
// switch of form, they write so that they accept it again without one.
#include "kmsxml/documents.hpp"
#include "refusal.hpp"

using namespace regroup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView document(data, size);
  static const kmsxml::Profile forms = kmsxml::Profile::all_forms();
  if (const auto request = kmsxml::parse_request(document, forms); request.ok()) {
    const auto again = kmsxml::parse_request(view(kmsxml::write(*request)));
    FUZZ_EXPECT(again.ok() && again->user_uri == request->user_uri &&
                again->client_req_url == request->client_req_url);
  } else {
    expect_refusal(request.error());
  }
  if (const auto response = kmsxml::parse_response(document, forms); response.ok()) {
    const auto again = kmsxml::parse_response(kmsxml::write(*response).expose());
    FUZZ_EXPECT(again.ok() && again->content.index() == response->content.index());
  } else {
    expect_refusal(response.error());
  }
  if (const auto certificates = kmsxml::find_certificates(document, forms); certificates.ok()) {
    FUZZ_EXPECT(!certificates->empty());
    const auto again = kmsxml::find_certificates(view(kmsxml::write(certificates->front())));
    FUZZ_EXPECT(again.ok() && again->front().pub_enc_key == certificates->front().pub_enc_key);
  } else {
    expect_refusal(certificates.error());
  }
  if (const auto sets = kmsxml::find_key_sets(document, forms); sets.ok()) {
    FUZZ_EXPECT(!sets->empty() && sets->front().user_signing_key_ssk.size() == 32);
    FUZZ_EXPECT(kmsxml::find_key_sets(kmsxml::write(sets->front()).expose()).ok());
  } else {
    expect_refusal(sets.error());
  }
  return 0;
}
