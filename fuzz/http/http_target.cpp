// SPDX-License-Identifier: Apache-2.0
// One text read as URL, request target, query and HOST:PORT: what is accepted is written and reads the same,
// and decoding makes no segment that was not there.
#include "http/target.hpp"

#include "refusal.hpp"

using namespace regroup;
using namespace regroup::http;

namespace {

void check_url(std::string_view text) {
  const auto url = parse_url(text);
  if (!url.ok()) return expect_refusal(url.error());
  FUZZ_EXPECT(url->port != 0 && !url->host.empty() && url->target.path.starts_with('/'));
  const auto again = parse_url("https://" + url->authority() + url->origin_form());
  FUZZ_EXPECT(again.ok() && again->host == url->host && again->port == url->port);
  FUZZ_EXPECT(again->target.path == url->target.path && again->target.query == url->target.query);
}

void check_segments(const std::string& path) {
  const std::vector<std::string> raw = split_path(path);
  std::string joined;
  for (const std::string& one : raw) joined += "/" + one;
  FUZZ_EXPECT(joined == path);
  const auto decoded = decoded_segments(path);
  if (!decoded.ok()) return expect_refusal(decoded.error());
  FUZZ_EXPECT(decoded->size() == raw.size());
  std::string encoded;
  for (const std::string& one : *decoded) encoded += "/" + percent_encode(one);
  const auto again = decoded_segments(encoded);
  FUZZ_EXPECT(again.ok() && *again == *decoded);
}

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target.ok()) return expect_refusal(target.error());
  FUZZ_EXPECT(text == target->path || text == target->path + "?" + target->query);
  check_segments(target->path);
  for (const std::string_view name : {"a", "xmlns", ""})
    if (const auto value = query_value(target->query, name))
      FUZZ_EXPECT(value->size() <= target->query.size());
}

void check_escapes(std::string_view text) {
  const std::string encoded = percent_encode(text);
  FUZZ_EXPECT(encoded.size() <= 3 * text.size() && is_one_line(encoded));
  const auto back = percent_decode(encoded);
  const bool has_nul = text.find('\0') != std::string_view::npos;
  FUZZ_EXPECT(back.ok() ? *back == text : has_nul);
  if (const auto decoded = percent_decode(text)) {
    FUZZ_EXPECT(decoded->size() <= text.size());
    FUZZ_EXPECT(text.find('%') != std::string_view::npos || *decoded == text);
  }
}

void check_host_port(std::string_view text) {
  const auto place = parse_host_port(text);
  if (!place.ok()) return expect_refusal(place.error());
  const bool six = place->host.find(':') != std::string::npos;
  const auto again =
      parse_host_port((six ? "[" + place->host + "]" : place->host) + ":" + std::to_string(place->port));
  FUZZ_EXPECT(again.ok() && again->host == place->host && again->port == place->port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(OctetsView(data, size));
  check_url(text);
  check_target(text);
  check_escapes(text);
  check_host_port(text);
  return 0;
}
