// SPDX-License-Identifier: Apache-2.0
#include "app/gms/documents.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "gms/authority.hpp"

namespace regroup::app {

std::string etag_of(std::string_view text) { return hex(OctetsView(crypto::sha256(view(text))).first(12)); }

xcap::Regrouped regrouped_of(const gms::Regroup& regroup) {
  xcap::Regrouped out;
  out.temporary = regroup.temporary.text();
  out.requestor = regroup.requestor.text();
  for (const gms::GroupId& id : regroup.constituents) out.constituents.push_back(id.text());
  out.levels.priority = regroup.levels.priority;
  out.levels.protect_media = regroup.levels.protect_media;
  out.levels.protect_floor = regroup.levels.protect_floor;
  if (regroup.plan.floor != gms::FloorKey::none)
    out.plan = xcap::KeyPlan{static_cast<xcap::FloorKey>(regroup.plan.floor),
                             static_cast<xcap::Procedure>(regroup.plan.procedure)};
  return out;
}

namespace {

// A regroup that this partner GMS takes part in and that this group is in: between systems only what that
// needs is shown (PR-22).
bool shares(const gms::Gms& gms, const std::string& partner, const gms::GroupId& group) {
  for (const auto& [ref, regroup] : gms.state().regroups) {
    if (regroup.state == gms::RegroupState::rejected || regroup.state == gms::RegroupState::torn_down)
      continue;
    const bool takes_part =
        (regroup.role == gms::RegroupRole::partner && regroup.requestor.text() == partner) ||
        std::any_of(regroup.partners.begin(), regroup.partners.end(),
                    [&](const gms::Partner& one) { return one.gms_uri.text() == partner; });
    const bool about = regroup.temporary == group ||
                       std::find(regroup.constituents.begin(), regroup.constituents.end(), group) !=
                           regroup.constituents.end();
    if (takes_part && about) return true;
  }
  return false;
}

}  // namespace

bool Documents::knows(const std::string& reader, const gms::Group& group) const {
  const bool member = std::any_of(group.members.begin(), group.members.end(),
                                  [&](const gms::McpttId& m) { return m.text() == reader; });
  const gms::Settings& settings = gms_.with().settings;
  const bool server = std::count(settings.mcptt_servers.begin(), settings.mcptt_servers.end(), reader) > 0;
  return member || server || group.owner.text() == reader || gms::may_create(settings, reader) ||
         (gms::partner(settings, reader) && shares(gms_, reader, group.id));
}

std::optional<Rendered> Documents::group(const std::string& reader, const std::string& id,
                                         bool with_list) const {
  const gms::Group* group = gms_.group(id);
  if (!group || !knows(reader, *group)) return std::nullopt;
  Rendered out;
  const gms::Regroup* regroup = gms_.regroup_of(group->temporary ? id : group->regrouped_as);
  if (group->temporary) {
    if (!regroup) return std::nullopt;
    out.text = xcap::write_group_document(xcap::temporary_group_document(regrouped_of(*regroup), id));
  } else {
    const auto document = xcap::parse_group_document(group->document);
    if (!document.ok()) return std::nullopt;
    xcap::Rendering rendering;
    rendering.list = with_list && (document.value().may_see_list(reader) || group->owner.text() == reader);
    if (regroup) rendering.regrouped.push_back(regrouped_of(*regroup));
    out.text = xcap::render(document.value(), rendering);
  }
  out.etag = etag_of(out.text);
  return out;
}

std::vector<xcap::GktpPayload> Documents::payloads(const std::string& reader, const std::string& id) const {
  std::vector<xcap::GktpPayload> out;
  for (const gms::VisiblePayload& one : gms_.visible(reader, id)) {
    xcap::GktpPayload payload;
    payload.id = one.id;
    payload.message = *one.message;
    payload.temporary = one.temporary;
    payload.parent = one.mkfc ? xcap::GktpParent::mkfc : xcap::GktpParent::gmk;
    out.push_back(std::move(payload));
  }
  return out;
}

std::optional<Rendered> Documents::keys(const std::string& reader, const std::string& id) const {
  const auto all = payloads(reader, id);
  if (all.empty()) return std::nullopt;
  Rendered out;
  out.text = xcap::write_gktp(all);
  out.etag = etag_of(out.text);
  return out;
}

namespace {

// The hexBinary of every payload at or below an element.
void collect(const xml::Element& element, std::set<std::string>& out) {
  if (element.is(xcap::ns::kGktp, "GKTP")) out.insert(element.text);
  for (const xml::Element& child : element.children) collect(child, out);
}

}  // namespace

std::optional<Documents::Part> Documents::key_part(const std::string& reader, const std::string& id,
                                                   std::span<const xcap::Step> steps) const {
  const auto all = payloads(reader, id);
  if (all.empty()) return std::nullopt;
  const xml::Element root = xcap::gktp_element(all);
  const xcap::Located found = xcap::locate(root, steps);
  if (found.match != xcap::Located::Match::one) return std::nullopt;
  Part out;
  out.element = xcap::element_at(root, found.path);
  std::set<std::string> inside;
  collect(out.element, inside);
  for (const xcap::GktpPayload& one : all)
    if (inside.count(hex_upper(one.message))) out.hashes.push_back(crypto::sha256(OctetsView(one.message)));
  out.etag = etag_of(xml::write(out.element));
  return out;
}

}  // namespace regroup::app
