// SPDX-License-Identifier: Apache-2.0
#include "xcap/gktp_document.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "TS 24.481 7.7";
constexpr std::string_view kBlock = "on-network-regrouped-GKTPs";
constexpr std::string_view kTemporary = "temporary-MCPTT-group-ID";
constexpr std::size_t kMostOctets = 64u << 10;

// An instant that can be written again: a zone may carry one out of the years 1900 to 9999.
Result<NtpTime> read_activation(const std::string& id, const std::string& text) {
  const auto time = parse_date_time(text);
  if (time.ok() && parse_date_time(date_time(*time)).ok()) return time;
  return fail(Errc::malformed, kClause,
              "GKTP \"" + printable(id, 80) + "\" has activationtime \"" + printable(text, 40) + "\"",
              "write it as 2026-03-02T09:30:00Z");
}

Result<GktpPayload> read_payload(const xml::Element& element, GktpParent parent,
                                 const std::string& temporary) {
  GktpPayload out;
  out.id = attribute_of(element, "id");
  out.temporary = temporary;
  out.parent = parent;
  auto message = from_hex(element.text, Spaces::skip);
  if (!message || !element.children.empty())
    return fail(Errc::malformed, kClause, "GKTP \"" + printable(out.id, 80) + "\" does not hold hexBinary",
                "send the MIKEY message in hexadecimal digits");
  out.message = std::move(message).value();
  if (out.message.empty() || out.message.size() > kMostOctets)
    return fail(Errc::malformed, kClause, "GKTP \"" + printable(out.id, 80) + "\" is empty or over 64 KiB",
                "send one MIKEY message of at most 16384 octets");
  if (const std::string time = attribute_of(element, "activationtime"); !time.empty())
    out.activation = TRY(read_activation(out.id, time));
  return out;
}

// GKTP elements, and one level of blocks of temporary groups.
Result<void> read_block(const xml::Element& block, GktpParent parent, const std::string& temporary,
                        std::vector<GktpPayload>& out) {
  for (const xml::Element& child : block.children) {
    if (child.is(ns::kGktp, "GKTP")) out.push_back(TRY(read_payload(child, parent, temporary)));
    if (!temporary.empty() || !child.is(ns::kGktp, kBlock)) continue;
    const std::string id = attribute_of(child, kTemporary);
    if (!is_uri(id))
      return fail(Errc::malformed, kClause, std::string(kBlock) + " has no " + std::string(kTemporary),
                  "name the temporary group in that attribute");
    TRY(read_block(child, parent, id, out));
  }
  return {};
}

std::optional<GktpParent> parent_named(const xml::Element& element) {
  for (const GktpParent one : {GktpParent::gmk, GktpParent::mkfc})
    if (element.is(ns::kGktp, name_of(one))) return one;
  return std::nullopt;
}

xml::Element& block_for(xml::Element& parent, const std::string& temporary) {
  if (temporary.empty()) return parent;
  for (xml::Element& one : parent.children)
    if (one.name == kBlock && attribute_of(one, kTemporary) == temporary) return one;
  xml::Element& made_now = parent.add(kBlock);
  made_now.set_attribute(kTemporary, temporary);
  return made_now;
}

// The schema has the group's own payloads first, then the blocks.
void add_payloads(xml::Element& parent, std::span<const GktpPayload> payloads, GktpParent which) {
  for (const bool own : {true, false})
    for (const GktpPayload& one : payloads) {
      if (one.parent != which || one.temporary.empty() != own) continue;
      xml::Element& element = block_for(parent, one.temporary).add("GKTP", hex_upper(one.message));
      element.set_attribute("id", one.id);
      if (one.activation) element.set_attribute("activationtime", date_time(*one.activation));
    }
}

}  // namespace

std::string_view name_of(GktpParent parent) { return parent == GktpParent::gmk ? "GMK-GKTPs" : "MKFC-GKTPs"; }

xml::Element gktp_element(std::span<const GktpPayload> payloads, std::string_view prefix) {
  xml::Element root = made(ns::kGktp, prefix, "GKTPs");
  for (const GktpParent which : {GktpParent::gmk, GktpParent::mkfc})
    if (std::any_of(payloads.begin(), payloads.end(),
                    [&](const GktpPayload& one) { return one.parent == which; }))
      add_payloads(root.add(name_of(which)), payloads, which);
  return root;
}

std::string write_gktp(std::span<const GktpPayload> payloads) { return xml::write(gktp_element(payloads)); }

Result<std::vector<GktpPayload>> parse_gktp(OctetsView document) {
  return read_gktp(TRY(parse_root(document, ns::kGktp, "GKTPs", kClause, kLargeDocument)));
}

Result<std::vector<GktpPayload>> read_gktp(const xml::Element& element, GktpParent parent) {
  std::vector<GktpPayload> out;
  if (element.is(ns::kGktp, "GKTP")) {
    out.push_back(TRY(read_payload(element, parent, {})));
    return out;
  }
  if (element.is(ns::kGktp, kBlock)) {
    const std::string id = attribute_of(element, kTemporary);
    if (!is_uri(id))
      return fail(Errc::malformed, kClause, std::string(kBlock) + " has no " + std::string(kTemporary),
                  "name the temporary group in that attribute");
    TRY(read_block(element, parent, id, out));
    return out;
  }
  if (const auto named = parent_named(element)) {
    TRY(read_block(element, *named, {}, out));
    return out;
  }
  if (!element.is(ns::kGktp, "GKTPs"))
    return fail(Errc::malformed, kClause, "element " + printable(element.name, 40) + " holds no key payloads",
                "send GKTPs, one of its blocks or a GKTP");
  for (const xml::Element& child : element.children)
    if (const auto named = parent_named(child)) TRY(read_block(child, *named, {}, out));
  return out;
}

}  // namespace regroup::xcap
