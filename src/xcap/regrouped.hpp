// SPDX-License-Identifier: Apache-2.0
// The regroup structures of TS 24.481 7.2.4 that group documents and GMOP requests share: regroupedType and
// the key plan of PR-27. Every field but the constituents is optional here; who must send what is for the
// callers.
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

// Is there a second key for floor control, of which kind, and made in one procedure or in two? (PR-27)
enum class FloorKey : std::uint8_t { none, gmk, mkfc };
enum class Procedure : std::uint8_t { one, two };
struct KeyPlan {
  FloorKey floor = FloorKey::none;
  Procedure procedure = Procedure::one;
  bool operator==(const KeyPlan&) const = default;
};

// The two "levels" of TS 23.179 10.6.2 as stage 3 spells them.
struct Levels {
  std::optional<std::uint8_t> priority;  // larger is more important; absent: the lowest
  std::optional<bool> protect_media;     // absent: true (7.2.8)
  std::optional<bool> protect_floor;     // absent: true (7.2.8)
  bool multicast_floor = false;          // require-multicast-floor-control-signalling
  bool operator==(const Levels&) const = default;
};

struct Regrouped {
  std::string temporary;  // temporary-MCPTT-group-ID; empty before it exists
  std::string requestor;  // temporary-MCPTT-group-requestor
  std::vector<std::string> constituents;
  Levels levels;
  std::optional<KeyPlan> plan;
  bool operator==(const Regrouped&) const = default;
};

// The element key-plan, or none. Looks in the element and in its mcpttgi:anyExt.
[[nodiscard]] Result<std::optional<KeyPlan>> read_key_plan(const xml::Element& parent);
[[nodiscard]] xml::Element key_plan_element(const KeyPlan& plan);

[[nodiscard]] Result<Levels> read_levels(const xml::Element& parent);
void add_levels(xml::Element& parent, const Levels& levels);

// mcpttgi:on-network-regrouped. IDs inside are URIs or the temporary ID is empty; at most 1000 constituents.
[[nodiscard]] Result<Regrouped> read_regrouped(const xml::Element& element);
[[nodiscard]] xml::Element regrouped_element(const Regrouped& regrouped);
// mcpttgi:constituent-MCPTT-group-ID elements anywhere below, in document order.
[[nodiscard]] Result<std::vector<std::string>> read_constituents(const xml::Element& parent);
[[nodiscard]] xml::Element constituents_element(const std::vector<std::string>& constituents);

}  // namespace regroup::xcap
