// SPDX-License-Identifier: Apache-2.0
#include "xcap/capabilities.hpp"

namespace regroup::xcap {

std::string write_capabilities() {
  xml::Element root(ns::kXcapCaps, "xcap-caps");
  xml::Element& auids = root.add("auids");
  for (const std::string_view one : {auid::kXcapCaps, auid::kGroups, auid::kGktp}) auids.add("auid", one);
  root.add("extensions");
  xml::Element& namespaces = root.add("namespaces");
  for (const std::string_view one : {ns::kXcapCaps, ns::kListService, ns::kResourceLists, ns::kCommonPolicy,
                                     ns::kOmaExtensions, ns::kGroupInfo, ns::kGktp, ns::kXcapError})
    namespaces.add("namespace", one);
  return xml::write(root);
}

}  // namespace regroup::xcap
