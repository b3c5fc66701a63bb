// SPDX-License-Identifier: Apache-2.0
#include "xml/canonical.hpp"

#include <libxml/c14n.h>
#include <libxml/xmlerror.h>

#include <algorithm>

#include "base/text.hpp"
#include "xml/tree.hpp"

namespace regroup::xml {
namespace {

constexpr std::string_view kClause = "Canonical XML 1.0";

Result<void> check_namespaces(const Element& element, std::size_t in_scope) {
  in_scope += element.declared.size();
  if (in_scope > kMaxNamespacesInScope)
    return fail(Errc::limit, kClause,
                "more than " + std::to_string(kMaxNamespacesInScope) + " namespace declarations in scope",
                "sign documents with fewer namespaces");
  for (const Declaration& one : element.declared)
    if (one.uri.find('&') != std::string::npos)
      return fail(Errc::unsupported, kClause,
                  "namespace \"" + printable(one.uri, 80) + "\" in a signed document",
                  "sign documents whose namespace names hold no '&'");
  for (const Element& one : element.children) TRY(check_namespaces(one, in_scope));
  return {};
}

xmlNode* node_at(xmlDoc* document, const Path& path) {
  xmlNode* node = xmlDocGetRootElement(document);
  for (const std::size_t number : path) {
    node = xmlFirstElementChild(node);
    for (std::size_t i = 0; i < number && node; ++i) node = xmlNextElementSibling(node);
    if (!node) return nullptr;
  }
  return node;
}

// What is to be seen: the apex and all below it, but nothing of `without`.
struct Selection {
  const xmlNode* apex;
  const xmlNode* without;
};

int is_visible(void* user, xmlNode* node, xmlNode* parent) {
  const auto* chosen = static_cast<const Selection*>(user);
  // Namespaces and attributes are where their element is.
  const bool of_element = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE;
  for (const xmlNode* one = of_element ? parent : node; one; one = one->parent) {
    if (one == chosen->without) return 0;
    if (one == chosen->apex) return 1;
  }
  return 0;
}

void say_nothing(void*, xmlError*) {}

// libxml2 tells complaints of its canonicaliser to stderr unless somebody listens.
class Quiet {
 public:
  Quiet() : context_(xmlStructuredErrorContext), before_(xmlStructuredError) {
    xmlSetStructuredErrorFunc(nullptr, say_nothing);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() { xmlSetStructuredErrorFunc(context_, before_); }

 private:
  void* context_;
  xmlStructuredErrorFunc before_;
};

struct CloseBuffer {
  void operator()(xmlOutputBuffer* buffer) const { xmlOutputBufferClose(buffer); }
};

}  // namespace

void Document::Free::operator()(_xmlDoc* document) const { xmlFreeDoc(document); }

Result<Document> Document::parse(OctetsView document, const Limits& limits) {
  Tree tree = TRY(parse_tree(document, limits));
  Document out(std::unique_ptr<_xmlDoc, Free>(tree.release()), Element());
  out.root_ = TRY(root_of(out.tree_.get()));
  TRY(check_namespaces(out.root_, 0));
  return out;
}

Result<SecretOctets> Document::canonical(const Path& apex, Canonical form, const Path* without) const {
  xmlDoc* const document = tree_.get();
  Selection chosen{node_at(document, apex), without ? node_at(document, *without) : nullptr};
  if (!chosen.apex) return fail(Errc::internal, kClause, "there is no element at that place");
  const std::unique_ptr<xmlOutputBuffer, CloseBuffer> buffer(xmlAllocOutputBuffer(nullptr));
  if (!buffer) return fail(Errc::internal, kClause, "no memory for a canonical document");
  const Quiet quiet;
  const int made = xmlC14NExecute(document, is_visible, &chosen,
                                  form == Canonical::exclusive ? XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0,
                                  nullptr, form == Canonical::inclusive_with_comments ? 1 : 0, buffer.get());
  if (made < 0)
    return fail(Errc::unsupported, kClause, "the document has no canonical form: a relative namespace name?",
                "sign documents whose namespace names are absolute URIs");
  return SecretOctets(
      OctetsView(xmlOutputBufferGetContent(buffer.get()), xmlOutputBufferGetSize(buffer.get())));
}

}  // namespace regroup::xml
