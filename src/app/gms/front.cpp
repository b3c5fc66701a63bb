// SPDX-License-Identifier: Apache-2.0
#include "app/gms/front.hpp"

#include "app/gms/gmop_codec.hpp"
#include "base/text.hpp"
#include "flow/group_creation.hpp"
#include "flow/regroup_multi.hpp"
#include "flow/regroup_single.hpp"
#include "flow/teardown.hpp"
#include "flow/timers.hpp"
#include "gms/authority.hpp"
#include "gms/delivery.hpp"
#include "xcap/key_receipt.hpp"

namespace regroup::app {
namespace {

http::Response plain(unsigned status) { return http::make_response(status); }

http::Response no_key() {
  http::Response response = plain(503);
  response.headers.add("Retry-After", "30");
  return response;
}

http::Response xcap_refusal(const xcap::XcapError& error) {
  const auto status = static_cast<unsigned>(error.status());
  if (status != 409) return plain(status);
  return http::make_response(409, xcap::mime::kXcapError, http::Body(error.write()));
}

http::Response method_refusal(std::string_view allowed) {
  http::Response response = plain(405);
  response.headers.add("Allow", std::string(allowed));
  return response;
}

std::string quoted(const std::string& etag) { return "\"" + etag + "\""; }

// GET and HEAD with If-None-Match.
http::Response document(const http::Request& request, std::string_view type, const Rendered& rendered) {
  const auto known = request.headers.find("If-None-Match");
  const bool unchanged =
      known && (*known == "*" || known->find(quoted(rendered.etag)) != std::string_view::npos);
  http::Response response =
      unchanged ? plain(304)
                : http::make_response(200, type,
                                      request.method == "HEAD" ? http::Body() : http::Body(rendered.text));
  response.headers.add("ETag", quoted(rendered.etag));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

// If-Match and If-None-Match of a PUT (RFC 9110 13.1); `etag`: of the document as it is, or none.
bool precondition_holds(const http::Request& request, const std::optional<std::string>& etag) {
  const auto lists = [&](std::string_view value) {
    return etag && (value == "*" || value.find(quoted(*etag)) != std::string_view::npos);
  };
  const auto match = request.headers.find("If-Match"), none = request.headers.find("If-None-Match");
  return (!match || lists(*match)) && (!none || !lists(*none));
}

bool has_type(const http::Request& request, std::string_view type) {
  const auto content = request.headers.find("Content-Type");
  return content && http::equal_no_case(content->substr(0, content->find(';')), type);
}

// The HTTP answer to a refusal by the domain (TS 24.481 6.3.2.3). Errc::conflict: another group ID would do.
http::Response group_refusal(const Error& error, const gms::Settings& settings, Random& random) {
  using xcap::ErrorKind;
  if (error.code == Errc::not_authorised) return plain(403);
  if (error.code == Errc::expired || error.code == Errc::unknown_kms) return no_key();
  if (error.code == Errc::conflict) {
    const std::string other = "sip:grp-" + hex(random.octets<4>()) + "@" + settings.domains.front();
    return xcap_refusal(xcap::group_id_refused(error.detail, {other}));
  }
  xcap::XcapError refused = xcap::XcapError::of(error);  // its phrase ends with the cure
  refused.kind = ErrorKind::constraint_failure;
  return xcap_refusal(refused);
}

// What a client must leave as it is in the document of `group` (PR-13); none: a new group.
xcap::Managed managed_of(const gms::Gms& gms, const gms::Group* group) {
  xcap::Managed managed;
  const gms::Regroup* regroup = group ? gms.regroup_of(group->regrouped_as) : nullptr;
  if (regroup) managed.regrouped.push_back(regrouped_of(*regroup));
  return managed;
}

// 501 for an operation that is not known; what XML refuses (a DTD, an encoding) is no operation at all.
unsigned gmop_refusal(const Error& error) {
  return error.code == Errc::unsupported && error.clause == "TS 24.481 7.3" ? 501 : 400;
}

http::Response gmop_response(const xcap::GmopResponse& response) {
  return http::make_response(200, xcap::mime::kGmop, http::Body(xcap::write_gmop(response)));
}

}  // namespace

std::variant<Requester, http::Response> GmsFront::requester(const http::Request& request) const {
  return requester_of(request, jwks_(), policy_, clock_.now(), core_.gms().with().settings.partners);
}

std::optional<http::Response> GmsFront::refusal(const http::Request& head) const {
  if (head.peer.listener == "admin")
    return operates(head) ? std::nullopt : std::optional<http::Response>(plain(403));
  auto who = requester(head);
  if (auto* refused = std::get_if<http::Response>(&who)) return std::move(*refused);
  return std::nullopt;
}

void GmsFront::handle(const http::Request& request, Answer answer) {
  if (request.peer.listener == "admin") return answer(operates(request) ? ledger(request) : plain(403));
  auto who = requester(request);
  if (auto* refused = std::get_if<http::Response>(&who)) return answer(std::move(*refused));
  const auto target = http::parse_target(request.target);
  if (!target.ok()) return answer(plain(400));
  if (target.value().path.rfind(root_path_, 0) != 0) return answer(plain(404));
  auto path = http::decoded_segments("/" + target.value().path.substr(root_path_.size()));
  if (!path.ok()) return answer(plain(400));
  std::vector<std::string> segments = std::move(path).value();
  const std::string auid = segments.empty() ? "" : segments.front();
  if (!segments.empty()) segments.erase(segments.begin());
  const Call call{request, std::get<Requester>(who), std::move(segments)};
  if (auid == xcap::auid::kGroups && request.method == "POST") return gmop(call, std::move(answer));
  if (auid == xcap::auid::kGroups) return answer(groups(call));
  if (auid == xcap::auid::kGktp) return answer(keys(call));
  answer(plain(404));
}

http::Response GmsFront::groups(const Call& call) {
  const std::string& method = call.request.method;
  // `creators` names holders of tokens; a server that is trusted to assert an identity creates nothing.
  if (call.from.trusted && (method == "PUT" || method == "DELETE")) return plain(403);
  const bool by_id = call.path.size() == 3 && call.path[0] == "global" &&
                     (call.path[1] == "byGroupID" || (call.path[1] == "byGroup" && method == "GET"));
  if (method == "PUT") return put_group(call);
  if (!by_id) return plain(404);
  const std::string& id = call.path[2];
  if (method == "GET" || method == "HEAD") {
    const auto rendered = documents_.group(call.from.identity, id);
    return rendered ? document(call.request, xcap::mime::kGroup, *rendered) : plain(404);
  }
  if (method != "DELETE") return method_refusal("GET, HEAD, PUT, DELETE, POST");
  const gms::Group* group = core_.gms().group(id);
  if (!group || !documents_.knows(call.from.identity, *group)) return plain(404);
  if (!group->temporary) return method_refusal("GET, HEAD, PUT, POST");
  const gms::Regroup* regroup = core_.gms().regroup_of(id);
  if (!gms::may_create(core_.gms().with().settings, call.from.identity) || !regroup ||
      regroup->role != gms::RegroupRole::primary)
    return plain(403);
  if (!keyed_()) return no_key();
  core_.carry_out(flow::teardown(core_.gms(), call.from.identity, gms::kNobody, {"delete-" + id, id}));
  return plain(200);
}

// A1: PUT below the group-creation-XUI or the requester's own XUI; PUT by group ID replaces.
http::Response GmsFront::put_group(const Call& call) {
  gms::Gms& gms = core_.gms();
  const gms::Settings& settings = gms.with().settings;
  const bool by_id = call.path.size() == 3 && call.path[0] == "global" && call.path[1] == "byGroupID";
  const bool below_xui = call.path.size() == 3 && call.path[0] == "users" &&
                         (call.path[1] == settings.gms_uri.text() || call.path[1] == call.from.identity);
  if (!by_id && !below_xui) return call.path.size() == 3 && call.path[0] == "users" ? plain(403) : plain(404);
  if (!gms::may_create(settings, call.from.identity)) return plain(403);
  if (!has_type(call.request, xcap::mime::kGroup)) return plain(415);
  const auto parsed = xcap::parse_group_document(call.request.body);
  if (!parsed.ok()) return xcap_refusal(parsed.error());
  const xcap::GroupDocument& wanted = parsed.value();
  const gms::Group* existing = gms.group(wanted.uri);
  if (by_id && (!existing || wanted.uri != call.path[2])) return method_refusal("GET, HEAD, POST");
  const bool own = existing && existing->owner.text() == call.from.identity;
  if (by_id && !own) return plain(403);
  if (existing && existing->temporary) return plain(403);
  if (const auto refused = xcap::check_client_change(wanted, managed_of(gms, existing)))
    return xcap_refusal(*refused);
  const bool created = !existing;
  const auto before = own ? documents_.group(call.from.identity, wanted.uri) : std::nullopt;
  if (!precondition_holds(call.request, before ? std::optional(before->etag) : std::nullopt))
    return plain(412);
  auto request = group_request_of(wanted, call.request.body);
  if (!request.ok()) {
    const bool bad_id = !gms::GroupId::parse(wanted.uri).ok();
    return group_refusal(
        fail(bad_id ? Errc::conflict : Errc::malformed, "", request.error().detail, request.error().cure),
        settings, gms.with().random);
  }
  auto outcome = flow::group_creation(gms, call.from.identity, std::move(request).value());
  if (!outcome.ok()) {
    core_.say("group " + printable(wanted.uri) + " refused: " + outcome.error().text());
    Error why = outcome.error();
    if (own && why.code == Errc::conflict) why.code = Errc::limit;  // not the ID: it is the requester's own
    return group_refusal(why, settings, gms.with().random);
  }
  core_.carry_out(std::move(outcome).value());
  http::Response response = plain(created ? 201 : 200);
  if (const auto rendered = documents_.group(call.from.identity, wanted.uri))
    response.headers.add("ETag", quoted(rendered->etag));
  return response;
}

http::Response GmsFront::keys(const Call& call) {
  const std::string& method = call.request.method;
  const bool by_id = call.path.size() == 3 && call.path[0] == "global" && call.path[1] == "byGroupID";
  const bool own = call.path.size() == 3 && call.path[0] == "users" && call.path[1] == call.from.identity;
  if (!by_id && !own) return plain(404);
  const std::string& group = call.path[2];
  if (method == "POST") return receipt(call, group);
  if (method != "GET" && method != "HEAD") return method_refusal("GET, HEAD, POST");
  const auto rendered = documents_.keys(call.from.identity, group);
  if (!rendered) return plain(404);
  http::Response response = document(call.request, xcap::mime::kGktp, *rendered);
  if (method == "GET") {
    core_.carry_out(gms::fetched(core_.gms(), call.from.identity, group));
    core_.carry_out(flow::settle(core_.gms()));
  }
  return response;
}

// PR-33.
http::Response GmsFront::receipt(const Call& call, const std::string& group) {
  if (!has_type(call.request, xcap::mime::kKeyReceipt)) return plain(415);
  const auto receipts = xcap::parse_key_receipt(call.request.body);
  if (!receipts.ok()) return plain(400);
  if (!gms::ever_keyed(core_.gms(), call.from.identity, group)) return plain(404);
  for (const xcap::Receipt& one : receipts.value()) {
    gms::Receipt receipt;
    receipt.message = one.message;
    receipt.result = std::string(xcap::name_of(one.result));
    receipt.group = one.group;
    core_.carry_out(gms::received(core_.gms(), call.from.identity, receipt));
  }
  core_.carry_out(flow::settle(core_.gms()));
  return plain(204);
}

void GmsFront::gmop(const Call& call, Answer answer) {
  if (!has_type(call.request, xcap::mime::kGmop)) return answer(plain(415));
  const bool partner = call.from.trusted && gms::partner(core_.gms().with().settings, call.from.identity);
  if (partner && !keyed_()) return answer(no_key());
  if (partner) return gmop_of_partner(call.from, std::move(answer), call.request.body);
  if (call.from.trusted) return answer(plain(403));
  gmop_of_client(call.from, call.path.size() == 3 ? call.path[2] : std::string(), std::move(answer),
                 call.request.body);
}

void GmsFront::gmop_of_client(const Requester& from, const std::string& group, Answer answer,
                              const Octets& body) {
  const auto parsed = xcap::parse_gmop_request(body);
  if (!parsed.ok()) return answer(plain(gmop_refusal(parsed.error())));
  const bool reads = std::holds_alternative<xcap::GetExcludingMemberlist>(parsed.value());
  if (!reads && !keyed_()) return answer(no_key());
  gms::Gms& gms = core_.gms();
  if (const auto* creation = std::get_if<xcap::RegroupCreation>(&parsed.value())) {
    const auto request = request_of(*creation);
    if (!request.ok()) return answer(plain(400));
    const gms::Ticket ticket = core_.ticket([answer, id = creation->id](const gms::Answer& done) {
      answer(gmop_response(response_of(done, std::string(xcap::RegroupCreation::kName), id, std::nullopt)));
    });
    return core_.carry_out(flow::regroup(gms, from.identity, ticket, request.value()));
  }
  if (const auto* down = std::get_if<xcap::RegroupTeardown>(&parsed.value())) {
    const gms::Ticket ticket = core_.ticket([answer, id = down->id](const gms::Answer& done) {
      answer(gmop_response(response_of(done, std::string(xcap::RegroupTeardown::kName), id, std::nullopt)));
    });
    return core_.carry_out(flow::teardown(gms, from.identity, ticket, {down->id, down->temporary}));
  }
  if (std::get_if<xcap::GetExcludingMemberlist>(&parsed.value())) {
    const auto rendered = documents_.group(from.identity, group, false);
    return answer(rendered ? http::make_response(200, xcap::mime::kGroup, http::Body(rendered->text))
                           : plain(404));
  }
  answer(plain(501));
}

void GmsFront::gmop_of_partner(const Requester& from, Answer answer, const Octets& body) {
  const auto parsed = xcap::parse_gmop_request(body);
  if (!parsed.ok()) return answer(plain(gmop_refusal(parsed.error())));
  gms::Gms& gms = core_.gms();
  const bool counts = gms::partner(gms.with().settings, from.identity)->tell_members_keyed;
  const auto ticket = [&](std::string operation, std::string id, std::optional<std::uint32_t> seq) {
    return core_.ticket([answer, operation, id, seq, counts](const gms::Answer& done) {
      xcap::GmopResponse response = response_of(done, operation, id, seq);
      if (!counts) response.members_keyed.reset();
      answer(gmop_response(response));
    });
  };
  if (const auto* creation = std::get_if<xcap::RegroupCreation>(&parsed.value())) {
    const auto request = request_of(*creation);
    if (!request.ok()) return answer(plain(400));
    const gms::Ticket waiting = ticket(std::string(creation->kName), creation->id, std::nullopt);
    return core_.carry_out(flow::partner_request(gms, from.identity, waiting, request.value()));
  }
  if (const auto* notification = std::get_if<xcap::RegroupNotification>(&parsed.value())) {
    const auto request = notification_of(*notification);
    if (!request.ok()) return answer(plain(400));
    std::vector<Error> why;
    const gms::Ticket waiting = ticket(std::string(notification->kName), notification->id, notification->seq);
    core_.carry_out(flow::partner_notification(gms, from.identity, waiting, request.value(), &why));
    for (const Error& error : why) core_.say("C9 of " + from.identity + " refused: " + error.text());
    return;
  }
  if (const auto* down = std::get_if<xcap::RegroupTeardown>(&parsed.value())) {
    const gms::Ticket waiting = ticket(std::string(down->kName), down->id, std::nullopt);
    return core_.carry_out(flow::partner_teardown(gms, from.identity, waiting, {down->id, down->temporary}));
  }
  answer(plain(501));
}

// The CA of this listener may certify partners too: only named operators see who holds which key.
bool GmsFront::operates(const http::Request& request) const {
  const gms::Settings& settings = core_.gms().with().settings;
  if (settings.admins.empty()) return request.peer.certificate.has_uri(settings.gms_uri.text());
  return std::any_of(settings.admins.begin(), settings.admins.end(),
                     [&](const std::string& one) { return request.peer.certificate.has_uri(one); });
}

http::Response GmsFront::ledger(const http::Request& request) {
  const auto target = http::parse_target(request.target);
  if (!target.ok()) return plain(400);
  if (request.method != "GET") return method_refusal("GET");
  const auto path = http::decoded_segments(target.value().path);
  if (!path.ok() || path.value().size() != 2 || path.value()[0] != "ledger") return plain(404);
  const std::string& group = path.value()[1];
  const gms::State& known = core_.gms().state();
  const bool ever = known.groups.count(group) != 0 ||
                    std::any_of(known.keys.begin(), known.keys.end(),
                                [&](const auto& one) { return one.second.group.text() == group; }) ||
                    std::any_of(known.regroups.begin(), known.regroups.end(),
                                [&](const auto& one) { return one.second.temporary.text() == group; });
  if (!ever) return plain(404);
  return http::make_response(200, "application/json", http::Body(ledger_json(core_.gms(), group)));
}

}  // namespace regroup::app
