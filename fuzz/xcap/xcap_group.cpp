// SPDX-License-Identifier: Apache-2.0
// Group documents: what a reader is shown, and what is written from the fields alone, says the same as what
// was received; a refusal is an XCAP answer that a client can read.
#include "refusal.hpp"
#include "xcap/group_document.hpp"

using namespace regroup;
using namespace regroup::xcap;

namespace {

// The fields that both ways of writing keep.
void expect_same(const GroupDocument& a, const GroupDocument& b) {
  FUZZ_EXPECT(a.uri == b.uri && a.display_name == b.display_name && a.owner == b.owner);
  FUZZ_EXPECT(a.disabled == b.disabled && a.levels == b.levels && a.plan == b.plan);
  FUZZ_EXPECT(a.invite_members == b.invite_members && a.max_participants == b.max_participants);
  FUZZ_EXPECT(a.preconfigured_only == b.preconfigured_only);
  FUZZ_EXPECT(a.temporary == b.temporary && a.regrouped == b.regrouped);
}

void expect_same_rules(const GroupDocument& a, const GroupDocument& b) {
  FUZZ_EXPECT(a.rules.size() == b.rules.size() && a.enablers == b.enablers);
  for (std::size_t i = 0; i < a.rules.size(); ++i)
    for (const bool member : {true, false})
      FUZZ_EXPECT(a.rules[i].applies_to("sip:ann@mcx.example", member) ==
                  b.rules[i].applies_to("sip:ann@mcx.example", member));
}

void check_rendering(const GroupDocument& document) {
  const std::string text = render(document, {.list = true, .regrouped = document.regrouped});
  const auto whole = parse_group_document(view(text));
  FUZZ_EXPECT(whole.ok());
  expect_same(whole.value(), document);
  expect_same_rules(whole.value(), document);
  FUZZ_EXPECT(whole->list == document.list);
  FUZZ_EXPECT(render(whole.value(), {.list = true, .regrouped = document.regrouped}) == text);
  const auto without = parse_group_document(view(render(document, {})));
  FUZZ_EXPECT(without.ok() && !without->list && without->regrouped.empty());
}

void check_writing(const GroupDocument& document) {
  const std::string text = write_group_document(document);
  const auto again = parse_group_document(view(text));
  FUZZ_EXPECT(again.ok() && again->list == document.list && again->is_mcptt());
  expect_same(again.value(), document);
  FUZZ_EXPECT(write_group_document(again.value()) == text);
}

// PR-13, and the rules: repeating what the server manages is never the reason of a refusal.
void check_change(const GroupDocument& document) {
  const bool understood = std::all_of(document.rules.begin(), document.rules.end(),
                                      [](const Rule& rule) { return rule.understood; });
  FUZZ_EXPECT(!check_client_change(document, {document.regrouped, document.temporary}) == understood);
  if (!document.regrouped.empty() || document.temporary) FUZZ_EXPECT(check_client_change(document, {}));
}

// No action is granted by rules that apply to nobody.
void check_grants(const GroupDocument& document) {
  const std::string_view stranger = "sip:nobody@nowhere.example";
  if (!document.may_see_list(stranger)) return;
  FUZZ_EXPECT(std::any_of(document.rules.begin(), document.rules.end(), [&](const Rule& rule) {
    return rule.understood && rule.applies_to(stranger, document.has_member(stranger));
  }));
}

void check_refusal(const XcapError& error) {
  FUZZ_EXPECT(error.status() == 409 && !error.phrase.empty() && is_one_line(error.phrase));
  const std::string body = error.write();
  const auto read = XcapError::parse(view(body));
  FUZZ_EXPECT(read.ok() && read->kind == error.kind && read->field == error.field);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = parse_group_document(OctetsView(data, size));
  if (!document.ok()) {
    check_refusal(document.error());
    return 0;
  }
  check_rendering(document.value());
  check_writing(document.value());
  check_change(document.value());
  check_grants(document.value());
  return 0;
}
