// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "app/gms/front.hpp"
#include "base/text.hpp"

namespace regroup::app {
namespace {

using nlohmann::json;

json row_json(const gms::LedgerRow& row) {
  return json{{"key", row.key.text()},
              {"member", row.member.text()},
              {"partner", row.partner},
              {"guk_id", row.guk_id.text()},
              {"state", std::string(name_of(row.state))},
              {"reason", row.reason},
              {"via", row.state == gms::Delivery::unkeyed || row.state == gms::Delivery::prepared ? ""
                      : row.by_notify                                                             ? "notify"
                                                                                                  : "get"},
              {"message", base64(row.message)},
              {"changed", date_time(row.changed)}};
}

json key_json(const gms::Key& key) {
  return json{{"gmk_id", key.material.id.text()},
              {"use", std::string(mcx::name_of(key.use))},
              {"kind", std::string(mcx::name_of(key.material.parameters.key_type))},
              {"key_fingerprint", key.fingerprint},
              {"withdrawn", key.withdrawn},
              {"activation", key.material.parameters.activation},
              {"expiry", key.material.parameters.expiry}};
}

json regroup_json(const gms::Regroup& regroup) {
  json partners = json::array();
  for (const gms::Partner& one : regroup.partners)
    partners.push_back({{"gms_uri", one.gms_uri.text()},
                        {"state", std::string(name_of(one.state))},
                        {"reason", one.reason},
                        {"members_keyed", one.members_keyed}});
  json constituents = json::array();
  for (const gms::GroupId& id : regroup.constituents) constituents.push_back(id.text());
  return json{{"temporary", regroup.temporary.text()},
              {"state", std::string(name_of(regroup.state))},
              {"role", regroup.role == gms::RegroupRole::primary ? "primary" : "partner"},
              {"constituents", constituents},
              {"partners", partners}};
}

}  // namespace

std::string ledger_json(const gms::Gms& gms, const std::string& group) {
  json out{{"group", group},
           {"gms_uri", gms.with().settings.gms_uri.text()},
           {"keys", json::array()},
           {"rows", json::array()},
           {"regroups", json::array()}};
  for (const auto& [id, key] : gms.state().keys)
    if (key.group.text() == group) out["keys"].push_back(key_json(key));
  for (const gms::LedgerRow* row : gms.ledger_of(group)) out["rows"].push_back(row_json(*row));
  for (const auto& [ref, regroup] : gms.state().regroups) {
    const bool about = regroup.temporary.text() == group ||
                       std::any_of(regroup.constituents.begin(), regroup.constituents.end(),
                                   [&](const gms::GroupId& id) { return id.text() == group; });
    if (about) out["regroups"].push_back(regroup_json(regroup));
  }
  return out.dump(1, ' ', false, json::error_handler_t::replace);
}

}  // namespace regroup::app
