// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64 (RFC 4648). The secret variants wipe what they leave behind.
#pragma once

#include "base/octets.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup {

[[nodiscard]] std::string hex(OctetsView octets);        // lower case
[[nodiscard]] std::string hex_upper(OctetsView octets);  // as hexBinary is emitted (XML Schema)
template <std::size_t N>
[[nodiscard]] std::string hex(const Fixed<N>& octets) {
  return hex(OctetsView(octets));
}

// Either case, no separators; white space only where `spaces` says so (XML collapses it, field data has it).
enum class Spaces { refuse, skip };
[[nodiscard]] Result<Octets> from_hex(std::string_view text, Spaces spaces = Spaces::refuse);
[[nodiscard]] Result<SecretOctets> secret_from_hex(std::string_view text, Spaces spaces = Spaces::refuse);
template <std::size_t N>
[[nodiscard]] Result<Fixed<N>> fixed_from_hex(std::string_view text) {
  const Octets octets = TRY(from_hex(text));
  if (octets.size() != N)
    return fail(Errc::malformed, "",
                "expected " + std::to_string(N) + " octets of hex, found " + std::to_string(octets.size()),
                "give " + std::to_string(2 * N) + " hex digits");
  Fixed<N> out;
  std::copy(octets.begin(), octets.end(), out.begin());
  return out;
}

[[nodiscard]] std::string base64(OctetsView octets);  // standard alphabet, padded
// Standard alphabet, padding optional but never wrong; white space as above.
[[nodiscard]] Result<Octets> from_base64(std::string_view text, Spaces spaces = Spaces::refuse);
[[nodiscard]] Result<SecretOctets> secret_from_base64(std::string_view text, Spaces spaces = Spaces::refuse);
[[nodiscard]] std::string base64url(OctetsView octets);  // RFC 4648 section 5, no padding (RFC 7515)
[[nodiscard]] Result<Octets> from_base64url(std::string_view text);

// A field of foreign text for a log or an error: printable ASCII, at most `most` characters.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 120);

}  // namespace regroup
