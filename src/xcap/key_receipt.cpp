// SPDX-License-Identifier: Apache-2.0
#include "xcap/key_receipt.hpp"

#include "base/text.hpp"
#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "PR-33";
constexpr std::size_t kMostReceipts = 1000;
constexpr std::pair<ReceiptResult, std::string_view> kResults[] = {
    {ReceiptResult::installed, "installed"},
    {ReceiptResult::withdrawn, "withdrawn"},
    {ReceiptResult::expired, "expired"},
    {ReceiptResult::revoked, "revoked"},
    {ReceiptResult::wrong_group, "wrong-group"},
    {ReceiptResult::bad_signature, "bad-signature"},
    {ReceiptResult::undecryptable, "undecryptable"},
    {ReceiptResult::malformed, "malformed"},
    {ReceiptResult::unknown_kms, "unknown-kms"},
    {ReceiptResult::not_authorised, "not-authorised"}};

Result<ReceiptResult> result_named(const std::string& name) {
  for (const auto& [result, one] : kResults)
    if (one == name) return result;
  return fail(Errc::malformed, kClause, "receipt has result \"" + printable(name, 40) + "\"",
              "send a result that docs/wire.md lists, installed for example");
}

Result<std::optional<std::uint32_t>> read_gmk_id(const xml::Element& element, ReceiptResult result) {
  const std::string text = attribute_of(element, "gmk-id");
  // A message that is too old is refused before its GMK-ID is known.
  const bool optional = result == ReceiptResult::expired || !knows_gmk_id(result);
  if (text.empty() && optional) return std::optional<std::uint32_t>();
  if (!knows_gmk_id(result))
    return fail(Errc::malformed, kClause, "receipt has a gmk-id although its result is before decapsulation",
                "leave gmk-id out: it is not known then");
  const auto octets = fixed_from_hex<4>(text);
  if (!octets)
    return fail(Errc::malformed, kClause, "receipt has gmk-id \"" + printable(text, 40) + "\"",
                "send 8 hex digits");
  return std::optional<std::uint32_t>(load_be32(*octets));
}

Result<Receipt> read_receipt(const xml::Element& element) {
  Receipt out;
  const auto hash = fixed_from_hex<32>(attribute_of(element, "message"));
  if (!hash)
    return fail(Errc::malformed, kClause, "receipt has a message that is not 64 hex digits",
                "send the SHA-256 of the key message in 64 hex digits");
  out.message = hash.value();
  out.result = TRY(result_named(attribute_of(element, "result")));
  out.gmk_id = TRY(read_gmk_id(element, out.result));
  out.group = attribute_of(element, "group");
  if (!is_uri(out.group))
    return fail(Errc::malformed, kClause, "receipt names no group", "name the group in the attribute group");
  return out;
}

}  // namespace

std::string_view name_of(ReceiptResult result) {
  for (const auto& [one, name] : kResults)
    if (one == result) return name;
  return "malformed";
}

Result<std::vector<Receipt>> parse_key_receipt(OctetsView document) {
  const xml::Limits limits{std::size_t{512} << 10, 8, 8'192, 16};
  const xml::Element root = TRY(parse_root(document, ns::kKeyReceipt, "key-receipt", kClause, limits));
  std::vector<Receipt> out;
  for (const xml::Element& child : root.children) {
    if (!child.is(ns::kKeyReceipt, "receipt")) continue;
    if (out.size() == kMostReceipts)
      return fail(Errc::limit, kClause, "more than 1000 receipts", "spread them over several documents");
    out.push_back(TRY(read_receipt(child)));
  }
  if (out.empty())
    return fail(Errc::malformed, kClause, "key-receipt has no receipt", "send at least one receipt");
  return out;
}

std::string write_key_receipt(std::span<const Receipt> receipts) {
  xml::Element root(ns::kKeyReceipt, "key-receipt");
  for (const Receipt& one : receipts) {
    xml::Element& out = root.add("receipt");
    out.set_attribute("message", hex(one.message));
    out.set_attribute("result", name_of(one.result));
    if (one.gmk_id && knows_gmk_id(one.result)) out.set_attribute("gmk-id", hex_upper(be32(*one.gmk_id)));
    out.set_attribute("group", one.group);
  }
  return xml::write(root);
}

}  // namespace regroup::xcap
