// SPDX-License-Identifier: Apache-2.0
#include "app/cli/message_input.hpp"

#include <algorithm>
#include <fstream>
#include <istream>

#include "base/text.hpp"

namespace regroup::app::cli {

namespace {

constexpr std::string_view kSdp = "RFC 4567 3.1";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text = trimmed(text.substr(prefix.size()));
  return true;
}

// "RECEIVER GUK-ID " before "mikey BASE64", as `regroup seal` prints it.
bool take_receiver(std::string_view& text) {
  const std::size_t receiver = text.find(' '), id = text.find(" mikey ");
  if (receiver == std::string_view::npos || id != receiver + 9) return false;
  const std::string_view guk_id = text.substr(receiver + 1, 8);
  if (!std::all_of(guk_id.begin(), guk_id.end(), is_hex)) return false;
  text.remove_prefix(id + 1);
  return true;
}

// A message begins with version 1, a control character that no text form has.
bool is_text(std::string_view input) {
  return std::all_of(input.begin(), input.end(),
                     [](char c) { return is_space(c) || (c > ' ' && c < '\x7f'); });
}

Result<MessageInput> decoded(InputForm form, Result<Octets> octets) {
  if (octets) return MessageInput{form, std::move(octets).value()};
  const bool sdp = form == InputForm::sdp || form == InputForm::seal_line;
  return fail(Errc::malformed, sdp ? kSdp : std::string_view{},
              "the input looks like " + std::string(name_of(form)) + " and is not: " + octets.error().detail,
              "give the message as octets, hexadecimal, base64 or 'mikey BASE64'");
}

}  // namespace

std::string_view name_of(InputForm form) noexcept {
  switch (form) {
    case InputForm::binary:
      return "binary";
    case InputForm::hexadecimal:
      return "hexadecimal";
    case InputForm::base64:
      return "base64";
    case InputForm::sdp:
      return "SDP key-mgmt";
    case InputForm::seal_line:
      return "seal line";
  }
  return "unknown";
}

Result<MessageInput> detect_message(OctetsView input) {
  if (input.size() > kLargestInput)
    return fail(Errc::limit, "", "the input has more than 1 MiB",
                "give one MIKEY message: it has at most 16384 octets");
  if (input.empty()) return fail(Errc::malformed, "", "the input is empty", "give one MIKEY message");
  if (!is_text(text_of(input))) return MessageInput{InputForm::binary, to_octets(input)};

  std::string_view text = trimmed(text_of(input));
  const bool sealed = take_receiver(text);
  const bool attribute = take_prefix(text, "a=key-mgmt:") || take_prefix(text, "key-mgmt:");
  const bool mikey = take_prefix(text, "mikey ");
  if (attribute && !mikey)
    return fail(Errc::unsupported, kSdp, "the key-mgmt attribute is not for mikey",
                "give an a=key-mgmt:mikey line");
  if (mikey && text.find("mikey ") != std::string_view::npos)
    return fail(Errc::malformed, kSdp, "the input holds several messages",
                "pick one line, for example with grep RECEIVER");
  if (mikey) return decoded(sealed ? InputForm::seal_line : InputForm::sdp, from_base64(text, Spaces::skip));
  if (text.empty()) return fail(Errc::malformed, "", "the input is white space", "give one MIKEY message");
  for (const auto& [sign, name] : {std::pair("<", "XML"), {"-----BEGIN", "PEM"}, {"{", "JSON"}})
    if (text.starts_with(sign))
      return fail(Errc::malformed, "", "the input is " + std::string(name) + ", not a key message",
                  "give the message as octets, hexadecimal, base64 or 'mikey BASE64'");
  // Base64 of a message begins with "AR", so text of hexadecimal digits alone is hexadecimal.
  if (std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c) || is_space(c); }))
    return decoded(InputForm::hexadecimal, from_hex(text, Spaces::skip));
  return decoded(InputForm::base64, from_base64(text, Spaces::skip));
}

Result<Octets> read_input(const std::string& file, std::istream& in) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& from = file == "-" ? in : opened;
  Octets out(kLargestInput + 1);
  from.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (from.bad() || !(from.eof() || from.good()))
    return fail(Errc::storage, "", "cannot read " + printable(file),
                "name a file that exists and may be read, or -");
  out.resize(static_cast<std::size_t>(from.gcount()));
  return out;
}

}  // namespace regroup::app::cli
