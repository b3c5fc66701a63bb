// SPDX-License-Identifier: Apache-2.0
#include "process/two_systems.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <thread>

#include "app/ue/run.hpp"

namespace regroup::process {

bool wait_until(const std::function<bool()>& holds, seconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    const bool last = std::chrono::steady_clock::now() >= until;
    if (holds()) return true;
    if (last) return false;
    std::this_thread::sleep_for(milliseconds(10));  // between two looks at the condition
  }
}

std::uint32_t seed() {
  static const std::uint32_t drawn = [] {
    const char* given = std::getenv("REGROUP_SEED");
    const std::uint32_t value =
        given ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
    std::cout << "REGROUP_SEED=" << value << std::endl;
    return value;
  }();
  return drawn;
}

int samples(int few, int all) { return std::getenv("REGROUP_LONG") ? all : few; }

std::unique_ptr<Lab> TwoSystems::lab_;

namespace {

Result<std::unique_ptr<Lab>> make_systems() {
  app::demo::set_program(REGROUP_PROGRAM);
  app::demo::LabOptions options;
  options.user_like_gms = kUserLikeGms;
  options.gms_authorised["sip:outsider@alpha.example"] = {"sip:gms@alpha.example"};
  auto lab = TRY(Lab::make(2, std::move(options)));
  TRY(lab->start_kms());
  TRY(lab->start_gms());
  TRY(lab->start_clients());
  return lab;
}

Ending ran(int code, const std::ostringstream& out, const std::ostringstream& err) {
  return {code, json::parse(out.str(), nullptr, false), err.str()};
}

}  // namespace

class EndOfSystems : public testing::Environment {
  void TearDown() override { TwoSystems::lab_.reset(); }
};
const testing::Environment* const kEnd = testing::AddGlobalTestEnvironment(new EndOfSystems);

void TwoSystems::SetUp() {
  if (lab_) return;
  auto made = make_systems();
  ASSERT_TRUE(made.ok()) << made.error().text();
  lab_ = std::move(made).value();
  for (System* system : lab_->systems) {
    const std::string group = system == &alpha() ? fire() : police();
    const Ending created = create(*system, system->dispatcher, group, system->users);
    ASSERT_EQ(created.code, 0) << created.err;
    ASSERT_TRUE(wait_until([&] { return missing(*system, group, 1, "INSTALLED").empty(); }))
        << missing(*system, group, 1, "INSTALLED");
  }
}

void TwoSystems::TearDown() {
  if (HasFailure()) lab_.reset();
}

Ending TwoSystems::create(System& system, const std::string& as, const std::string& group,
                          const std::vector<std::string>& members) {
  app::UeGroupOptions options;
  options.config_file = system.config_of(as);
  options.group = group;
  options.members = members;
  options.json = true;
  std::ostringstream out, err;
  const int code = app::run_ue_group_create(options, out, err);
  return ran(code, out, err);
}

Ending TwoSystems::regroup(const std::string& id, const std::string& floor_key,
                           const std::string& procedure) {
  app::UeGroupOptions options;
  options.config_file = alpha().config_of(alpha().dispatcher);
  options.groups = {fire(), police()};
  options.floor_key = floor_key;
  options.procedure = procedure;
  options.request_id = id;
  options.json = true;
  Ending ending;
  wait_until([&] {
    std::ostringstream out, err;
    const int code = app::run_ue_group_regroup(options, out, err);
    ending = ran(code, out, err);
    return ending.code == 0 || ending.code == 3;  // an answer; anything else is a connection that broke
  });
  return ending;
}

Ending TwoSystems::teardown(const std::string& temporary) {
  app::UeGroupOptions options;
  options.config_file = alpha().config_of(alpha().dispatcher);
  options.group = temporary;
  options.json = true;
  std::ostringstream out, err;
  const int code = app::run_ue_group_teardown(options, out, err);
  return ran(code, out, err);
}

json TwoSystems::ledger(System& system, const std::string& group) {
  auto known = lab_->ledger(system, group);
  return known.ok() && known.value().is_object()
             ? std::move(known).value()
             : json{{"keys", json::array()}, {"rows", json::array()}, {"regroups", json::array()}};
}

std::string TwoSystems::missing(System& system, const std::string& group, std::size_t keys,
                                const std::string& state) {
  const json known = ledger(system, group);
  if (known["keys"].size() != keys)
    return system.gms_uri + " holds " + std::to_string(known["keys"].size()) + " keys of " + group;
  for (const json& key : known["keys"])
    for (const std::string& user : system.users) {
      const std::string id = key.value("gmk_id", "");
      const auto row = std::find_if(known["rows"].begin(), known["rows"].end(), [&](const json& one) {
        return one.value("member", "") == user && one.value("key", "") == id;
      });
      if (row == known["rows"].end()) return user + " has no payload of " + id;
      if (row->value("state", "") != state)
        return user + " is " + row->value("state", "") + " " + row->value("reason", "") + " for " + id;
    }
  return {};
}

void TwoSystems::expect_everybody(const std::string& group, std::size_t keys, const std::string& state) {
  for (System* system : lab_->systems)
    EXPECT_TRUE(wait_until([&] { return missing(*system, group, keys, state).empty(); }))
        << missing(*system, group, keys, state);
}

std::vector<std::string> TwoSystems::keys_of(System& system, const std::string& group) {
  std::vector<std::string> out;
  const json known = ledger(system, group);
  for (const json& key : known["keys"])
    out.push_back(key.value("use", "") + " " + key.value("gmk_id", "") + " " +
                  key.value("key_fingerprint", ""));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> TwoSystems::ring_of(System& system, const std::string& identity,
                                             const std::string& group) {
  app::UeGroupOptions options;
  options.config_file = system.config_of(identity);
  options.json = true;
  std::ostringstream out, err;
  const int code = app::run_ue_keys(options, out, err);
  EXPECT_EQ(code, 0) << err.str();
  std::vector<std::string> keys;
  if (code != 0) return keys;
  for (const json& key : json::parse(out.str()))
    if (key.value("group", "") == group && key.value("state", "") == "active")
      keys.push_back(key.value("use", "") + " " + key.value("gmk_id", "") + " " +
                     key.value("key_fingerprint", ""));
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace regroup::process
