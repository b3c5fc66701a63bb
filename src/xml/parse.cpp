// SPDX-License-Identifier: Apache-2.0
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "base/secret.hpp"
#include "base/text.hpp"
#include "xml/scan.hpp"
#include "xml/tree.hpp"

namespace regroup::xml {
namespace {

// libxml2 keeps copies of its input and frees text as it grows it: whatever it gives back is wiped here.
void wiping_free(void* block) {
  if (!block) return;
  regroup::wipe(block, malloc_usable_size(block));
  std::free(block);
}

void* wiping_realloc(void* block, std::size_t size) {
  if (!block) return std::malloc(size);
  void* grown = std::malloc(size);
  if (!grown) return nullptr;
  std::memcpy(grown, block, std::min(size, malloc_usable_size(block)));
  wiping_free(block);
  return grown;
}

char* plain_strdup(const char* text) { return strdup(text); }

xmlParserInputPtr no_external_entity(const char*, const char*, xmlParserCtxtPtr) { return nullptr; }

void prepare_libxml2() {
  static std::once_flag once;
  std::call_once(once, [] {
    xmlMemSetup(wiping_free, std::malloc, wiping_realloc, plain_strdup);  // before anything else of libxml2
    xmlInitParser();
    xmlSetExternalEntityLoader(no_external_entity);
  });
}

struct FreeContext {
  void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};

std::string text_of_c(const xmlChar* text) {
  return text ? std::string(reinterpret_cast<const char*>(text)) : "";
}

// libxml2 keeps a namespace name as the raw attribute value, in which it has written every & as &#38;.
std::string namespace_of_c(const xmlChar* text) {
  std::string out = text_of_c(text);
  for (std::size_t at = 0; (at = out.find("&#38;", at)) != std::string::npos; ++at) out.replace(at, 5, "&");
  return out;
}

Error broken(xmlParserCtxt* context) {
  const xmlError* last = xmlCtxtGetLastError(context);
  if (!last || !last->message) return not_well_formed("the document is not well-formed");
  std::string_view cause = last->message;
  cause = trim(cause);
  return not_well_formed("line " + std::to_string(last->line) + ": " + printable(cause));
}

bool is_character_data(const xmlNode* node) {
  return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}
bool is_dropped(const xmlNode* node) { return node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE; }

// The character data from `node` up to the next element, allocated once; leaves `node` at that element.
std::string take_text(const xmlNode*& node) {
  std::size_t size = 0;
  const xmlNode* last = node;
  for (; last && (is_character_data(last) || is_dropped(last)); last = last->next)
    if (is_character_data(last) && last->content)
      size += std::strlen(reinterpret_cast<const char*>(last->content));
  std::string out;
  out.reserve(size);
  for (; node != last; node = node->next)
    if (is_character_data(node) && node->content) out += reinterpret_cast<const char*>(node->content);
  return out;
}

Attribute attribute_of(xmlDoc* document, const xmlAttr* attribute) {
  Attribute out;
  out.name = text_of_c(attribute->name);
  if (attribute->ns) {
    out.ns = namespace_of_c(attribute->ns->href);
    out.prefix = text_of_c(attribute->ns->prefix);
  }
  xmlChar* value = xmlNodeListGetString(document, attribute->children, 1);
  out.value = text_of_c(value);
  if (value) xmlFree(value);
  return out;
}

// The depth is bounded by scan().
Result<Element> element_of(xmlDoc* document, const xmlNode* node) {
  Element out;
  out.name = text_of_c(node->name);
  if (node->ns) {
    out.ns = namespace_of_c(node->ns->href);
    out.prefix = text_of_c(node->ns->prefix);
  }
  for (const xmlNs* ns = node->nsDef; ns; ns = ns->next)
    out.declared.push_back({text_of_c(ns->prefix), namespace_of_c(ns->href)});
  for (const xmlAttr* one = node->properties; one; one = one->next)
    out.attributes.push_back(attribute_of(document, one));
  out.children.reserve(
      xmlChildElementCount(const_cast<xmlNode*>(node)));  // no growth: growth would copy short texts
  const xmlNode* child = node->children;
  out.text = take_text(child);
  while (child) {
    if (child->type != XML_ELEMENT_NODE)
      return not_well_formed("a reference to an entity that XML does not define");
    out.children.push_back(TRY(element_of(document, child)));
    child = child->next;
    out.children.back().tail = take_text(child);
  }
  return out;
}

}  // namespace

Result<Tree> parse_tree(OctetsView document, const Limits& limits) {
  std::string_view text = text_of(document);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  Limits bounded = limits;
  bounded.depth = std::min<std::size_t>(limits.depth, 200);
  bounded.octets = std::min<std::size_t>(limits.octets, std::size_t{64} << 20);
  TRY(scan(text, bounded));
  prepare_libxml2();
  const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
  if (!context) return fail(Errc::internal, "", "no memory for an XML parser");
  // Without NOENT, DTDLOAD, XINCLUDE and HUGE, on purpose. The encoding is ours, not the document's.
  Tree tree(xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (!tree || !context->wellFormed || !context->nsWellFormed) return broken(context.get());
  if (tree->intSubset || tree->extSubset)
    return fail(Errc::unsupported, "XML 1.0", "a document type declaration",
                "send the document without DOCTYPE; no protocol here needs one");
  if (!xmlDocGetRootElement(tree.get())) return not_well_formed("a document without an element");
  return tree;
}

Result<Element> root_of(xmlDoc* tree) { return element_of(tree, xmlDocGetRootElement(tree)); }

Result<Element> parse(OctetsView document, const Limits& limits) {
  const Tree tree = TRY(parse_tree(document, limits));
  return root_of(tree.get());
}

}  // namespace regroup::xml
