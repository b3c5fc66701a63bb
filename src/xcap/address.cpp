// SPDX-License-Identifier: Apache-2.0
#include "xcap/address.hpp"

#include "base/text.hpp"
#include "http/target.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "RFC 4825 6";
constexpr std::string_view kSeparator = "/~~/";

Error bad(std::string detail) {
  return fail(
      Errc::malformed, kClause, std::move(detail),
      "send ROOT + AUID/users/XUI/DOCUMENT or AUID/global/byGroupID/GROUP, for a node + /~~/SELECTOR");
}

Result<std::string> decoded(std::string_view text, std::string_view what) {
  auto out = http::percent_decode(text);
  if (!out) return std::move(out).error().with(what);
  if (!xml::is_text(out.value())) return bad(std::string(what) + " is not UTF-8 text");
  return out;
}

Result<std::string> decoded_segment(std::string_view segment) {
  std::string out = TRY(decoded(segment, "a segment of the address"));
  if (out.empty() || out == "." || out == "..")
    return bad("a segment of the address is empty, \".\" or \"..\"");
  return out;
}

Result<void> read_document(std::string_view text, Address& out) {
  std::vector<std::string> segments = http::split_path(text);
  if (segments.back().empty()) {
    out.collection = true;
    segments.pop_back();
  }
  std::vector<std::string> names;
  for (const std::string& one : segments) names.push_back(TRY(decoded_segment(one)));
  if (names.size() < 2 || (names[1] != "global" && names[1] != "users"))
    return bad("the address is not <AUID>/global/... or <AUID>/users/...");
  out.auid = names[0];
  out.global = names[1] == "global";
  std::size_t used = 2;
  if (!out.global) {
    if (names.size() < 3) return bad("the address names no user below users/");
    out.xui = names[used++];
  }
  out.names.assign(names.begin() + static_cast<std::ptrdiff_t>(used), names.end());
  if (out.names.empty() && !out.collection) return bad("the address names no document");
  return {};
}

// Everything that RFC 3986 lets stand in a path, '/' included: the separators of the steps.
bool stands_raw(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

// Slashes inside quotes are escaped: whoever splits the path must not see them.
std::string encode_selector(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (stands_raw(c) && !(quoted && c == '/')) {
      out += c;
    } else {
      out += http::percent_encode(std::string_view(&c, 1));
    }
  }
  return out;
}

Address of_usage(std::string_view auid) {
  Address out;
  out.auid = auid;
  return out;
}

}  // namespace

std::string Address::group_id() const {
  if (collection) return {};
  if (global && names.size() == 2 && (names[0] == "byGroupID" || names[0] == "byGroup")) return names[1];
  if (!global && auid == auid::kGktp && names.size() == 1) return names[0];
  return {};
}

Address Address::document() const {
  Address out = *this;
  out.node.reset();
  return out;
}

Result<Address> parse_address(std::string_view text) {
  if (text.size() > http::kMaxTarget)
    return fail(Errc::limit, kClause, "the address is longer than 8192 octets", "ask for a shorter address");
  Address out;
  const std::size_t separator = text.find(kSeparator);
  const std::string_view document = text.substr(0, std::min(separator, text.find('?')));
  if (document.substr(0, 1) == "/")
    return bad("the address starts with '/'; it is relative to the XCAP root");
  TRY(read_document(document, out));
  if (separator == std::string_view::npos || separator != document.size()) {
    if (document.size() != text.size()) return bad("the address has a query but no node selector");
    return out;
  }
  if (out.collection) return bad("a collection has no nodes to select");
  const std::string_view rest = text.substr(separator + kSeparator.size());
  const std::size_t mark = rest.find('?');
  const std::string query =
      mark == std::string_view::npos ? std::string() : TRY(decoded(rest.substr(mark + 1), "the query"));
  const std::string selector = TRY(decoded(rest.substr(0, mark), "the node selector"));
  out.node = TRY(parse_selector(selector, default_namespace(out.auid), TRY(parse_bindings(query))));
  return out;
}

std::string write_address(const Address& address) {
  std::string out = http::percent_encode(address.auid) + (address.global ? "/global" : "/users/");
  if (!address.global) out += http::percent_encode(address.xui);
  for (const std::string& one : address.names) out += "/" + http::percent_encode(one);
  if (address.collection) out += "/";
  if (!address.node) return out;
  const SelectorText node = write_selector(*address.node, default_namespace(address.auid));
  out += std::string(kSeparator) + encode_selector(node.text);
  if (!node.query.empty()) out += "?" + encode_selector(node.query);
  return out;
}

Result<std::string> below_root(std::string_view text, std::string_view root) {
  const http::Url home = TRY(http::parse_url(root));
  const std::string& base = home.target.path;
  if (base.back() != '/')
    return fail(Errc::usage, kClause, "the XCAP root does not end with '/'",
                "write the XCAP root with '/' at its end");
  const auto below = [&](const http::Target& target) -> Result<std::string> {
    if (target.path.compare(0, base.size(), base) != 0) return bad("the address is not below the XCAP root");
    return target.path.substr(base.size()) + (target.query.empty() ? "" : "?" + target.query);
  };
  if (text.substr(0, 1) == "/") return below(TRY(http::parse_target(text)));
  if (text.find("://") > text.find('/')) return std::string(text);  // no scheme in front: relative
  const http::Url url = TRY(http::parse_url(text));
  if (url.host != home.host || url.port != home.port)
    return bad("the address is on another server than the XCAP root");
  return below(url.target);
}

Address group_address(std::string_view group_id) {
  Address out = of_usage(auid::kGroups);
  out.names = {"byGroupID", std::string(group_id)};
  return out;
}

Address gktp_address(std::string_view group_id) {
  Address out = of_usage(auid::kGktp);
  out.names = {"byGroupID", std::string(group_id)};
  return out;
}

Address gktp_address(std::string_view mcptt_id, std::string_view group_id) {
  Address out = gktp_collection(mcptt_id);
  out.names = {std::string(group_id)};
  out.collection = false;
  return out;
}

Address gktp_collection(std::string_view mcptt_id) {
  Address out = of_usage(auid::kGktp);
  out.global = false;
  out.xui = mcptt_id;
  out.collection = true;
  return out;
}

Address gktp_keys(std::string_view group_id, std::string_view parent) {
  Address out = gktp_address(group_id);
  out.node.emplace();
  for (const std::string_view name : {std::string_view("GKTPs"), parent})
    out.node->steps.push_back({std::string(ns::kGktp), std::string(name), 0, std::nullopt});
  return out;
}

std::string_view default_namespace(std::string_view auid) {
  if (auid == auid::kGroups) return ns::kListService;
  if (auid == auid::kGktp) return ns::kGktp;
  if (auid == auid::kXcapCaps) return ns::kXcapCaps;
  return {};
}

}  // namespace regroup::xcap
