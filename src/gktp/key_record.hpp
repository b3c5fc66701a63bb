// SPDX-License-Identifier: Apache-2.0
// How key material is kept: the wire() descriptions that the GMS's and the UE's records share
// (docs/formats.md).
#pragma once

#include "base/record.hpp"
#include "gktp/key_material.hpp"

namespace regroup::gktp {

template <class Io, class Tag>
void wire_uri(Io& io, std::string_view field, mcx::Uri<Tag>& uri) {
  std::string text;
  io.counted(2, field, text);
  if (io.failed() || text.empty()) return;
  Result<mcx::Uri<Tag>> parsed = mcx::Uri<Tag>::parse(text);
  if (!parsed.ok()) return io.reject(Errc::malformed, std::string(field) + ": " + parsed.error().detail);
  uri = std::move(parsed).value();
}
template <class Io, class Tag>
void wire_uri(Io& io, std::string_view field, const mcx::Uri<Tag>& uri) {
  io.counted(2, field, uri.text());
}

// Seconds of either scale. What a record may hold is bounded on reading (to the year 36000), so that no
// arithmetic of ours on them can overflow.
inline constexpr std::int64_t kLatestSecond = std::int64_t{1} << 40;
template <class Io, class Seconds>
void wire_seconds(Io& io, std::string_view field, Seconds& seconds) {
  io.uint(8, field, seconds);
  if constexpr (Io::reads)
    if (seconds < 0 || seconds > kLatestSecond)
      io.reject(Errc::malformed, std::string(field) + " is not a time");
}
template <class Io, class Time>
void wire_time(Io& io, std::string_view field, Time& time) {
  wire_seconds(io, field, time.seconds);
  io.uint(4, field, time.fraction);
}

template <class Io, class Self>
void wire_parameters(Io& io, Self& self) {
  io.uint(1, "key type", self.key_type);
  io.uint(1, "revoked", self.revoked);
  io.uint(1, "security gateway", self.security_gateway);
  wire_seconds(io, "activation", self.activation);
  wire_seconds(io, "expiry", self.expiry);
  io.counted(2, "text", self.text);
  io.list(2, "groups", self.groups, [](auto& inner, auto& group) { inner.counted(2, "group", group); });
}

template <class Io, class Self>
void wire_policy(Io& io, Self& self) {
  io.uint(1, "form", self.form);
  io.list(1, "cs ids", self.cs_ids, [](auto& inner, auto& cs_id) { inner.uint(1, "cs id", cs_id); });
  io.counted(2, "sp parameters", self.sp_parameters);
}

inline void wire_key(Reader& io, mcx::Gmk& key) {
  SecretOctets octets;
  io.secret(1, "key", octets);
  if (io.failed()) return;
  Result<mcx::Gmk> parsed = mcx::Gmk::parse(octets.expose());
  if (!parsed.ok()) return io.reject(Errc::malformed, parsed.error().detail);
  key = std::move(parsed).value();
}
inline void wire_key(Writer& io, const mcx::Gmk& key) { io.secret(1, "key", SecretOctets(key.expose())); }

template <class Io, class Self>
void wire_material(Io& io, Self& self) {
  wire_key(io, self.key);
  io.uint(4, "key id", self.id.value);
  io.counted(1, "rand", self.rand);
  wire_parameters(io, self.parameters);
  wire_policy(io, self.policy);
}

}  // namespace regroup::gktp
