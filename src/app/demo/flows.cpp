// SPDX-License-Identifier: Apache-2.0
#include "app/demo/flows.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <sstream>
#include <thread>

#include "app/ue/run.hpp"
#include "base/text.hpp"
#include "mikey/message.hpp"

namespace regroup::app::demo {
namespace {

// Looks at a condition until it holds, the demo is stopped, or it takes too long for so many clients.
template <class Condition>
bool hold_on(std::size_t clients, Condition holds) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(20 + static_cast<int>(clients) / 5);
  while (!holds()) {
    if (stop_wanted() || std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // between two looks
  }
  return true;
}

// Who signed a payload, read from the message itself.
std::string initiator_of(const std::string& message_base64) {
  const auto octets = from_base64(message_base64);
  const auto message = octets.ok() ? mikey::parse(octets.value()) : Result<mikey::Message>(octets.error());
  return message.ok() ? std::string(message.value().initiator.text()) : std::string();
}

const json* row_of(const json& ledger, const std::string& member, const std::string& key) {
  for (const json& row : ledger.at("rows"))
    if (row.value("member", "") == member && row.value("key", "") == key) return &row;
  return nullptr;
}

json keys_of(const json& ledger) {
  json keys = json::array();
  for (const json& key : ledger.at("keys"))
    keys.push_back({{"gmk_id", key.value("gmk_id", "")},
                    {"use", key.value("use", "")},
                    {"key_fingerprint", key.value("key_fingerprint", "")}});
  std::sort(keys.begin(), keys.end(), [](const json& a, const json& b) {
    return a.value("use", "") > b.value("use", "");
  });  // media before floor
  return keys;
}

}  // namespace

bool Flows::create(System& system, const std::string& group, const std::vector<std::string>& members) {
  UeGroupOptions options;
  options.config_file = system.config_of(system.dispatcher);
  options.group = group;
  options.members = members;
  std::ostringstream out, err;
  members_[group] = members;
  if (run_ue_group_create(options, out, err) == 0) return true;
  out_ << "  " << group << ": " << err.str();
  return false;
}

bool Flows::watched(const std::vector<std::string>& groups) {
  std::size_t count = 0;
  for (const std::string& group : groups) count += members_[group].size();
  return hold_on(count, [&] {
    for (const std::string& group : groups)
      for (const std::string& user : members_[group])
        if (!lab_.watches(user, group)) return false;
    return true;
  });
}

std::string Flows::regroup(System& system, const std::vector<std::string>& groups,
                           const std::string& floor_key, const std::string& procedure) {
  if (!watched(groups)) {
    out_ << "  regroup: not every client has subscribed to the keys of its group\n";
    return {};
  }
  UeGroupOptions options;
  options.config_file = system.config_of(system.dispatcher);
  options.groups = groups;
  options.floor_key = floor_key;
  options.procedure = procedure;
  std::ostringstream out, err;
  if (run_ue_group_regroup(options, out, err) != 0) {
    out_ << "  regroup: " << err.str();
    return {};
  }
  const std::string text = out.str();
  return text.substr(0, text.find('\n'));
}

// Each key message a GMS sent, once, for the examiner.
void Flows::keep(const std::string& flow, const json& ledger, const std::string& gmk_id) {
  for (const json& row : ledger.at("rows")) {
    const std::string text = row.value("message", "");
    if (text.empty() || row.value("key", "") != gmk_id || !kept_.insert(text).second) continue;
    const auto message = mikey::parse(from_base64(text).value());
    if (!message.ok()) continue;
    report_.messages.push_back({{"flow", flow},
                                {"from", std::string(message.value().initiator.text())},
                                {"from_kms", std::string(message.value().initiator_kms.text())},
                                {"to", std::string(message.value().responder.text())},
                                {"to_kms", std::string(message.value().responder_kms.text())},
                                {"message", text}});
  }
}

// The GMS's ledger and the client's own word: it holds this very key, or says that it let it go.
bool Flows::look_at_member(const View& view, const System& system, const std::string& user,
                           const json& ledger, const json& key, json& out) {
  const std::string gmk_id = key.value("gmk_id", "");
  const json* row = row_of(ledger, user, gmk_id);
  const std::string fingerprint = lab_.fingerprint(user, view.group, gmk_id);
  const std::string state = row ? row->value("state", "") : "";
  const std::string via = row ? row->value("via", "") : "";
  out["members"].push_back({{"mcptt_id", user},
                            {"system", system.domain},
                            {"gmk_id", gmk_id},
                            {"use", key.value("use", "")},
                            {"guk_id", row ? row->value("guk_id", "") : ""},
                            {"signed_by", row ? initiator_of(row->value("message", "")) : ""},
                            {"state", state},
                            {"via", via},
                            {"key_fingerprint", fingerprint},
                            {"time", row ? row->value("changed", "") : ""}});
  return state == view.state && via == view.via &&
         (view.state == "WITHDRAWN" ? lab_.withdrew(user, gmk_id)
                                    : fingerprint == key.value("key_fingerprint", "-"));
}

// The partner GMS in the primary's ledger.
bool Flows::look_at_partner(const View& view, const json& ledger, const std::string& gmk_id, json& out) {
  const std::string partner = view.members.back().first->gms_uri;
  const json* row = row_of(ledger, partner, gmk_id);
  json one{{"uri", partner},
           {"gmk_id", gmk_id},
           {"guk_id", row ? row->value("guk_id", "") : ""},
           {"signed_by", row ? initiator_of(row->value("message", "")) : ""},
           {"state", row ? row->value("state", "") : ""},
           {"members_keyed", 0},
           {"time", row ? row->value("changed", "") : ""}};
  for (const json& regroup : ledger.at("regroups"))
    if (regroup.value("temporary", "") == view.group)
      for (const json& leg : regroup.at("partners")) one["members_keyed"] = leg.value("members_keyed", 0);
  const bool good = one["state"] == view.state;
  out["partner"] = std::move(one);
  return good;
}

json Flows::look(const View& view) {
  json out{{"ok", false},
           {"group", view.group},
           {"gmk_id", ""},
           {"use", view.use},
           {"signed_by", view.members.front().first->gms_uri},
           {"keys", json::array()},
           {"members", json::array()}};
  bool good = true;
  for (const auto& [system, users] : view.members) {
    const auto ledger = lab_.ledger(*system, view.group);
    if (!ledger.ok() || !ledger.value().is_object()) return out;
    const json known = keys_of(ledger.value());
    if (out["keys"].empty()) out["keys"] = known;
    good = good && known.size() == view.keys && known == out["keys"];
    for (const json& key : known) {
      if (key.value("use", "") != view.use) continue;
      const std::string gmk_id = key.value("gmk_id", "");
      out["gmk_id"] = gmk_id;
      keep(view.flow, ledger.value(), gmk_id);
      for (const std::string& user : users)
        good = look_at_member(view, *system, user, ledger.value(), key, out) && good;
      if (view.with_partner && system == view.members.front().first)
        good = look_at_partner(view, ledger.value(), gmk_id, out) && good;
    }
  }
  out["ok"] = good && !out["members"].empty();
  return out;
}

json Flows::wait(const View& view) {
  std::size_t count = 0;
  for (const auto& [system, users] : view.members) count += users.size();
  json seen;
  hold_on(count, [&] {
    seen = look(view);
    return seen.value("ok", false);
  });
  return seen;
}

void Flows::done(const View& view) {
  json flow = view.group.empty() ? json{{"ok", false}} : wait(view);
  print_flow(view.flow, flow, out_);
  report_.flows[view.flow] = std::move(flow);
}

// The groups that the regroups are made of; the report's flow is that of `fire`.
void Flows::group_creation() {
  System& alpha = lab_.alpha();
  System& beta = lab_.beta();
  const auto half = static_cast<std::ptrdiff_t>((alpha.users.size() + 1) / 2);
  const std::vector<std::string> first(alpha.users.begin(), alpha.users.begin() + half);
  const std::vector<std::string> second(alpha.users.begin() + half - 1, alpha.users.end());
  std::vector<View> views{
      {"group_creation", alpha.group("fire"), {{&alpha, alpha.users}}},
      {"group_creation_rescue", alpha.group("rescue"), {{&alpha, first}}},
      {"group_creation_medics", alpha.group("medics"), {{&alpha, second}}},
      {"group_creation_police", beta.group("police"), {{&beta, beta.users}}},
  };
  for (View& view : views) view.via = "get";  // nobody watches a group before he knows of it
  bool made = true;
  for (const View& view : views)
    made = made && create(*view.members.front().first, view.group, view.members.front().second);
  for (const View& view : views) {
    if (!made) return done({view.flow, {}, {}});
    done(view);
  }
}

void Flows::regroup_single() {
  System& alpha = lab_.alpha();
  const std::string temporary = regroup(alpha, {alpha.group("rescue"), alpha.group("medics")});
  done({"regroup_single", temporary, {{&alpha, alpha.users}}});
}

Flows::View Flows::of_both_systems(const std::string& flow, const std::string& use) const {
  View view{flow, temporary_, {{&lab_.alpha(), lab_.alpha().users}, {&lab_.beta(), lab_.beta().users}}};
  view.use = use;
  view.keys = 2;
  view.with_partner = true;
  return view;
}

void Flows::regroup_multi(const std::string& media, const std::string& floor, const std::string& procedure) {
  System& alpha = lab_.alpha();
  temporary_ = regroup(alpha, {alpha.group("fire"), lab_.beta().group("police")}, "gmk", procedure);
  done(of_both_systems(media, "media"));
  done(of_both_systems(floor, "floor"));
}

void Flows::teardown() {
  System& alpha = lab_.alpha();
  UeGroupOptions options;
  options.config_file = alpha.config_of(alpha.dispatcher);
  options.group = temporary_;
  std::ostringstream out, err;
  if (temporary_.empty() || run_ue_group_teardown(options, out, err) != 0) {
    out_ << "  teardown: " << err.str();
    temporary_.clear();
  }
  for (const auto& [flow, use] : {std::pair("teardown", "media"), std::pair("teardown_floor", "floor")}) {
    View view = of_both_systems(flow, use);
    view.state = "WITHDRAWN";
    done(view);
  }
}

}  // namespace regroup::app::demo
