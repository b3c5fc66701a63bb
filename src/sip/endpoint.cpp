// SPDX-License-Identifier: Apache-2.0
#include "sip/endpoint.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace regroup::sip {
namespace {

// A record stored at its creation may be followed by this many requests before a restart makes a CSeq repeat.
constexpr std::uint32_t kCseqLeap = 10'000;
constexpr std::uint32_t kMostCseq = 0x7fffffff;  // RFC 3261 8.1.1.5: below 2^31

std::string address(std::string_view uri, std::string_view tag) {
  std::string out = "<" + std::string(uri) + ">";
  if (!tag.empty()) out.append(";tag=").append(tag);
  return out;
}

// URIs of all values of a header that lists addresses, in their order (Record-Route).
std::vector<std::string> uris_of(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string> out;
  for (const Header& header : headers) {
    if (!same_token(header.name, name)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t close = rest.find('>');
      std::string uri = uri_in(rest.substr(0, close == rest.npos ? rest.npos : close + 1));
      if (!uri.empty()) out.push_back(std::move(uri));
      const std::size_t comma = close == rest.npos ? rest.npos : rest.find(',', close);
      rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return out;
}

bool is_loose(std::string_view route) { return split_parameters(route).parameter("lr").has_value(); }

// RFC 3261 12.2.1.1. A strict router gets itself as Request-URI and the target as last Route.
void set_route(const Dialog& dialog, Request& request, std::string& next_hop) {
  request.request_uri = dialog.remote_target;
  next_hop = dialog.next_hop.empty() ? dialog.remote_target : dialog.next_hop;
  if (dialog.route_set.empty()) return;
  std::vector<std::string> routes = dialog.route_set;
  next_hop = routes.front();
  if (!is_loose(routes.front())) {
    request.request_uri = routes.front();
    routes.erase(routes.begin());
    routes.push_back(dialog.remote_target);
  }
  for (const std::string& route : routes) request.others.push_back({"Route", address(route, "")});
}

std::string escape_user(std::string_view user) {
  constexpr std::string_view plain = "-_.!~*'()&=+$,;?/";  // RFC 3261 25.1: unreserved, user-unreserved
  std::string out;
  for (const char c : user) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alnum || plain.find(c) != plain.npos)
      out += c;
    else
      out += "%" + hex_upper(view(std::string_view(&c, 1)));
  }
  return out;
}

// Bounds on what a request leaves behind: these values go into dialogs, from there into stored records and
// back onto the wire.
constexpr std::size_t kMostCallId = 255, kMostAddress = 1024, kMostEvent = 255;

Result<void> check_keepable(const Request& request) {
  const auto within = [](std::string_view name, const std::string& value, std::size_t most) -> Result<void> {
    if (value.size() <= most) return {};
    return fail(Errc::limit, "RFC 3261 21.4.1",
                std::string(name) + " has " + std::to_string(value.size()) + " octets, at most " +
                    std::to_string(most),
                "send a shorter one");
  };
  TRY(within("Call-ID", request.call_id, kMostCallId));
  TRY(within("From", request.from, kMostAddress));
  TRY(within("To", request.to, kMostAddress));
  TRY(within("Contact", request.contact, kMostAddress));
  TRY(within("Event", request.event, kMostEvent));
  if (request.cseq > kMostCseq)
    return fail(Errc::malformed, "RFC 3261 8.1.1.5", "CSeq is not below 2^31", "begin again with a low CSeq");
  return {};
}

Error gone(std::string what) {
  return fail(Errc::conflict, "RFC 3261 12.2", std::move(what), "open a new dialog");
}

}  // namespace

std::string Endpoint::draw_token() {
  const std::lock_guard guard(lock_);
  return hex(random_.octets<16>());
}

std::string Endpoint::contact(std::string_view user) const {
  const std::vector<std::string> all = addresses();
  if (all.empty()) return {};
  return "sip:" + escape_user(user) + "@" + all.front().substr(4);
}

void Endpoint::serve(std::string_view user, Handler handler) {
  const std::lock_guard guard(lock_);
  if (!handler)
    handlers_.erase(std::string(user));
  else
    handlers_.insert_or_assign(std::string(user), std::move(handler));
}

OnAnswer Endpoint::delivering(OnAnswer on_answer) {
  return [this, on_answer = std::move(on_answer)](Result<Response> outcome) {
    if (on_answer) later([on_answer, outcome = std::move(outcome)] { on_answer(outcome); });
  };
}

Result<DialogId> Endpoint::open(const Opening& opening, Request request, OnAnswer on_answer,
                                std::chrono::milliseconds deadline) {
  Dialog dialog;
  dialog.call_id = draw_token();
  dialog.local_tag = draw_token();
  dialog.local_uri = opening.local_uri;
  dialog.remote_uri = opening.remote_uri.empty() ? opening.request_uri : opening.remote_uri;
  dialog.remote_target = opening.request_uri;
  dialog.local_contact = contact(opening.contact_user);
  if (opening.keep_next_hop) dialog.next_hop = opening.next_hop;
  dialog.local_cseq = 1;
  if (dialog.local_contact.empty())
    return fail(Errc::usage, "RFC 3261 8.1.1.8", "no Contact: the transport is not started",
                "call start() first");

  request.request_uri = opening.request_uri;
  request.from = address(dialog.local_uri, dialog.local_tag);
  request.to = address(dialog.remote_uri, "");
  request.call_id = dialog.call_id;
  request.cseq = dialog.local_cseq;
  // The caller may have set Contact parameters (+g.3gpp…); they follow the URI.
  request.contact = address(dialog.local_contact, "") + request.contact;
  TRY(check_sendable(request));

  const DialogId id = dialog.id();
  {
    const std::lock_guard guard(lock_);
    dialogs_.emplace(id, std::move(dialog));
  }
  auto deliver = delivering(std::move(on_answer));
  transmit({std::move(request), opening.next_hop.empty() ? opening.request_uri : opening.next_hop, deadline,
            [this, id, deliver = std::move(deliver)](Result<Response> outcome) {
              learn_answer(id, outcome, true);
              deliver(std::move(outcome));
            }});
  return id;
}

// From, To, Call-ID, CSeq, Contact and route of the next request in a dialog (RFC 3261 12.2.1.1).
Result<std::string> Endpoint::fill_in(const DialogId& id, Request& request) {
  const std::lock_guard guard(lock_);
  const auto at = dialogs_.find(id);
  if (at == dialogs_.end()) return gone("no such dialog");
  Dialog& dialog = at->second;
  if (dialog.local_cseq >= kMostCseq) return gone("the CSeq numbers of the dialog are used up");
  request.from = address(dialog.local_uri, dialog.local_tag);
  request.to = address(dialog.remote_uri, dialog.remote_tag);
  request.call_id = dialog.call_id;
  request.cseq = ++dialog.local_cseq;
  request.contact = address(dialog.local_contact, "") + request.contact;
  std::string next_hop;
  set_route(dialog, request, next_hop);
  TRY(check_sendable(request));
  return next_hop;
}

void Endpoint::send(const DialogId& id, Request request, OnAnswer on_answer,
                    std::chrono::milliseconds deadline) {
  auto deliver = delivering(std::move(on_answer));
  Result<std::string> next_hop = fill_in(id, request);
  if (!next_hop) return deliver(next_hop.error());
  transmit({std::move(request), std::move(*next_hop), deadline,
            [this, id, deliver = std::move(deliver)](Result<Response> outcome) {
              learn_answer(id, outcome, false);
              deliver(std::move(outcome));
            }});
}

void Endpoint::send_alone(const Opening& opening, Request request, OnAnswer on_answer,
                          std::chrono::milliseconds deadline) {
  auto deliver = delivering(std::move(on_answer));
  request.request_uri = opening.request_uri;
  request.from = address(opening.local_uri, draw_token());
  request.to = address(opening.remote_uri.empty() ? opening.request_uri : opening.remote_uri, "");
  request.call_id = draw_token();
  request.cseq = 1;
  request.contact =
      opening.contact_user.empty() ? "" : address(contact(opening.contact_user), "") + request.contact;
  if (const Result<void> good = check_sendable(request); !good) return deliver(good.error());
  transmit({std::move(request), opening.next_hop.empty() ? opening.request_uri : opening.next_hop, deadline,
            std::move(deliver)});
}

// RFC 3261 12.1.2 and 12.2.1.2: a 2xx fixes the peer's tag, target and route set; a refresh moves the target.
void Endpoint::learn_answer(const DialogId& id, const Result<Response>& outcome, bool opening) {
  const std::lock_guard guard(lock_);
  const auto at = dialogs_.find(id);
  if (at == dialogs_.end()) return;
  Dialog& dialog = at->second;
  if (!outcome.ok() || !outcome->success()) {
    if (opening && !dialog.confirmed) dialogs_.erase(at);
    return;
  }
  const std::string tag = tag_in(outcome->to);
  if (!dialog.remote_tag.empty() && tag != dialog.remote_tag) return;  // a fork; the first peer stays
  if (opening && !dialog.confirmed) {
    dialog.route_set = uris_of(outcome->headers, "Record-Route");
    std::reverse(dialog.route_set.begin(), dialog.route_set.end());
  }
  dialog.remote_tag = tag;
  dialog.confirmed = true;
  if (const std::string target = uri_in(outcome->contact); !target.empty()) dialog.remote_target = target;
}

int Endpoint::judge_in_dialog(const Dialog& dialog, const Request& request) {
  const std::string tag = tag_in(request.from);
  if (tag.empty() || (!dialog.remote_tag.empty() && tag != dialog.remote_tag)) return 481;
  if (request.cseq <= dialog.remote_cseq) return 500;  // 12.2.2; TCP brings no retransmissions
  Dialog next = dialog;
  learn_request(next, request);
  return parse_dialog(write_dialog(next)).ok() ? 0 : 400;
}

void Endpoint::learn_request(Dialog& dialog, const Request& request) {
  if (request.cseq <= dialog.remote_cseq) return;
  if (!dialog.remote_tag.empty() && tag_in(request.from) != dialog.remote_tag) return;  // a fork
  // A NOTIFY may make the dialog before the 2xx does (RFC 6665 4.1.2.4).
  if (!dialog.confirmed) dialog.route_set = uris_of(request.others, "Record-Route");
  dialog.remote_tag = tag_in(request.from);
  dialog.confirmed = true;
  dialog.remote_cseq = request.cseq;
  if (const std::string target = uri_in(request.contact); !target.empty()) dialog.remote_target = target;
}

Handler Endpoint::handler_of(const std::string& user) const {
  if (const auto at = handlers_.find(user); at != handlers_.end()) return at->second;
  const auto any = handlers_.find("");
  return any == handlers_.end() ? Handler() : any->second;
}

void Endpoint::receive(TransactionId transaction, Request request) {
  // What we could not send we do not take: its values go into dialogs, and from there back onto the wire.
  if (!check_sendable(request) || !check_keepable(request)) return refuse(transaction, request, 400);
  Incoming incoming{transaction, {}, {}};
  Handler handler;
  int refusal = 0;
  {
    const std::lock_guard guard(lock_);
    const std::string tag = tag_in(request.to);
    std::string user = user_of(request.request_uri);
    if (!tag.empty()) {
      const auto at = dialogs_.find(request.call_id + ";" + tag);
      refusal = at == dialogs_.end() ? 481 : judge_in_dialog(at->second, request);
      if (!refusal) {
        incoming.dialog = at->first;
        user = user_of(at->second.local_contact);
      }
    }
    handler = handler_of(user);
    if (!refusal && !handler) refusal = tag.empty() ? 404 : 481;
    if (!refusal) {
      incoming.request = request;
      pending_.emplace(transaction, Pending{std::move(request), incoming.dialog.value_or(""), false});
    }
  }
  if (refusal) return refuse(transaction, request, refusal);
  later([handler = std::move(handler), incoming = std::move(incoming)] { handler(incoming); });
}

void Endpoint::refuse(TransactionId transaction, const Request& request, int status) {
  Response response = make_response(status);
  response.to = request.to;
  if (tag_in(response.to).empty()) response.to += ";tag=" + draw_token();
  reply(transaction, std::move(response));
}

Result<Dialog> Endpoint::accept_dialog(TransactionId transaction) {
  const std::string tag = draw_token();
  const std::lock_guard guard(lock_);
  const auto at = pending_.find(transaction);
  if (at == pending_.end()) return gone("the request is answered or over");
  Pending& pending = at->second;
  const Request& request = pending.request;
  if (!pending.dialog.empty()) {
    const auto known = dialogs_.find(pending.dialog);
    if (known == dialogs_.end()) return gone("no such dialog");
    // Others may have been accepted since this one came.
    if (judge_in_dialog(known->second, request) != 0) return gone("a later request has overtaken this one");
    learn_request(known->second, request);
    return known->second;
  }
  Dialog dialog;
  dialog.call_id = request.call_id;
  dialog.local_tag = tag;
  dialog.remote_tag = tag_in(request.from);
  dialog.local_uri = uri_in(request.to);
  dialog.remote_uri = uri_in(request.from);
  dialog.remote_target = uri_in(request.contact);
  dialog.local_contact = contact(user_of(request.request_uri));
  dialog.route_set = uris_of(request.others, "Record-Route");
  dialog.remote_cseq = request.cseq;
  dialog.confirmed = true;
  if (dialog.remote_tag.empty() || dialog.remote_target.empty())
    return fail(Errc::malformed, "RFC 3261 12.1.1",
                dialog.remote_tag.empty() ? "From has no tag" : "Contact is missing",
                dialog.remote_tag.empty() ? "put a tag into From" : "name a Contact");
  TRY(parse_dialog(write_dialog(dialog)));  // what could not be read back after a restart is not begun
  pending.dialog = dialog.id();
  pending.creates = true;
  dialogs_.emplace(dialog.id(), dialog);
  return dialog;
}

void Endpoint::answer(TransactionId transaction, Response response) {
  const std::string tag = draw_token();
  {
    const std::lock_guard guard(lock_);
    const auto at = pending_.find(transaction);
    if (at == pending_.end()) return;
    const Pending& pending = at->second;
    const auto dialog = dialogs_.find(pending.dialog);
    response.to = pending.request.to;
    if (pending.creates && dialog != dialogs_.end()) response.to += ";tag=" + dialog->second.local_tag;
    if (tag_in(response.to).empty()) response.to += ";tag=" + tag;
    if (response.success() && dialog != dialogs_.end()) {
      learn_request(dialog->second, pending.request);
      response.contact = address(dialog->second.local_contact, "") + response.contact;
    }
    if (pending.creates && !response.success() && dialog != dialogs_.end()) dialogs_.erase(dialog);
    pending_.erase(at);
  }
  if (response.reason.empty()) response.reason = reason_of(response.status);
  if (check_sendable(response).ok()) return reply(transaction, std::move(response));
  // Ours is the fault; the peer must not wait for its timer F.
  Response failure = make_response(500);
  failure.to = is_single_line(response.to) ? response.to : "";
  reply(transaction, std::move(failure));
}

void Endpoint::over(TransactionId transaction) {
  const std::lock_guard guard(lock_);
  const auto at = pending_.find(transaction);
  if (at == pending_.end()) return;
  if (at->second.creates) dialogs_.erase(at->second.dialog);
  pending_.erase(at);
}

std::optional<Dialog> Endpoint::dialog(const DialogId& id) const {
  const std::lock_guard guard(lock_);
  const auto at = dialogs_.find(id);
  if (at == dialogs_.end()) return {};
  return at->second;
}

Result<void> Endpoint::restore(Dialog dialog) {
  // Reading back what writing gives is the check of completeness.
  TRY(parse_dialog(write_dialog(dialog)));
  dialog.local_cseq = std::min(dialog.local_cseq + kCseqLeap, kMostCseq);
  const std::lock_guard guard(lock_);
  dialogs_.insert_or_assign(dialog.id(), std::move(dialog));
  return {};
}

void Endpoint::forget(const DialogId& id) {
  const std::lock_guard guard(lock_);
  dialogs_.erase(id);
}

}  // namespace regroup::sip
