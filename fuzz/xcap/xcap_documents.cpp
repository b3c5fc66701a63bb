// SPDX-License-Identifier: Apache-2.0
// The readers of all other documents of group management, each on the whole input (their roots differ): what
// is accepted is written and reads the same.
#include "base/text.hpp"
#include "refusal.hpp"
#include "xcap/gmop.hpp"
#include "xcap/key_receipt.hpp"
#include "xcap/mcptt_info.hpp"
#include "xcap/resource_lists.hpp"
#include "xcap/xcap_diff.hpp"
#include "xcap/xcap_error.hpp"

using namespace regroup;
using namespace regroup::xcap;

namespace {

// A NOTIFY brings parts of the document as well, so the element is read whatever it is.
void check_gktp(const xml::Element& root) {
  for (const GktpParent parent : {GktpParent::gmk, GktpParent::mkfc}) {
    const auto payloads = read_gktp(root, parent);
    if (!payloads.ok()) return expect_refusal(payloads.error());
    const std::string text = write_gktp(*payloads);
    const auto again = parse_gktp(view(text));
    FUZZ_EXPECT(again.ok() && write_gktp(*again) == text);  // the order of the schema may be another
    FUZZ_EXPECT(std::is_permutation(again->begin(), again->end(), payloads->begin(), payloads->end()));
    for (const GktpPayload& one : *payloads)
      FUZZ_EXPECT(!one.message.empty() && one.message.size() <= (64u << 10));
  }
}

void check_gmop(OctetsView document) {
  if (const auto request = parse_gmop_request(document); request.ok()) {
    const std::string text = write_gmop(*request);
    const auto again = parse_gmop_request(view(text));
    FUZZ_EXPECT(again.ok() && again->index() == request->index() && write_gmop(*again) == text);
    if (const auto* creation = std::get_if<RegroupCreation>(&*request))
      FUZZ_EXPECT(std::get<RegroupCreation>(*again).regrouped == creation->regrouped &&
                  is_request_id(creation->id) && !creation->regrouped.constituents.empty());
    if (const auto* notification = std::get_if<RegroupNotification>(&*request))
      FUZZ_EXPECT(std::get<RegroupNotification>(*again).regrouped == notification->regrouped &&
                  notification->seq != 0);
  } else {
    expect_refusal(request.error());
  }
  if (const auto response = parse_gmop_response(document); response.ok()) {
    const auto again = parse_gmop_response(view(write_gmop(*response)));
    FUZZ_EXPECT(again.ok() && *again == *response);
  } else {
    expect_refusal(response.error());
  }
}

void check_receipt(OctetsView document) {
  const auto receipts = parse_key_receipt(document);
  if (!receipts.ok()) return expect_refusal(receipts.error());
  const auto again = parse_key_receipt(view(write_key_receipt(*receipts)));
  FUZZ_EXPECT(again.ok() && *again == *receipts && !receipts->empty());
  for (const Receipt& one : *receipts) FUZZ_EXPECT(one.gmk_id.has_value() == knows_gmk_id(one.result));
}

// Where a namespace is declared may move from outside an element into it; what the element means may not.
void check_diff(OctetsView document) {
  const auto diff = parse_xcap_diff(document);
  if (!diff.ok()) return expect_refusal(diff.error());
  const std::string text = write_xcap_diff(*diff);
  const auto again = parse_xcap_diff(view(text));
  FUZZ_EXPECT(again.ok() && again->root == diff->root && again->documents.size() == diff->documents.size() &&
              again->elements.size() == diff->elements.size());
  FUZZ_EXPECT(write_xcap_diff(*again) == text);
  for (std::size_t i = 0; i < diff->elements.size(); ++i) {
    const ElementDiff &a = diff->elements[i], &b = again->elements[i];
    FUZZ_EXPECT(a.sel == b.sel && a.content.has_value() == b.content.has_value());
    FUZZ_EXPECT(!a.content || xml::equivalent(*a.content, *b.content));
  }
}

void check_info(OctetsView document) {
  const auto info = parse_mcptt_info(document);
  if (!info.ok()) return expect_refusal(info.error());
  FUZZ_EXPECT(!info->token_encrypted || info->access_token.empty());
  std::string text = write_mcptt_info(*info);
  const auto again = parse_mcptt_info(view(text));
  FUZZ_EXPECT(again.ok() && again->request_uri == info->request_uri);
  FUZZ_EXPECT(ct_equal(again->access_token.expose(), info->access_token.expose()));
  xml::wipe(text);
}

void check_lists(OctetsView document) {
  const auto uris = parse_resource_lists(document);
  if (!uris.ok()) return expect_refusal(uris.error());
  const auto again = parse_resource_lists(view(write_resource_lists(*uris)));
  FUZZ_EXPECT(uris->size() <= kMostWatched && again.ok() && *again == *uris);
}

void check_error(OctetsView document) {
  const auto error = XcapError::parse(document);
  if (!error.ok()) return expect_refusal(error.error());
  if (error->status() != 409) return;
  const std::string text = error->write();
  const auto again = XcapError::parse(view(text));
  FUZZ_EXPECT(again.ok() && again->kind == error->kind && again->phrase == error->phrase);
  FUZZ_EXPECT(again->write() == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView document(data, size);
  const auto root = xml::parse(document, kLargeDocument);
  if (!root.ok()) {
    expect_refusal(root.error());
    FUZZ_EXPECT(!parse_gktp(document).ok() && !parse_gmop_request(document).ok());
    return 0;  // every reader goes through that door
  }
  check_gktp(*root);
  check_gmop(document);
  check_receipt(document);
  check_diff(document);
  check_info(document);
  check_lists(document);
  check_error(document);
  return 0;
}
