// SPDX-License-Identifier: Apache-2.0
#include "xcap/mcptt_info.hpp"

#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

const xml::Element* local(const xml::Element& parent, std::string_view name) {
  for (const xml::Element& child : parent.children)
    if (child.name == name) return &child;
  return nullptr;
}

// <name type="Normal"><inner>value</inner></name>; some writers leave the inner element out.
std::string_view value_of(const xml::Element& wrapper, std::string_view inner) {
  const xml::Element* found = local(wrapper, inner);
  return found ? found->token() : wrapper.token();
}

void add_wrapped(xml::Element& params, std::string_view name, std::string_view inner,
                 std::string_view value) {
  xml::Element& wrapper = params.add(name);
  wrapper.set_attribute("type", "Normal");
  wrapper.add(inner, value);
}

}  // namespace

Result<McpttInfo> parse_mcptt_info(OctetsView document) {
  xml::Element root = TRY(xml::parse(document, kSmallDocument));
  const xml::WipedAtExit wiped(root);
  const xml::Element* params = root.name == "mcpttinfo" ? local(root, "mcptt-Params") : nullptr;
  if (!params)
    return fail(Errc::malformed, "TS 24.379 F.1", "document is not mcpttinfo with mcptt-Params",
                "send mcpttinfo with one mcptt-Params");
  McpttInfo out;
  if (const xml::Element* token = local(*params, "mcptt-access-token")) {
    out.token_encrypted = attribute_of(*token, "type") == "Encrypted";
    if (!out.token_encrypted) out.access_token = SecretOctets(view(value_of(*token, "mcpttString")));
  }
  if (const xml::Element* uri = local(*params, "mcptt-request-uri"))
    out.request_uri = value_of(*uri, "mcpttURI");
  return out;
}

std::string write_mcptt_info(const McpttInfo& info) {
  xml::Element root(ns::kMcpttInfo, "mcpttinfo");
  const xml::WipedAtExit wiped(root);
  xml::Element& params = root.add("mcptt-Params");
  if (!info.request_uri.empty()) add_wrapped(params, "mcptt-request-uri", "mcpttURI", info.request_uri);
  if (!info.access_token.empty())
    add_wrapped(params, "mcptt-access-token", "mcpttString", text_of(info.access_token.expose()));
  return xml::write(root);
}

}  // namespace regroup::xcap
