// SPDX-License-Identifier: Apache-2.0
#include "xcap/resource_lists.hpp"

#include <unordered_set>

#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "RFC 4826 3";

struct Collected {
  std::vector<std::string> uris;
  std::unordered_set<std::string> seen;
};

Result<void> collect(const xml::Element& parent, Collected& out) {
  for (const xml::Element& child : parent.children) {
    if (child.is(ns::kResourceLists, "list")) TRY(collect(child, out));
    if (!child.is(ns::kResourceLists, "entry")) continue;
    std::string uri = attribute_of(child, "uri");
    if (uri.empty())
      return fail(Errc::malformed, kClause, "entry has no uri", "name the resource in the attribute uri");
    if (!out.seen.insert(uri).second) continue;
    if (out.uris.size() == kMostWatched)
      return fail(Errc::limit, "PR-31", "more than " + std::to_string(kMostWatched) + " entries",
                  "subscribe to fewer resources, or to a collection");
    out.uris.push_back(std::move(uri));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> parse_resource_lists(OctetsView document) {
  const xml::Element root =
      TRY(parse_root(document, ns::kResourceLists, "resource-lists", kClause, kSmallDocument));
  Collected out;
  TRY(collect(root, out));
  return std::move(out.uris);
}

std::string write_resource_lists(std::span<const std::string> uris) {
  xml::Element root(ns::kResourceLists, "resource-lists");
  xml::Element& list = root.add("list");
  for (const std::string& uri : uris) list.add("entry").set_attribute("uri", uri);
  return xml::write(root);
}

}  // namespace regroup::xcap
