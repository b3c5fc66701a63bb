// SPDX-License-Identifier: Apache-2.0
#include "app/gms/gmop_codec.hpp"

#include "base/text.hpp"

namespace regroup::app {
namespace {

std::optional<gms::KeyPlan> plan_of(const std::optional<xcap::KeyPlan>& plan) {
  if (!plan) return std::nullopt;
  return gms::KeyPlan{static_cast<gms::FloorKey>(plan->floor), static_cast<gms::Procedure>(plan->procedure)};
}

xcap::KeyPlan plan_for(const gms::KeyPlan& plan) {
  return xcap::KeyPlan{static_cast<xcap::FloorKey>(plan.floor), static_cast<xcap::Procedure>(plan.procedure)};
}

Result<std::vector<gms::GroupId>> groups_of(const std::vector<std::string>& texts) {
  std::vector<gms::GroupId> out;
  for (const std::string& text : texts) out.push_back(TRY(gms::GroupId::parse(text)));
  return out;
}

std::vector<std::string> texts_of(const std::vector<gms::GroupId>& groups) {
  std::vector<std::string> out;
  for (const gms::GroupId& group : groups) out.push_back(group.text());
  return out;
}

}  // namespace

Result<gms::RegroupRequest> request_of(const xcap::RegroupCreation& creation) {
  gms::RegroupRequest out;
  out.id = creation.id;
  out.proposed = creation.regrouped.temporary;
  out.constituents = TRY(groups_of(creation.regrouped.constituents));
  out.priority = creation.regrouped.levels.priority;
  out.protect_media = creation.regrouped.levels.protect_media;
  out.protect_floor = creation.regrouped.levels.protect_floor;
  out.plan = plan_of(creation.regrouped.plan);
  return out;
}

Result<gms::RegroupNotification> notification_of(const xcap::RegroupNotification& notification) {
  gms::RegroupNotification out;
  out.id = notification.id;
  out.seq = notification.seq;
  out.temporary = TRY(gms::GroupId::parse(notification.regrouped.temporary));
  out.requestor = notification.regrouped.requestor;
  out.constituents = TRY(groups_of(notification.regrouped.constituents));
  const xcap::Levels& levels = notification.regrouped.levels;
  out.levels = gms::Levels{levels.priority.value_or(0), levels.protect_media.value_or(true),
                           levels.protect_floor.value_or(true)};
  out.plan = plan_of(notification.regrouped.plan).value_or(gms::KeyPlan{});
  for (const xcap::GktpPayload& payload : notification.payloads)
    (payload.parent == xcap::GktpParent::mkfc ? out.mkfc_messages : out.gmk_messages)
        .push_back({{}, payload.message});
  return out;
}

xcap::RegroupCreation creation_of(const gms::RegroupRequest& request, const std::string& requestor) {
  xcap::RegroupCreation out;
  out.id = request.id;
  out.regrouped.temporary = request.proposed;
  out.regrouped.requestor = requestor;
  out.regrouped.constituents = texts_of(request.constituents);
  out.regrouped.levels.priority = request.priority;
  out.regrouped.levels.protect_media = request.protect_media;
  out.regrouped.levels.protect_floor = request.protect_floor;
  if (request.plan) out.regrouped.plan = plan_for(*request.plan);
  return out;
}

xcap::RegroupNotification notification_for(const gms::RegroupNotification& notification,
                                           const std::string& to) {
  xcap::RegroupNotification out;
  out.id = notification.id;
  out.seq = notification.seq;
  out.regrouped.temporary = notification.temporary.text();
  out.regrouped.requestor = notification.requestor;
  out.regrouped.constituents = texts_of(notification.constituents);
  out.regrouped.levels.priority = notification.levels.priority;
  out.regrouped.levels.protect_media = notification.levels.protect_media;
  out.regrouped.levels.protect_floor = notification.levels.protect_floor;
  out.regrouped.plan = plan_for(notification.plan);
  const auto add = [&](const std::vector<gms::PartnerPayload>& messages, xcap::GktpParent parent) {
    bool first = true;
    for (const gms::PartnerPayload& one : messages) {
      xcap::GktpPayload payload;
      // PR-16: one payload of a parent has the plain identity as id, the others name their key.
      payload.id = first ? to : to + ";kid=" + hex_upper(one.key.octets());
      payload.message = one.message;
      payload.temporary = out.regrouped.temporary;
      payload.parent = parent;
      out.payloads.push_back(std::move(payload));
      first = false;
    }
  };
  add(notification.gmk_messages, xcap::GktpParent::gmk);
  add(notification.mkfc_messages, xcap::GktpParent::mkfc);
  return out;
}

xcap::GmopResponse response_of(const gms::Answer& answer, std::string operation, std::string id,
                               std::optional<std::uint32_t> seq) {
  xcap::GmopResponse out;
  out.operation = std::move(operation);
  out.id = std::move(id);
  out.seq = seq;
  out.accepted = answer.accepted;
  out.reason = answer.reason;
  out.temporary = answer.temporary;
  for (const gms::ConstituentState& one : answer.constituents)
    out.constituents.push_back({one.uri, one.state, one.reason});
  if (seq && answer.accepted) out.members_keyed = answer.members_keyed;
  return out;
}

// The peer's word is kept and handed on, so only what the list has is taken for it.
std::string reason_of(const xcap::GmopResponse& response) {
  if (response.accepted) return {};
  for (const std::string_view known :
       {"not-authorised", "unknown-group", "temporary-group", "already-regrouped", "not-trusted", "policy",
        "partner-unreachable", "partner-rejected", "limit", "security-mismatch", "key-undecryptable",
        "bad-signature", "key-id-conflict"})
    if (response.reason == known) return response.reason;
  return "policy";
}

Result<gms::Answer> answer_of(const xcap::GmopResponse& response, std::string_view operation,
                              std::string_view id, std::optional<std::uint32_t> seq) {
  if (response.operation != operation || response.id != id || response.seq != seq)
    return fail(Errc::malformed, "TS 24.481 7.3", "the response is not to this request",
                "the answer must repeat the request's operation, id and seq");
  gms::Answer out;
  out.accepted = response.accepted;
  out.reason = reason_of(response);
  out.members_keyed = response.members_keyed.value_or(0);
  return out;
}

Result<gms::GroupRequest> group_request_of(const xcap::GroupDocument& document, OctetsView text) {
  gms::GroupRequest out;
  out.id = TRY(gms::GroupId::parse(document.uri));
  if (document.list)
    for (const xcap::Entry& entry : *document.list)
      out.members.push_back(TRY(gms::McpttId::parse(entry.uri)));
  out.levels =
      gms::Levels{document.levels.priority.value_or(0), document.protects_media(), document.protects_floor()};
  out.plan = plan_of(document.plan);
  if (!out.plan && document.levels.multicast_floor)
    out.plan = gms::KeyPlan{gms::FloorKey::mkfc, gms::Procedure::one};
  out.disabled = document.disabled;
  out.document = to_octets(text);
  return out;
}

}  // namespace regroup::app
