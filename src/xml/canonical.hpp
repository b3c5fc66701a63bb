// SPDX-License-Identifier: Apache-2.0
// Canonical XML of a part of a document (Canonical XML 1.0, Exclusive XML Canonicalization 1.0), for
// signatures. The element that is canonicalised and the element that is read are the same node of one tree:
// both are named by their place, never by an Id. Refused: namespace names that are relative or hold '&', and
// more declarations in scope than a signed message needs, because libxml2 searches them once per element and
// declaration.
#pragma once

#include <memory>

#include "base/secret.hpp"
#include "xml/element.hpp"

struct _xmlDoc;

namespace regroup::xml {

enum class Canonical { inclusive, inclusive_with_comments, exclusive };

// The place of an element: the number of the child element at each step down from the root; empty for the
// root.
using Path = std::vector<std::size_t>;

inline constexpr std::size_t kMaxNamespacesInScope = 32;

class Document {
 public:
  [[nodiscard]] static Result<Document> parse(OctetsView document, const Limits& limits = {});
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) = delete;
  ~Document() { wipe(root_); }

  [[nodiscard]] const Element& root() const { return root_; }
  // The element at `apex`, all that is in it, `without` and what is in that left out (nullptr: nothing is).
  // The paths must be there. Secret, as the document may hold keys.
  [[nodiscard]] Result<SecretOctets> canonical(const Path& apex, Canonical form,
                                               const Path* without = nullptr) const;

 private:
  struct Free {
    void operator()(_xmlDoc* document) const;
  };
  Document(std::unique_ptr<_xmlDoc, Free> tree, Element root)
      : tree_(std::move(tree)), root_(std::move(root)) {}

  std::unique_ptr<_xmlDoc, Free> tree_;
  Element root_;
};

}  // namespace regroup::xml
