// SPDX-License-Identifier: Apache-2.0
// Private to this room: libxml2's own tree of a document that has passed every check of xml::parse().
#pragma once

#include <libxml/tree.h>

#include <memory>

#include "xml/element.hpp"

namespace regroup::xml {

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
using Tree = std::unique_ptr<xmlDoc, FreeDocument>;

[[nodiscard]] Result<Tree> parse_tree(OctetsView document, const Limits& limits);
// The values of its root element and all below.
[[nodiscard]] Result<Element> root_of(xmlDoc* tree);

}  // namespace regroup::xml
