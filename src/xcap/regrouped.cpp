// SPDX-License-Identifier: Apache-2.0
#include "xcap/regrouped.hpp"

#include "base/text.hpp"
#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "TS 24.481 7.2.4";
constexpr std::size_t kMostConstituents = 1000;

xml::Element group_info(std::string_view name, std::string_view text = {}) {
  return made(ns::kGroupInfo, "mcpttgi", name, text);
}

Result<void> collect(const xml::Element& parent, std::vector<std::string>& out) {
  for (const xml::Element& child : parent.children) {
    if (!child.is(ns::kGroupInfo, "constituent-MCPTT-group-ID")) {
      TRY(collect(child, out));
      continue;
    }
    if (!is_uri(child.token()))
      return fail(Errc::malformed, kClause,
                  "constituent-MCPTT-group-ID \"" + printable(child.token(), 80) + "\" is not a URI",
                  "name each group by its URI");
    if (out.size() == kMostConstituents)
      return fail(Errc::limit, kClause, "more than " + std::to_string(kMostConstituents) + " constituents",
                  "name fewer groups");
    out.emplace_back(child.token());
  }
  return {};
}

}  // namespace

Result<std::optional<KeyPlan>> read_key_plan(const xml::Element& parent) {
  const xml::Element* found = TRY(only_child(parent, ns::kKeyPlan, "key-plan"));
  if (!found)
    if (const xml::Element* any = parent.child(ns::kGroupInfo, "anyExt"))
      found = TRY(only_child(*any, ns::kKeyPlan, "key-plan"));
  if (!found) return std::optional<KeyPlan>();
  KeyPlan plan;
  const std::string floor = attribute_of(*found, "floor-key"), procedure = attribute_of(*found, "procedure");
  if (floor == "gmk") plan.floor = FloorKey::gmk;
  if (floor == "mkfc") plan.floor = FloorKey::mkfc;
  if (procedure == "two") plan.procedure = Procedure::two;
  if (plan.floor == FloorKey::none && floor != "none")
    return fail(Errc::malformed, "PR-27", "key-plan floor-key is \"" + printable(floor, 40) + "\"",
                "send none, gmk or mkfc");
  if (plan.procedure == Procedure::one && !procedure.empty() && procedure != "one")
    return fail(Errc::malformed, "PR-27", "key-plan procedure is \"" + printable(procedure, 40) + "\"",
                "send one or two");
  return std::optional<KeyPlan>(plan);
}

xml::Element key_plan_element(const KeyPlan& plan) {
  xml::Element out = made(ns::kKeyPlan, "rg", "key-plan");
  out.set_attribute("floor-key", plan.floor == FloorKey::gmk    ? "gmk"
                                 : plan.floor == FloorKey::mkfc ? "mkfc"
                                                                : "none");
  out.set_attribute("procedure", plan.procedure == Procedure::two ? "two" : "one");
  return out;
}

Result<Levels> read_levels(const xml::Element& parent) {
  Levels out;
  if (const auto value = TRY(integer_child(parent, ns::kGroupInfo, "on-network-group-priority", 255)))
    out.priority = static_cast<std::uint8_t>(*value);
  out.protect_media = TRY(boolean_child(parent, ns::kGroupInfo, "protect-media"));
  out.protect_floor = TRY(boolean_child(parent, ns::kGroupInfo, "protect-floor-control-signalling"));
  out.multicast_floor = parent.child(ns::kGroupInfo, "require-multicast-floor-control-signalling") != nullptr;
  return out;
}

void add_levels(xml::Element& parent, const Levels& levels) {
  if (levels.priority) parent.add(group_info("on-network-group-priority", std::to_string(*levels.priority)));
  if (levels.protect_media) parent.add(group_info("protect-media", text_of_bool(*levels.protect_media)));
  if (levels.protect_floor)
    parent.add(group_info("protect-floor-control-signalling", text_of_bool(*levels.protect_floor)));
  if (levels.multicast_floor) parent.add(group_info("require-multicast-floor-control-signalling"));
}

Result<std::vector<std::string>> read_constituents(const xml::Element& parent) {
  std::vector<std::string> out;
  TRY(collect(parent, out));
  return out;
}

Result<Regrouped> read_regrouped(const xml::Element& element) {
  Regrouped out;
  out.temporary = attribute_of(element, "temporary-MCPTT-group-ID");
  out.requestor = attribute_of(element, "temporary-MCPTT-group-requestor");
  for (const std::string& uri : {out.temporary, out.requestor})
    if (!uri.empty() && !is_uri(uri))
      return fail(Errc::malformed, kClause,
                  "on-network-regrouped has \"" + printable(uri, 80) + "\" for a URI",
                  "name temporary group and requestor by their URIs");
  out.constituents = TRY(read_constituents(element));
  out.levels = TRY(read_levels(element));
  out.plan = TRY(read_key_plan(element));
  return out;
}

xml::Element constituents_element(const std::vector<std::string>& constituents) {
  xml::Element out = group_info("constituent-MCPTT-group-IDs");
  for (const std::string& one : constituents) out.add("constituent-MCPTT-group-ID", one);
  return out;
}

xml::Element regrouped_element(const Regrouped& regrouped) {
  xml::Element out = group_info("on-network-regrouped");
  out.set_attribute("temporary-MCPTT-group-ID", regrouped.temporary);
  out.set_attribute("temporary-MCPTT-group-requestor", regrouped.requestor);
  out.add(constituents_element(regrouped.constituents));
  add_levels(out, regrouped.levels);
  if (regrouped.plan) out.add(group_info("anyExt")).add(key_plan_element(*regrouped.plan));
  return out;
}

}  // namespace regroup::xcap
