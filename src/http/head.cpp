// SPDX-License-Identifier: Apache-2.0
#include "http/head.hpp"

#include <algorithm>
#include <array>

namespace regroup::http {
namespace {

struct Reason {
  unsigned status;
  std::string_view text;
};
constexpr std::array<Reason, 26> kReasons{{
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
}};

constexpr std::array<std::string_view, 7> kOurs{"Content-Length",    "Connection", "Date",   "Host",
                                                "Transfer-Encoding", "Keep-Alive", "Upgrade"};

bool is_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && octet != '\t') || octet == 0x7F;
  });
}

bool may_send(const Header& field) {
  return well_formed(field) && std::none_of(kOurs.begin(), kOurs.end(), [&](std::string_view ours) {
           return equal_no_case(ours, field.name);
         });
}

template <class Text>
void put(Text& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// IMF-fixdate (RFC 9110 5.6.7), independent of the locale.
std::string http_date(std::time_t now) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&now, &parts);
  char out[64];
  const int size = std::snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
                                 parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                                 parts.tm_min, parts.tm_sec);
  return {out, static_cast<std::size_t>(size)};
}

}  // namespace

std::string_view reason_of(unsigned status) noexcept {
  for (const Reason& reason : kReasons)
    if (reason.status == status) return reason.text;
  return "Status";
}

bool well_formed(const Header& field) noexcept { return is_token(field.name) && is_field_value(field.value); }

bool status_has_body(unsigned status) noexcept { return status >= 200 && status != 204 && status != 304; }

std::string response_head(const Response& response, bool keep_alive, std::time_t now) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(reason_of(response.status)).append("\r\n");
  put(out, "Date", http_date(now));
  for (const Header& field : response.headers)
    if (may_send(field)) put(out, field.name, field.value);
  if (status_has_body(response.status)) put(out, "Content-Length", std::to_string(response.body.size()));
  put(out, "Connection", keep_alive ? "keep-alive" : "close");
  return out += "\r\n";
}

WipedText request_head(std::string_view method, std::string_view target, std::string_view host,
                       const Headers& headers, std::size_t body_size) {
  WipedText out;
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  put(out, "Host", host);
  for (const Header& field : headers)
    if (may_send(field)) put(out, field.name, field.value);
  if (body_size > 0 || method == "POST" || method == "PUT")
    put(out, "Content-Length", std::to_string(body_size));
  return out += "\r\n";
}

}  // namespace regroup::http
