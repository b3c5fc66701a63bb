// SPDX-License-Identifier: Apache-2.0
#include "sip/sofia_message.hpp"

#include <sofia-sip/su_alloc.h>

#include <algorithm>
#include <functional>

namespace regroup::sip {
namespace {

// Folded values keep their line breaks in the parser; RFC 3261 7.3.1 lets each be read as a space.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string value_of(const msg_header_t* header) {
  std::string text;
  if (header->sh_class->hc_hash == msg_unknown_hash) {  // its encoder would write the name too
    text = header->sh_unknown->un_value ? header->sh_unknown->un_value : "";
    return one_line(std::move(text));
  }
  text.resize(256);
  issize_t size = msg_header_field_e(text.data(), static_cast<isize_t>(text.size()), header, 0);
  if (size >= static_cast<issize_t>(text.size())) {
    text.resize(static_cast<std::size_t>(size) + 1);
    size = msg_header_field_e(text.data(), static_cast<isize_t>(text.size()), header, 0);
  }
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return one_line(std::move(text));
}

// Each header in the order of the wire; the start line and the body are not headers.
void each_header(const sip_t& sip, const std::function<void(std::string, std::string)>& take) {
  const msg_common_t* start = sip.sip_request ? sip.sip_request->rq_common : sip.sip_status->st_common;
  for (const msg_header_t* h = start->h_succ; h; h = h->sh_succ) {
    const int kind = h->sh_class->hc_hash;
    if (kind == msg_payload_hash || kind == msg_separator_hash) continue;
    const char* name = kind == msg_unknown_hash ? h->sh_unknown->un_name : h->sh_class->hc_name;
    if (name && *name) take(name, value_of(h));
  }
}

bool left_out(std::string_view name) {
  for (const std::string_view hop : {"Via", "Max-Forwards", "Content-Length", "CSeq"})
    if (same_token(name, hop)) return true;
  return false;
}

std::optional<std::uint32_t> expires_of(const sip_t& sip) {
  if (!sip.sip_expires) return {};
  return static_cast<std::uint32_t>(std::min<sip_time_t>(sip.sip_expires->ex_delta, 0xffffffffu));
}

Octets body_of(const sip_t& sip) {
  if (!sip.sip_payload || !sip.sip_payload->pl_data) return {};
  return to_octets(view(std::string_view(sip.sip_payload->pl_data, sip.sip_payload->pl_len)));
}

void line(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Request read_request(const sip_t& sip) {
  Request out;
  out.method = sip.sip_request->rq_method_name;
  if (char* uri = url_as_string(nullptr, sip.sip_request->rq_url)) {
    out.request_uri = uri;
    su_free(nullptr, uri);
  }
  out.cseq = sip.sip_cseq->cs_seq;
  out.expires = expires_of(sip);
  out.body = body_of(sip);
  const std::pair<std::string_view, std::string*> fields[] = {{"From", &out.from},
                                                              {"To", &out.to},
                                                              {"Call-ID", &out.call_id},
                                                              {"Contact", &out.contact},
                                                              {"Event", &out.event},
                                                              {"Subscription-State", &out.subscription_state},
                                                              {"P-Asserted-Service", &out.p_asserted_service},
                                                              {"Content-Type", &out.content_type}};
  each_header(sip, [&](std::string name, std::string value) {
    if (left_out(name) || same_token(name, "Expires")) return;
    if (same_token(name, "Accept")) {  // a list; one value of ours
      out.accept += (out.accept.empty() ? "" : ", ") + value;
      return;
    }
    for (const auto& [field, slot] : fields)
      if (same_token(name, field) && slot->empty()) {
        *slot = std::move(value);
        return;
      }
    out.others.push_back({std::move(name), std::move(value)});
  });
  return out;
}

Response read_response(const sip_t& sip) {
  Response out;
  out.status = sip.sip_status->st_status;
  out.reason = sip.sip_status->st_phrase ? sip.sip_status->st_phrase : "";
  out.expires = expires_of(sip);
  out.body = body_of(sip);
  const std::pair<std::string_view, std::string*> fields[] = {
      {"To", &out.to}, {"Contact", &out.contact}, {"Content-Type", &out.content_type}};
  each_header(sip, [&](std::string name, std::string value) {
    if (left_out(name) || same_token(name, "From") || same_token(name, "Call-ID") ||
        same_token(name, "Expires"))
      return;
    for (const auto& [field, slot] : fields)
      if (same_token(name, field) && slot->empty()) {
        *slot = std::move(value);
        return;
      }
    out.headers.push_back({std::move(name), std::move(value)});
  });
  return out;
}

bool write_request(msg_t* message, const Request& r) {
  std::string text;
  line(text, "Max-Forwards", "70");
  line(text, "From", r.from);
  line(text, "To", r.to);
  line(text, "Call-ID", r.call_id);
  line(text, "CSeq", std::to_string(r.cseq) + " " + r.method);
  line(text, "Contact", r.contact);
  line(text, "Event", r.event);
  if (r.expires) line(text, "Expires", std::to_string(*r.expires));
  line(text, "Accept", r.accept);
  line(text, "Subscription-State", r.subscription_state);
  line(text, "P-Asserted-Service", r.p_asserted_service);
  for (const Header& header : r.others) line(text, header.name, header.value);
  line(text, "Content-Type", r.content_type);
  line(text, "Content-Length", std::to_string(r.body.size()));

  su_home_t* home = msg_home(message);
  sip_t* sip = sip_object(message);
  const std::string start = r.method + " " + r.request_uri + " SIP/2.0";
  sip_request_t* line = sip_request_make(home, start.c_str());
  if (!line || url_sanitize(line->rq_url) < 0) return false;
  sip_payload_t* body =
      r.body.empty() ? nullptr : sip_payload_create(home, r.body.data(), static_cast<isize_t>(r.body.size()));
  const int added = sip_add_tl(message, sip, SIPTAG_REQUEST(line), SIPTAG_HEADER_STR(text.c_str()),
                               TAG_IF(body, SIPTAG_PAYLOAD(body)), TAG_END());
  return added >= 0 && sip->sip_from && sip->sip_to && sip->sip_call_id && sip->sip_cseq &&
         (r.contact.empty() || sip->sip_contact) && !sip->sip_error;
}

std::string response_headers(const Response& r) {
  std::string text;
  line(text, "Contact", r.contact);
  if (r.expires) line(text, "Expires", std::to_string(*r.expires));
  for (const Header& header : r.headers) line(text, header.name, header.value);
  line(text, "Content-Type", r.content_type);
  line(text, "Content-Length", std::to_string(r.body.size()));
  return text;
}

}  // namespace regroup::sip
