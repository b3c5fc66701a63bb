// SPDX-License-Identifier: Apache-2.0
#include "gms/model.hpp"

namespace regroup::gms {

std::string_view name_of(FloorKey floor) {
  switch (floor) {
    case FloorKey::none:
      return "none";
    case FloorKey::gmk:
      return "gmk";
    case FloorKey::mkfc:
      return "mkfc";
  }
  return "none";
}

std::string_view name_of(Procedure procedure) { return procedure == Procedure::one ? "one" : "two"; }

std::string_view name_of(Delivery state) {
  switch (state) {
    case Delivery::unkeyed:
      return "UNKEYED";
    case Delivery::prepared:
      return "PREPARED";
    case Delivery::notified:
      return "NOTIFIED";
    case Delivery::fetched:
      return "FETCHED";
    case Delivery::installed:
      return "INSTALLED";
    case Delivery::failed:
      return "FAILED";
    case Delivery::withdrawn:
      return "WITHDRAWN";
  }
  return "UNKEYED";
}

std::string_view name_of(RegroupState state) {
  switch (state) {
    case RegroupState::asking:
      return "ASKING";
    case RegroupState::active:
      return "ACTIVE";
    case RegroupState::rejected:
      return "REJECTED";
    case RegroupState::reserved:
      return "RESERVED";
    case RegroupState::torn_down:
      return "TORN_DOWN";
  }
  return "REJECTED";
}

std::string_view name_of(PartnerState state) {
  switch (state) {
    case PartnerState::asked:
      return "ASKED";
    case PartnerState::accepted:
      return "ACCEPTED";
    case PartnerState::rejected:
      return "REJECTED";
    case PartnerState::pending:
      return "PENDING";
    case PartnerState::acked:
      return "ACKED";
    case PartnerState::failed:
      return "FAILED";
    case PartnerState::withdrawing:
      return "WITHDRAWING";
    case PartnerState::withdrawn:
      return "WITHDRAWN";
  }
  return "FAILED";
}

}  // namespace regroup::gms
