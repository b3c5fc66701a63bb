// SPDX-License-Identifier: Apache-2.0
// SAKKE, RFC 6508, over parameter set 1 (RFC 6509 Appendix A): extract, verify, encapsulate, decapsulate.
// Nothing here knows MIKEY or 3GPP; identifiers are octet strings (a 3GPP UID is 32 of them).
// Legend (RFC 6508 2.2):  z  KMS master secret    Z = [z]P  KMS public key    b  identifier
//                         RSK  receiver secret key    SSV  shared secret value    R || H  encapsulated data
#pragma once

#include <memory>
#include <vector>

#include "base/octets.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto::sakke {

inline constexpr std::size_t kPoint = 257;  // 04 || x(128) || y(128)

RG_SECRET(MasterSecret, 128);  // z, big-endian, 2 <= z <= q - 1
RG_SECRET(RskOctets, kPoint);  // an RSK as it travels in a KMS key set

// z by rejection sampling, full length.
[[nodiscard]] MasterSecret make_master_secret(Random& random);
// Left-pads shorter input; refuses z < 2 and z >= q.
[[nodiscard]] Result<MasterSecret> parse_master_secret(OctetsView octets);

// Z of one KMS with the tables that make encapsulation under it fast. Cheap to copy (shared, immutable).
// Parsing checks prefix, length, coordinates < p, on the curve, not the neutral element, [q]Z neutral: each
// its own error.
class KmsPublicKey {
 public:
  [[nodiscard]] static Result<KmsPublicKey> parse(OctetsView octets);
  [[nodiscard]] static KmsPublicKey derive(const MasterSecret& z);
  [[nodiscard]] const Fixed<kPoint>& octets() const;

  struct Tables;
  [[nodiscard]] const Tables& tables() const { return *tables_; }

 private:
  explicit KmsPublicKey(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}
  std::shared_ptr<const Tables> tables_;
};

// A receiver secret key whose point has been checked (on the curve, order q) but not yet tied to an
// identifier (that is verify()). Move-only; wiped.
class Rsk {
 public:
  [[nodiscard]] static Result<Rsk> parse(OctetsView octets);
  Rsk(Rsk&&) noexcept;
  Rsk& operator=(Rsk&&) noexcept;
  ~Rsk();
  [[nodiscard]] RskOctets octets() const;
  [[nodiscard]] Rsk duplicate() const;

  struct Point;
  [[nodiscard]] const Point& point() const { return *point_; }
  explicit Rsk(std::unique_ptr<Point> point);

 private:
  std::unique_ptr<Point> point_;
};

// RFC 6508 6.1.1: RSK = [(b + z)^-1]P. Errc::conflict when b + z = 0 mod q (raise an alarm: z has been hit).
[[nodiscard]] Result<Rsk> extract(const MasterSecret& z, OctetsView identifier);

// The same for many identifiers. With the kernel `ifma` chunks of 256 go through all steps together, at a
// tenth of the price; every point is checked to lie on the curve. Errc::conflict as above; Errc::internal for
// a point off the curve (the machine is broken).
[[nodiscard]] Result<std::vector<RskOctets>> extract_all(const MasterSecret& z,
                                                         std::span<const OctetsView> identifiers);

// RFC 6508 6.1.2: <[b]P + Z, RSK> = g. Mandatory on import.
[[nodiscard]] Result<void> verify(const KmsPublicKey& kms, OctetsView identifier, const Rsk& rsk);

struct Recipient {
  OctetsView identifier;
  const KmsPublicKey* kms;
};

// RFC 6508 6.2.1 for each recipient, in order: R(257) || H(|SSV|). The SSV is 16 octets (n = 128); 32 octets
// exist for cross-checks only (n = 256 with the same curve). Constant time in the SSV.
[[nodiscard]] Result<std::vector<Octets>> encapsulate(OctetsView ssv, std::span<const Recipient> recipients);

// RFC 6508 6.2.2 with the mandatory re-encryption check; every failure is the same Errc::undecryptable.
// `ssv_size` is 16 (or 32, receive-only switch accept_ssv32).
[[nodiscard]] Result<SecretOctets> decapsulate(const KmsPublicKey& kms, OctetsView identifier, const Rsk& rsk,
                                               OctetsView encapsulated, std::size_t ssv_size = 16);

// Many messages of one receiver or of several. With the kernel `ifma` those of one KMS go through all steps
// together, in chunks of 256, whatever their keys; the answers are those of decapsulate() one by one.
struct Sealed {
  const KmsPublicKey* kms;
  OctetsView identifier;
  const Rsk* rsk;
  OctetsView encapsulated;
};
[[nodiscard]] std::vector<Result<SecretOctets>> decapsulate_all(std::span<const Sealed> messages);

// The size of the tables that encapsulation under one KMS reads with the active kernel: those of P and g,
// which all share, and that of Z.
[[nodiscard]] std::size_t table_octets() noexcept;

// How many receiver keys of this process may keep precomputed lines, which make opening three times as fast
// for 343 KiB each, and 429 KiB more for those that decapsulate_all() has used; further keys work without.
// Applies to keys that have not opened anything yet. 64 at start.
void set_line_budget(int keys) noexcept;

// The relations of parameter set 1 and the decapsulation of RFC 6508 Appendix A; Errc::internal when one
// fails. Call it at process start, before any key is used, and end the process on failure. About 0.1 s.
[[nodiscard]] Result<void> self_test();

}  // namespace regroup::crypto::sakke
