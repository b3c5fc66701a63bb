// SPDX-License-Identifier: Apache-2.0
// Input: an address, a line feed, an XML document. An address that reads is written and reads the same; its
// selector finds in the document only what it describes.
#include "http/target.hpp"
#include "refusal.hpp"
#include "xcap/address.hpp"

using namespace regroup;
using namespace regroup::xcap;

namespace {

constexpr std::string_view kRoot = "https://gms.mcx.example:8443/xcap-root/";

void check_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address.ok()) return expect_refusal(address.error());
  for (const std::string& name : address->names) FUZZ_EXPECT(!name.empty() && name != "." && name != "..");
  FUZZ_EXPECT(address->global == address->xui.empty() && !(address->collection && address->node));
  const std::string written = write_address(*address);
  FUZZ_EXPECT(is_one_line(written));
  if (written.size() > http::kMaxTarget) return;
  const auto again = parse_address(written);
  FUZZ_EXPECT(again.ok() && *again == *address && write_address(*again) == written);
  FUZZ_EXPECT(!address->document().node && address->document().group_id() == address->group_id());
  const auto below = below_root(std::string(kRoot) + written, kRoot);
  FUZZ_EXPECT(!below.ok() || *below == written);
}

// What is said to be below the root is what stands behind it.
void check_root(std::string_view text) {
  const auto below = below_root(text, kRoot);
  if (!below.ok()) return expect_refusal(below.error());
  if (text.size() > below->size()) FUZZ_EXPECT(text.ends_with(*below) || text.ends_with('?'));
  FUZZ_EXPECT(below->size() <= text.size());
}

void check_selection(const xml::Element& root, const Selector& selector) {
  const Located found = locate(root, selector.steps);
  if (found.match == Located::Match::none) {
    FUZZ_EXPECT(found.path.empty());
    return;
  }
  FUZZ_EXPECT(found.path.size() + 1 == selector.steps.size());
  const xml::Element& element = element_at(root, found.path);
  const Step& last = selector.steps.back();
  FUZZ_EXPECT(last.names(element));
  if (!last.test) return;
  const std::string* value = element.attribute(last.test->name, last.test->ns);
  FUZZ_EXPECT(value && *value == last.test->value);
}

// The address read as a bare selector as well: no escapes stand in the fuzzer's way.
void check_selector(std::string_view text, const xml::Element* root) {
  const std::size_t mark = std::min(text.find('?'), text.size());
  const auto bindings = parse_bindings(text.substr(std::min(mark + 1, text.size())));
  if (!bindings.ok()) return expect_refusal(bindings.error());
  const auto selector = parse_selector(text.substr(0, mark), ns::kGktp, *bindings);
  if (!selector.ok()) return expect_refusal(selector.error());
  FUZZ_EXPECT(!selector->steps.empty() && selector->steps.size() <= 32);
  const SelectorText written = write_selector(*selector, ns::kGktp);
  const auto again_bindings = parse_bindings(written.query);
  FUZZ_EXPECT(again_bindings.ok());
  const auto again = parse_selector(written.text, ns::kGktp, *again_bindings);
  FUZZ_EXPECT(again.ok() && *again == *selector);
  if (root) check_selection(*root, *selector);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(OctetsView(data, size));
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view address = text.substr(0, line);
  const auto root = xml::parse(text.substr(std::min(line + 1, text.size())), kSmallDocument);
  check_address(address);
  check_root(address);
  check_selector(address, root.ok() ? &*root : nullptr);
  if (const auto parsed = parse_address(address); parsed.ok() && parsed->node && root.ok())
    check_selection(*root, parsed->node.value());
  return 0;
}
