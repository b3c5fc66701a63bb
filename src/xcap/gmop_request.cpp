// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.hpp"
#include "xcap/fields.hpp"
#include "xcap/gmop.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "TS 24.481 7.3";
constexpr std::string_view kTemporary = "temporary-MCPTT-group-ID";
constexpr std::size_t kMostConstituents = 1000;  // as in constituent-MCPTT-group-IDs

constexpr std::pair<RekeyCause, std::string_view> kCauses[] = {{RekeyCause::member_removed, "member-removed"},
                                                               {RekeyCause::compromise, "compromise"},
                                                               {RekeyCause::collision, "collision"},
                                                               {RekeyCause::period, "period"}};

Result<std::string> read_id(const xml::Element& operation) {
  std::string id = attribute_of(operation, "id");
  if (!is_request_id(id))
    return fail(Errc::malformed, "PR-25", operation.name + " has id \"" + printable(id, 80) + "\"",
                "send 8 to 64 characters of A-Z a-z 0-9 . _ -");
  return id;
}

Result<std::string> read_temporary(const xml::Element& operation, bool required) {
  std::string uri = attribute_of(operation, kTemporary);
  if (uri.empty() && !required) return uri;
  if (!is_uri(uri))
    return fail(Errc::malformed, kClause,
                operation.name + " has " + std::string(kTemporary) + " \"" + printable(uri, 80) + "\"",
                "name the temporary group by its URI");
  return uri;
}

Result<void> collect_groups(const xml::Element& element, std::vector<std::string>& out) {
  for (const xml::Element& child : element.children) {
    if (child.is(ns::kListService, "list-service") && is_uri(attribute_of(child, "uri"))) {
      if (out.size() == kMostConstituents)
        return fail(Errc::limit, kClause, "more than " + std::to_string(kMostConstituents) + " groups",
                    "name fewer groups");
      out.push_back(attribute_of(child, "uri"));
    }
    TRY(collect_groups(child, out));
  }
  return {};
}

Result<Regrouped> read_lenient(const xml::Element& operation) {
  Regrouped out;
  const xml::Element* element = find_deep(operation, ns::kGroupInfo, "on-network-regrouped");
  if (element) out = TRY(read_regrouped(*element));
  if (out.constituents.empty()) out.constituents = TRY(read_constituents(operation));
  if (out.constituents.empty()) TRY(collect_groups(operation, out.constituents));
  if (out.constituents.empty())
    return fail(Errc::malformed, kClause, operation.name + " names no group",
                "list the groups in constituent-MCPTT-group-ID");
  return out;
}

Result<GmopRequest> read_creation(const xml::Element& operation) {
  RegroupCreation out;
  out.id = TRY(read_id(operation));
  out.between_servers = attribute_of(operation, "phase") == "request";
  out.regrouped = TRY(read_lenient(operation));
  return GmopRequest(std::move(out));
}

Result<GmopRequest> read_notification(const xml::Element& operation) {
  RegroupNotification out;
  out.id = TRY(read_id(operation));
  const std::string* seq = operation.attribute("seq");
  const auto number = seq ? integer_of(*seq, UINT32_MAX) : std::uint64_t{1};
  if (!number || *number == 0)
    return fail(Errc::malformed, "PR-25", operation.name + " has a seq that is not 1, 2, ...",
                "number the notifications of a regroup from 1");
  out.seq = static_cast<std::uint32_t>(*number);
  out.regrouped = TRY(read_lenient(operation));
  if (!is_uri(out.regrouped.temporary))
    return fail(Errc::malformed, kClause, operation.name + " does not name its temporary group",
                "name it in temporary-MCPTT-group-ID of on-network-regrouped");
  if (const xml::Element* payloads = find_deep(operation, ns::kGktp, "GKTPs"))
    out.payloads = TRY(read_gktp(*payloads));
  return GmopRequest(std::move(out));
}

Result<GmopRequest> read_teardown(const xml::Element& operation) {
  RegroupTeardown out;
  out.id = TRY(read_id(operation));
  out.temporary = TRY(read_temporary(operation, false));
  out.constituents = TRY(read_constituents(operation));
  return GmopRequest(std::move(out));
}

Result<GmopRequest> read_rekey(const xml::Element& operation) {
  RegroupRekey out;
  out.id = TRY(read_id(operation));
  out.temporary = TRY(read_temporary(operation, true));
  const std::string cause = attribute_of(operation, "cause");
  for (const auto& [one, name] : kCauses)
    if (cause == name) {
      out.cause = one;
      return GmopRequest(std::move(out));
    }
  return fail(Errc::malformed, "PR-43", operation.name + " has cause \"" + printable(cause, 40) + "\"",
              "send member-removed, compromise, collision or period");
}

xml::Element operation_element(std::string_view name, std::string_view id) {
  xml::Element out(ns::kGmop, name);
  if (!id.empty()) out.set_attribute("id", id);
  return out;
}

xml::Element element_of(const RegroupCreation& request) {
  xml::Element out = operation_element(RegroupCreation::kName, request.id);
  if (request.between_servers) out.set_attribute("phase", "request");
  out.add(regrouped_element(request.regrouped));
  return out;
}
xml::Element element_of(const RegroupNotification& request) {
  xml::Element out = operation_element(RegroupNotification::kName, request.id);
  out.set_attribute("seq", std::to_string(request.seq));
  out.add(regrouped_element(request.regrouped));
  if (!request.payloads.empty()) out.add(gktp_element(request.payloads, "mgktp"));
  return out;
}
xml::Element element_of(const RegroupTeardown& request) {
  xml::Element out = operation_element(RegroupTeardown::kName, request.id);
  if (!request.temporary.empty()) out.set_attribute(kTemporary, request.temporary);
  for (const std::string& one : request.constituents)
    out.add(made(ns::kGroupInfo, "mcpttgi", "constituent-MCPTT-group-ID", one));
  return out;
}
xml::Element element_of(const RegroupRekey& request) {
  xml::Element out = operation_element(RegroupRekey::kName, request.id);
  out.set_attribute(kTemporary, request.temporary);
  for (const auto& [one, name] : kCauses)
    if (request.cause == one) out.set_attribute("cause", name);
  return out;
}
xml::Element element_of(const GetExcludingMemberlist&) {
  return operation_element(GetExcludingMemberlist::kName, {});
}

}  // namespace

bool is_request_id(std::string_view id) {
  return id.size() >= 8 && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

std::string_view name_of(const GmopRequest& request) {
  return std::visit([](const auto& one) { return one.kName; }, request);
}

Result<GmopRequest> parse_gmop_request(OctetsView document) {
  const xml::Element root = TRY(parse_root(document, ns::kGmop, "document", kClause, kLargeDocument));
  const xml::Element* request = root.child(ns::kGmop, "request");
  if (!request || request->children.size() != 1)
    return fail(Errc::malformed, kClause, "document has no request with exactly one operation",
                "send one operation in a request");
  const xml::Element& operation = request->children[0];
  const bool ours = operation.ns == ns::kGmop;
  if (ours && operation.name == RegroupCreation::kName) return read_creation(operation);
  if (ours && operation.name == RegroupNotification::kName) return read_notification(operation);
  if (ours && operation.name == RegroupTeardown::kName) return read_teardown(operation);
  if (ours && operation.name == RegroupRekey::kName) return read_rekey(operation);
  if (ours && operation.name == GetExcludingMemberlist::kName) return GmopRequest(GetExcludingMemberlist{});
  return fail(Errc::unsupported, kClause, "operation " + printable(operation.name, 60) + " is not known here",
              "send one of the operations that docs/wire.md lists");
}

std::string write_gmop(const GmopRequest& request) {
  xml::Element root(ns::kGmop, "document");
  root.add("request").add(std::visit([](const auto& one) { return element_of(one); }, request));
  return xml::write(root);
}

}  // namespace regroup::xcap
