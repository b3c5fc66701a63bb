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

using Members = std::vector<std::pair<System*, std::vector<std::string>>>;

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
  if (run_ue_group_create(options, out, err) == 0) return true;
  out_ << "  " << group << ": " << err.str();
  return false;
}

std::string Flows::regroup(System& system, const std::vector<std::string>& groups,
                           const std::string& floor_key, const std::string& procedure) {
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
void Flows::keep(const std::string& flow, const json& ledger) {
  for (const json& row : ledger.at("rows")) {
    const std::string text = row.value("message", "");
    if (text.empty() || std::find(kept_.begin(), kept_.end(), text) != kept_.end()) continue;
    const auto message = mikey::parse(from_base64(text).value());
    if (!message.ok()) continue;
    kept_.push_back(text);
    report_.messages.push_back({{"flow", flow},
                                {"from", std::string(message.value().initiator.text())},
                                {"from_kms", std::string(message.value().initiator_kms.text())},
                                {"to", std::string(message.value().responder.text())},
                                {"to_kms", std::string(message.value().responder_kms.text())},
                                {"message", text}});
  }
}

json Flows::look(const std::string& flow, const std::string& group, const Members& members,
                 const std::string& state, std::size_t keys, bool with_partner) {
  json out{{"ok", false},
           {"group", group},
           {"gmk_id", ""},
           {"use", ""},
           {"signed_by", members.front().first->gms_uri},
           {"keys", json::array()},
           {"members", json::array()}};
  bool good = true;
  for (const auto& [system, users] : members) {
    const auto ledger = lab_.ledger(*system, group);
    if (!ledger.ok() || !ledger.value().is_object()) return out;
    keep(flow, ledger.value());
    const json known = keys_of(ledger.value());
    if (out["keys"].empty()) out["keys"] = known;
    good = good && known.size() == keys;
    for (const json& key : known)
      for (const std::string& user : users) {
        const std::string gmk_id = key.value("gmk_id", "");
        const json* row = row_of(ledger.value(), user, gmk_id);
        const std::string fingerprint = lab_.fingerprint(user, group, gmk_id);
        const std::string said = row ? row->value("state", "") : "";
        // The client's own word counts too: it holds this very key, or says that it let it go.
        good = good && said == state &&
               (state == "WITHDRAWN" ? lab_.withdrew(user, gmk_id)
                                     : fingerprint == key.value("key_fingerprint", "-"));
        out["members"].push_back({{"mcptt_id", user},
                                  {"system", system->domain},
                                  {"gmk_id", gmk_id},
                                  {"use", key.value("use", "")},
                                  {"guk_id", row ? row->value("guk_id", "") : ""},
                                  {"signed_by", row ? initiator_of(row->value("message", "")) : ""},
                                  {"state", said},
                                  {"via", row ? row->value("via", "") : ""},
                                  {"key_fingerprint", fingerprint},
                                  {"time", row ? row->value("changed", "") : ""}});
      }
    if (!with_partner || system != members.front().first) continue;
    const std::string partner = members.back().first->gms_uri;
    const json* row =
        known.empty() ? nullptr : row_of(ledger.value(), partner, known.front().value("gmk_id", ""));
    json one{{"uri", partner},
             {"guk_id", row ? row->value("guk_id", "") : ""},
             {"signed_by", row ? initiator_of(row->value("message", "")) : ""},
             {"state", row ? row->value("state", "") : ""},
             {"members_keyed", 0}};
    for (const json& regroup : ledger.value().at("regroups"))
      if (regroup.value("temporary", "") == group)
        for (const json& leg : regroup.at("partners")) one["members_keyed"] = leg.value("members_keyed", 0);
    good = good && one["state"] == state;
    out["partner"] = std::move(one);
  }
  if (!out["keys"].empty()) {
    out["gmk_id"] = out["keys"][0]["gmk_id"];
    out["use"] = out["keys"][0]["use"];
  }
  out["ok"] = good && !out["members"].empty();
  return out;
}

json Flows::wait(const std::string& flow, const std::string& group, const Members& members,
                 const std::string& state, std::size_t keys, bool with_partner) {
  std::size_t count = 0;
  for (const auto& [system, users] : members) count += users.size();
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(20 + static_cast<int>(count) / 5);
  for (;;) {
    json seen = look(flow, group, members, state, keys, with_partner);
    if (seen.value("ok", false) || stop_wanted() || std::chrono::steady_clock::now() > until) return seen;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // between two looks at the condition
  }
}

void Flows::done(const std::string& name, json flow) {
  print_flow(name, flow, out_);
  report_.flows[name] = std::move(flow);
}

void Flows::group_creation() {
  System& alpha = lab_.alpha();
  System& beta = lab_.beta();
  const std::size_t half = (alpha.users.size() + 1) / 2;
  const std::vector<std::string> first(alpha.users.begin(),
                                       alpha.users.begin() + static_cast<std::ptrdiff_t>(half));
  const std::vector<std::string> second(alpha.users.begin() + static_cast<std::ptrdiff_t>(half - 1),
                                        alpha.users.end());
  const bool made =
      create(alpha, alpha.group("fire"), alpha.users) && create(alpha, alpha.group("rescue"), first) &&
      create(alpha, alpha.group("medics"), second) && create(beta, beta.group("police"), beta.users);
  if (!made) return done("group_creation", {{"ok", false}});
  wait("group_creation", beta.group("police"), {{&beta, beta.users}}, "INSTALLED", 1, false);
  wait("group_creation", alpha.group("rescue"), {{&alpha, first}}, "INSTALLED", 1, false);
  wait("group_creation", alpha.group("medics"), {{&alpha, second}}, "INSTALLED", 1, false);
  done("group_creation",
       wait("group_creation", alpha.group("fire"), {{&alpha, alpha.users}}, "INSTALLED", 1, false));
}

void Flows::regroup_single() {
  System& alpha = lab_.alpha();
  const std::string temporary = regroup(alpha, {alpha.group("rescue"), alpha.group("medics")});
  if (temporary.empty()) return done("regroup_single", {{"ok", false}});
  done("regroup_single", wait("regroup_single", temporary, {{&alpha, alpha.users}}, "INSTALLED", 1, false));
}

void Flows::regroup_multi(const std::string& name, const std::string& floor_key,
                          const std::string& procedure) {
  System& alpha = lab_.alpha();
  System& beta = lab_.beta();
  temporary_ = regroup(alpha, {alpha.group("fire"), beta.group("police")}, floor_key, procedure);
  temporary_keys_ = floor_key == "none" ? 1 : 2;
  if (temporary_.empty()) return done(name, {{"ok", false}});
  done(name, wait(name, temporary_, {{&alpha, alpha.users}, {&beta, beta.users}}, "INSTALLED",
                  temporary_keys_, true));
}

void Flows::teardown(const std::string& name) {
  System& alpha = lab_.alpha();
  System& beta = lab_.beta();
  UeGroupOptions options;
  options.config_file = alpha.config_of(alpha.dispatcher);
  options.group = temporary_;
  std::ostringstream out, err;
  if (temporary_.empty() || run_ue_group_teardown(options, out, err) != 0) {
    out_ << "  teardown: " << err.str();
    if (!name.empty()) done(name, {{"ok", false}});
    return;
  }
  json flow = wait("teardown", temporary_, {{&alpha, alpha.users}, {&beta, beta.users}}, "WITHDRAWN",
                   temporary_keys_, true);
  if (!name.empty()) done(name, std::move(flow));
}

}  // namespace regroup::app::demo
