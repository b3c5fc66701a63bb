// SPDX-License-Identifier: Apache-2.0
// What a domain room wants kept: records named by (kind, id). The rooms decide, the store keeps: all writes
// of one event are committed together before any of its effects leaves the process. Every value is sealed at
// rest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "base/wire.hpp"

namespace regroup {

struct Record {
  std::string kind;  // for example "key"; names stand in docs/formats.md
  std::string id;
  SecretOctets value;
};

struct Write {
  std::string kind;
  std::string id;
  std::optional<SecretOctets> value;  // absent: erase
};
using Writes = std::vector<Write>;

// A value by its wire() description, behind one octet of version.
template <class T>
[[nodiscard]] SecretOctets encode_record(const T& value, std::uint8_t version = 1) {
  Writer out;
  out.reserve_for_secret(16384);
  out.put_uint(1, version);
  T::wire(out, value);
  Octets octets = std::move(out).octets();
  SecretOctets sealed_later{OctetsView(octets)};
  wipe(octets);
  return sealed_later;
}

template <class T>
[[nodiscard]] Result<T> decode_record(OctetsView octets, std::string_view what, std::uint8_t version = 1) {
  Reader in(octets, "docs/formats.md");
  const std::uint64_t found = in.take_uint(1, "version");
  if (!in.failed() && found != version)
    return fail(Errc::unsupported, "docs/formats.md",
                std::string(what) + " record of version " + std::to_string(found),
                "open the store with the release that wrote it");
  T value;
  T::wire(in, value);
  TRY(in.finish());
  return value;
}

}  // namespace regroup
