// SPDX-License-Identifier: Apache-2.0
#include "app/ue/group_desk.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "app/config_values.hpp"
#include "app/ue/agent_token.hpp"
#include "base/text.hpp"
#include "http/bearer.hpp"
#include "xcap/xcap_error.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kXcap = "TS 24.481 6.2", kRegroup = "TS 23.179 10.6.2";

// The words of a 409, with what the GMS would accept instead.
Error conflict_of(const http::Response& response) {
  std::string why = "HTTP 409";
  std::string cure = "correct what the GMS names and try again";
  if (const auto error = xcap::XcapError::parse(response.body.view()); error.ok()) {
    const std::string& phrase = error.value().phrase;
    why += ", " + std::string(xcap::name_of(error.value().kind));
    if (!error.value().field.empty()) why += " at " + printable(error.value().field, 200);
    if (!phrase.empty()) why += ": " + printable(phrase, 300);
    std::string others;
    for (const std::string& other : error.value().alternatives)
      others += (others.empty() ? "" : ", ") + printable(other);
    if (!others.empty()) cure = "take a group ID that the GMS would accept: " + others;
  }
  return fail(Errc::conflict, "RFC 4825 11", "refused: " + why, cure);
}

struct Reason {
  std::string_view name;
  Errc code;
  std::string_view cure;
};
constexpr Reason kReasons[] = {
    {"not-authorised", Errc::not_authorised,
     "ask the operator to list this identity in policy.creators of the GMS"},
    {"unknown-group", Errc::unknown_group, "name groups that exist in this system or a partner's"},
    {"temporary-group", Errc::conflict, "name its constituents: a temporary group cannot be regrouped"},
    {"already-regrouped", Errc::conflict, "tear the other regroup down first"},
    {"not-trusted", Errc::not_authorised,
     "ask the operators of both systems to configure each other as partners"},
    {"policy", Errc::not_authorised, "ask the operator which rule of the GMS forbids it"},
    {"partner-unreachable", Errc::conflict, "try again with a new --id once the partner system answers"},
    {"partner-rejected", Errc::conflict, "ask the operator of the partner system"},
    {"limit", Errc::limit, "name fewer groups or members, or tear other regroups down"},
    {"security-mismatch", Errc::conflict, "give the constituents the same protection settings"},
};

}  // namespace

Result<Desk> Desk::open(const std::string& config_file, std::chrono::seconds deadline) {
  Desk desk;
  desk.deadline_ = std::chrono::steady_clock::now() + deadline;
  desk.config_ = TRY(read_ue_config(config_file));
  http::ClientOptions options;
  options.ca_file = desk.config_.gms_ca_file;
  desk.client_ = TRY(http::Client::make(options));
  return desk;
}

Result<http::Response> Desk::send(const std::string& method, const std::string& path, std::string_view type,
                                  const std::string& body) const {
  SecretOctets token = TRY(own_token(config_, {left(), {}}));
  for (int tries = 0;; ++tries) {
    http::ClientRequest request;
    request.method = method;
    request.url = config_.xcap_root + path;
    request.proxy = config_.http_proxy;
    http::add_bearer(request.headers, token.expose());
    if (!type.empty()) request.headers.add("Content-Type", std::string(type));
    request.body = to_octets(view(body));
    auto response = client_->call(std::move(request), left());
    if (!response.ok() && left() < std::chrono::milliseconds(50))
      response.error().cure += ", or give it longer with --timeout SECONDS";
    if (!response.ok() || response.value().status != 401 || tries > 0) return response;
    token = TRY(own_token_again(config_, token.expose(), {left(), {}}));
  }
}

std::chrono::milliseconds Desk::left() const {
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  return std::max(rest, std::chrono::milliseconds(1));
}

Failure::Failure(Error reason) : error(std::move(reason)) {
  if (error.code == Errc::usage || error.code == Errc::not_for_me) exit = 2;
  if (error.code == Errc::not_authorised) exit = 3;
}

Failure refusal_of(const http::Response& response) {
  const std::string what = "refused: HTTP " + std::to_string(response.status);
  switch (response.status) {
    case 400:
      return {fail(Errc::malformed, kXcap, what + ": the GMS cannot read the request",
                   "check the group ID and the members"),
              3};
    case 401:
      return {fail(Errc::not_authorised, "TS 33.180 B.10", what + ": the access token is not accepted",
                   "get a new token to where [token] says"),
              3};
    case 403:
      return {fail(Errc::not_authorised, "TS 33.179 7.3.5.1", what + ": this identity may not do that",
                   "ask the operator to list it in policy.creators of the GMS; the "
                   "token needs the group management "
                   "scope"),
              3};
    case 404:
      return {fail(Errc::unknown_group, kXcap, what + ": no such group, or it is not known to this identity",
                   "check the group ID; URIs are compared octet for octet"),
              3};
    case 409:
      return {conflict_of(response), 3};
    case 413:
      return {fail(Errc::limit, kXcap, what + ": the request is too large", "name fewer members"), 3};
    case 503:
      return {fail(Errc::transport, "TS 33.179 7.2", what + ": the GMS has no keys of its own at present",
                   "try again after " + printable(response.headers.find("Retry-After").value_or("some"), 20) +
                       " s"),
              3};
    default:
      return {fail(Errc::unsupported, kXcap, what, "see the log of the GMS"), 3};
  }
}

Failure refusal_of(const xcap::GmopResponse& answer) {
  const std::string what = "refused: " + printable(answer.reason, 100);
  for (const Reason& one : kReasons)
    if (one.name == answer.reason) return {fail(one.code, kRegroup, what, std::string(one.cure)), 3};
  return {fail(Errc::conflict, kRegroup, what, "see the log of the GMS"), 3};
}

nlohmann::json json_of(const Error& error) {
  return {{"code", name_of(error.code)},
          {"clause", error.clause},
          {"detail", error.detail},
          {"cure", error.cure}};
}

int tell(const Failure& failure, bool json, std::ostream& out, std::ostream& err) {
  err << "regroup ue: " << failure.error.text() << std::endl;
  if (json) out << nlohmann::json{{"error", json_of(failure.error)}}.dump() << std::endl;
  return failure.exit;
}

Result<void> check_uri(std::string_view argument, const std::string& uri) {
  const auto checked = identity_value(uri);
  if (checked.ok()) return {};
  return fail(Errc::usage, "TS 24.481 7.2", std::string(argument) + ": " + checked.error().detail,
              checked.error().cure.empty() ? "write a URI as in sip:fire@mcx.example" : checked.error().cure);
}

Result<void> check_uris(std::string_view argument, std::span<const std::string> uris, std::size_t least) {
  std::set<std::string_view> seen;
  for (const std::string& uri : uris) {
    TRY(check_uri(argument, uri));
    if (!seen.insert(uri).second)
      return fail(Errc::usage, "TS 24.481 7.2",
                  std::string(argument) + ": " + printable(uri) + " is given twice", "name each once");
  }
  if (uris.size() >= least) return {};
  return fail(Errc::usage, kRegroup,
              std::string(argument) + ": at least " + std::to_string(least) + " are needed",
              "name the groups to join");
}

Result<void> check_request_id(const std::string& request_id) {
  if (request_id.empty() || xcap::is_request_id(request_id)) return {};
  return fail(Errc::usage, "PR-25", "--id: " + printable(request_id, 80) + " is no request ID",
              "give 8 to 64 characters of A-Z a-z 0-9 . _ -");
}

}  // namespace regroup::app
