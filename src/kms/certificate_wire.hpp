// SPDX-License-Identifier: Apache-2.0
// A KMS certificate inside the records of a KMS (docs/formats.md, KMS store).
#pragma once

#include "base/wire.hpp"
#include "kms/registry.hpp"

namespace regroup::kms {

template <class Io, class Self>
void time_wire(Io& io, std::string_view field, Self& time) {
  std::uint64_t present = time ? 1 : 0, seconds = time ? static_cast<std::uint64_t>(time->seconds) : 0;
  io.uint(1, field, present);
  io.uint(8, field, seconds);
  if constexpr (Io::reads)
    if (present) time = NtpTime{static_cast<std::int64_t>(seconds), 0};
}

template <class Io, class Self>
void certificate_wire(Io& io, Self& self) {
  io.counted(2, "KmsUri", self.kms_uri);
  io.counted(2, "CertUri", self.cert_uri);
  io.counted(2, "Issuer", self.issuer);
  io.uint(8, "UserKeyPeriod", self.period);
  io.uint(8, "UserKeyOffset", self.offset);
  io.counted(2, "PubEncKey", self.z);
  io.counted(2, "PubAuthKey", self.kpak);
  io.list(2, "KmsDomainList", self.domains,
          [](auto& inner, auto& domain) { inner.counted(2, "KmsDomain", domain); });
  time_wire(io, "ValidFrom", self.valid_from);
  time_wire(io, "ValidTo", self.valid_to);
  io.uint(1, "Revoked", self.revoked);
}

}  // namespace regroup::kms
