// SPDX-License-Identifier: Apache-2.0
// The stored form of a dialog: "regroup-dialog-1", then one "name value" line per field.
#include <algorithm>
#include <charconv>

#include "sip/transport.hpp"

namespace regroup::sip {
namespace {

constexpr std::string_view kVersion = "regroup-dialog-1";
constexpr std::size_t kMostOctets = 16 * 1024;
constexpr std::size_t kMostRoutes = 16;
constexpr std::string_view kSubscribeAgain = "subscribe again: a dialog cannot go on from it";

Result<std::uint32_t> number(std::string_view name, std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value < 0x80000000u) return value;
  return fail(Errc::malformed, "RFC 3261 20.16",
              "stored dialog: " + std::string(name) + " is not a CSeq number", std::string(kSubscribeAgain));
}

Result<void> set_field(Dialog& d, std::string_view name, std::string_view value) {
  if (name == "call-id") d.call_id = value;
  if (name == "local-tag") d.local_tag = value;
  if (name == "remote-tag") d.remote_tag = value;
  if (name == "local-uri") d.local_uri = value;
  if (name == "remote-uri") d.remote_uri = value;
  if (name == "remote-target") d.remote_target = value;
  if (name == "local-contact") d.local_contact = value;
  if (name == "next-hop") d.next_hop = value;
  if (name == "local-cseq") d.local_cseq = TRY(number(name, value));
  if (name == "remote-cseq") d.remote_cseq = TRY(number(name, value));
  if (name == "confirmed") d.confirmed = value == "1";
  if (name == "route") d.route_set.emplace_back(value);
  if (d.route_set.size() > kMostRoutes)
    return fail(Errc::limit, "RFC 3261 12.1", "stored dialog: more than 16 routes",
                std::string(kSubscribeAgain));
  return {};
}

}  // namespace

std::string write_dialog(const Dialog& d) {
  std::string out(kVersion);
  const auto line = [&out](std::string_view name, std::string_view value) {
    RG_ASSERT(is_single_line(value));
    out.append("\n").append(name).append(" ").append(value);
  };
  line("call-id", d.call_id);
  line("local-tag", d.local_tag);
  line("remote-tag", d.remote_tag);
  line("local-uri", d.local_uri);
  line("remote-uri", d.remote_uri);
  line("remote-target", d.remote_target);
  line("local-contact", d.local_contact);
  for (const std::string& route : d.route_set) line("route", route);
  line("next-hop", d.next_hop);
  line("local-cseq", std::to_string(d.local_cseq));
  line("remote-cseq", std::to_string(d.remote_cseq));
  line("confirmed", d.confirmed ? "1" : "0");
  return out + "\n";
}

Result<Dialog> parse_dialog(std::string_view text) {
  if (text.size() > kMostOctets)
    return fail(Errc::limit, "", "stored dialog: more than 16 KiB", std::string(kSubscribeAgain));
  Dialog dialog;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_single_line(line))
      return fail(Errc::malformed, "", "stored dialog: a control character", std::string(kSubscribeAgain));
    if (first && line != kVersion)
      return fail(Errc::unsupported, "", "stored dialog: not " + std::string(kVersion),
                  std::string(kSubscribeAgain));
    const std::size_t space = line.find(' ');
    if (!first && space == line.npos)
      return fail(Errc::malformed, "", "stored dialog: a line without value", std::string(kSubscribeAgain));
    if (!first) TRY(set_field(dialog, line.substr(0, space), line.substr(space + 1)));
    first = false;
  }
  if (dialog.call_id.empty() || dialog.local_tag.empty() || dialog.local_uri.empty() ||
      dialog.remote_uri.empty() || dialog.remote_target.empty() || dialog.local_contact.empty())
    return fail(Errc::malformed, "RFC 3261 12",
                "stored dialog: call-id, local-tag, a URI or a contact is missing",
                std::string(kSubscribeAgain));
  return dialog;
}

}  // namespace regroup::sip
