// SPDX-License-Identifier: Apache-2.0
// Requests of peers: the refusals that are not the stack's to make, and the answers.
#include "sip/sofia_transport.hpp"

namespace regroup::sip {

void SofiaTransport::reply(TransactionId transaction, Response response) {
  enqueue([this, transaction, response = std::move(response)] { finish_served(transaction, response); });
}

int SofiaTransport::take(nta_incoming_t* transaction, const sip_t& sip) {
  if (sip.sip_request->rq_method == sip_method_ack) {
    nta_incoming_destroy(transaction);
    return 0;
  }
  if (!passes_checks(transaction, sip)) return 0;
  const TransactionId id = ++last_id_;
  const SteadyClock::time_point deadline = SteadyClock::now() + options_.answer_within;
  served_.emplace(id, Served{transaction, deadline});
  deadlines_.emplace(deadline, id);
  arm();
  receive(id, read_request(sip));
  return 0;
}

// The stack hands over whatever parses; these refusals are the application's (RFC 3261 8.2.1 - 8.2.3).
bool SofiaTransport::passes_checks(nta_incoming_t* transaction, const sip_t& sip) {
  const auto scheme = static_cast<url_type_e>(sip.sip_request->rq_url->url_type);
  if (scheme != url_sip && scheme != url_sips) return refuse(transaction, 416) != 0;

  std::string allowed = "Allow: ";
  bool known = false;
  for (const std::string& method : options_.methods) {
    allowed.append(known || allowed.size() > 7 ? ", " : "").append(method);
    known = known || method == sip.sip_request->rq_method_name;
  }
  if (!known)
    return refuse(transaction, sip.sip_request->rq_method == sip_method_unknown ? 501 : 405, allowed) != 0;

  std::string missing;
  if (sip.sip_require)
    for (const msg_param_t* tag = sip.sip_require->k_items; tag && *tag; ++tag)
      if (std::find(options_.supported.begin(), options_.supported.end(), *tag) == options_.supported.end())
        missing.append(missing.empty() ? "Unsupported: " : ", ").append(*tag);
  if (!missing.empty()) return refuse(transaction, 420, missing) != 0;

  if (sip.sip_content_encoding) return refuse(transaction, 415, "Accept-Encoding: identity") != 0;
  const std::size_t size = sip.sip_payload ? sip.sip_payload->pl_len : 0;
  const bool subscribe = sip.sip_request->rq_method == sip_method_subscribe;
  if (size > (subscribe ? options_.subscribe_body : options_.other_body))
    return refuse(transaction, 413) != 0;
  return true;
}

int SofiaTransport::refuse(nta_incoming_t* transaction, int status, std::string_view header) {
  nta_incoming_treply(transaction, status, reason_of(status).c_str(),
                      TAG_IF(!header.empty(), SIPTAG_HEADER_STR(std::string(header).c_str())), TAG_END());
  nta_incoming_destroy(transaction);
  return 0;
}

void SofiaTransport::finish_served(TransactionId id, const Response& response) {
  const auto at = served_.find(id);
  if (at == served_.end()) return;
  nta_incoming_t* transaction = at->second.transaction;
  deadlines_.erase({at->second.deadline, id});
  served_.erase(at);
  over(id);
  if (const std::string tag = tag_in(response.to); !tag.empty()) nta_incoming_tag(transaction, tag.c_str());
  const std::string headers = response_headers(response);
  auto* home = static_cast<su_home_t*>(su_home_new(sizeof(su_home_t)));
  sip_payload_t* body =
      response.body.empty()
          ? nullptr
          : sip_payload_create(home, response.body.data(), static_cast<isize_t>(response.body.size()));
  nta_incoming_treply(transaction, response.status, response.reason.c_str(),
                      SIPTAG_HEADER_STR(headers.c_str()), TAG_IF(body, SIPTAG_PAYLOAD(body)), TAG_END());
  nta_incoming_destroy(transaction);
  su_home_unref(home);
}

}  // namespace regroup::sip
