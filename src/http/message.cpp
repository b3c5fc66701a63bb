// SPDX-License-Identifier: Apache-2.0
#include "http/message.hpp"

#include <algorithm>

namespace regroup::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void wipe_credential(Header& field) {
  if (equal_no_case(field.name, "Authorization")) wipe(field.value.data(), field.value.size());
}

}  // namespace

bool equal_no_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  for (Header& field : fields_)
    if (equal_no_case(field.name, name)) wipe_credential(field);
  std::erase_if(fields_, [&](const Header& field) { return equal_no_case(field.name, name); });
}

Headers::~Headers() {
  for (Header& field : fields_) wipe_credential(field);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& field : fields_)
    if (equal_no_case(field.name, name)) return field.value;
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Header& field) { return equal_no_case(field.name, name); }));
}

bool PeerCertificate::has_uri(std::string_view uri) const {
  return std::find(uris.begin(), uris.end(), uri) != uris.end();
}

Response make_response(unsigned status, std::string_view content_type, Body body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

Response make_response(unsigned status) {
  Response response;
  response.status = status;
  return response;
}

}  // namespace regroup::http
