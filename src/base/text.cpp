// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <algorithm>

namespace regroup {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::string_view kCopyWhole = "give the base64 text as it was written, whole and unchanged";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string to_hex(OctetsView octets, const char* digits) {
  std::string out;
  out.reserve(octets.size() * 2);
  for (const std::uint8_t octet : octets) {
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
  return out;
}

// Decodes into `out`, which has room for text.size()/2; gives the number of octets.
Result<std::size_t> decode_hex(std::string_view text, Spaces spaces, std::span<std::uint8_t> out) {
  std::size_t count = 0;
  int high = -1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (spaces == Spaces::skip && is_space(text[i])) continue;
    const int digit = hex_digit(text[i]);
    if (digit < 0)
      return fail(Errc::malformed, "", "character " + std::to_string(i) + " is not a hex digit",
                  "give hexadecimal digits alone, 0-9 and a-f");
    if (high < 0) {
      high = digit;
      continue;
    }
    out[count++] = static_cast<std::uint8_t>(high << 4 | digit);
    high = -1;
  }
  if (high >= 0)
    return fail(Errc::malformed, "", "odd number of hex digits", "give two digits for each octet");
  return count;
}

std::string to_base64(OctetsView in, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, in.size() - i);
    std::uint32_t v = static_cast<std::uint32_t>(in[i]) << 16;
    if (n > 1) v |= static_cast<std::uint32_t>(in[i + 1]) << 8;
    if (n > 2) v |= in[i + 2];
    out += alphabet[v >> 18 & 63];
    out += alphabet[v >> 12 & 63];
    if (n > 1) out += alphabet[v >> 6 & 63];
    if (n > 2) out += alphabet[v & 63];
    if (pad) out.append(3 - n, '=');
  }
  return out;
}

// `out` has room for text.size()*3/4 + 3.
Result<std::size_t> decode_base64(std::string_view text, std::string_view alphabet, Spaces spaces,
                                  std::span<std::uint8_t> out) {
  std::size_t count = 0, symbols = 0, padding = 0;
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (spaces == Spaces::skip && is_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::size_t at = alphabet.find(c);
    if (at == std::string_view::npos || padding)
      return fail(Errc::malformed, "RFC 4648", "character " + std::to_string(i) + " is not base64",
                  std::string(kCopyWhole));
    v = v << 6 | static_cast<std::uint32_t>(at);
    if (++symbols % 4 == 0) {
      out[count++] = static_cast<std::uint8_t>(v >> 16);
      out[count++] = static_cast<std::uint8_t>(v >> 8);
      out[count++] = static_cast<std::uint8_t>(v);
      v = 0;
    }
  }
  const std::size_t rest = symbols % 4;
  if (rest == 1 || (padding && padding != (4 - rest) % 4))
    return fail(Errc::malformed, "RFC 4648", "base64 text has a wrong length or padding",
                std::string(kCopyWhole));
  const std::uint32_t left_over = rest == 2 ? v & 15 : rest == 3 ? v & 3 : 0;
  if (left_over)
    return fail(Errc::malformed, "RFC 4648", "base64 text has non-zero trailing bits",
                std::string(kCopyWhole));
  if (rest == 2) out[count++] = static_cast<std::uint8_t>(v >> 4);
  if (rest == 3) {
    out[count++] = static_cast<std::uint8_t>(v >> 10);
    out[count++] = static_cast<std::uint8_t>(v >> 2);
  }
  return count;
}

SecretOctets shortened(SecretOctets room, std::size_t count) {
  return SecretOctets(room.expose().first(count));
}

}  // namespace

std::string hex(OctetsView octets) { return to_hex(octets, "0123456789abcdef"); }
std::string hex_upper(OctetsView octets) { return to_hex(octets, "0123456789ABCDEF"); }

Result<Octets> from_hex(std::string_view text, Spaces spaces) {
  Octets out(text.size() / 2 + 1);
  out.resize(TRY(decode_hex(text, spaces, out)));
  return out;
}

Result<SecretOctets> secret_from_hex(std::string_view text, Spaces spaces) {
  SecretOctets room(text.size() / 2 + 1);
  const std::size_t count = TRY(decode_hex(text, spaces, room.expose_mutable()));
  return shortened(std::move(room), count);
}

std::string base64(OctetsView octets) { return to_base64(octets, kBase64, true); }
std::string base64url(OctetsView octets) { return to_base64(octets, kBase64Url, false); }

Result<Octets> from_base64(std::string_view text, Spaces spaces) {
  Octets out(text.size() / 4 * 3 + 3);
  out.resize(TRY(decode_base64(text, kBase64, spaces, out)));
  return out;
}

Result<SecretOctets> secret_from_base64(std::string_view text, Spaces spaces) {
  SecretOctets room(text.size() / 4 * 3 + 3);
  const std::size_t count = TRY(decode_base64(text, kBase64, spaces, room.expose_mutable()));
  return shortened(std::move(room), count);
}

Result<Octets> from_base64url(std::string_view text) {
  Octets out(text.size() / 4 * 3 + 3);
  out.resize(TRY(decode_base64(text, kBase64Url, Spaces::refuse, out)));
  return out;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text.substr(0, most)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > most) out += "...";
  return out;
}

}  // namespace regroup
