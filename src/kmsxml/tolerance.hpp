// SPDX-License-Identifier: Apache-2.0
// What other vendors' KMSs do otherwise (docs/wire.md, Traps): each deviation that a client can live with has
// a switch, off by default, and every use of it is counted, so that an operator sees what his KMS still owes.
// Deviations without a switch are refused, and the error names the trap.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace regroup::kmsxml {

inline constexpr std::string_view kNamespace = "urn:3gpp:ns:mcsecKMSInterface:1.0";

// In the order of the traps. The first two are of a whole domain: they change what its keys are made for.
enum class Tolerance : std::uint8_t {
  uid_as_hex_text,  // T-1: ECCSI and SAKKE take the hex text of the UID, 64 characters
  epoch_1970,       // T-2: key periods are counted from 1970
  hex_uid,          // T-4: UserID in hex
  other_uid,        // T-4: UserID is no UID but, say, the URI; it is recomputed anyway
  ssk_length,       // T-5: an SSK with zeros in front, or without those it has
  no_xsi_type,      // T-6: key elements without xsi:type
  element_order,    // T-7: another order than the Rel-14 schema's, as in Rel-13
  namespace_of,     // T-8: a namespace of the list, written namespace:URI
  hex_cipher,       // T-10: CipherValue in hex
  c14n_form,        // T-11: SignedInfo in C14N with comments, or exclusive
  outer_id,         // T-11: the Reference names the outer element
  zoneless_time,    // T-16: a dateTime without a zone; read as UTC
  base64_key,       // T-21: points and plain keys in base64
  spaced_key,       // T-21: white space inside hex or base64
  req_url_path,     // T-22: a signed answer repeats only the path of ClientReqUrl
};
inline constexpr std::size_t kTolerances = 15;

[[nodiscard]] std::string_view name_of(Tolerance tolerance);
[[nodiscard]] int trap_of(Tolerance tolerance);  // the n of T-n

// What was needed, how often.
class Tally {
 public:
  void note(Tolerance tolerance) { ++counts_[static_cast<std::size_t>(tolerance)]; }
  void add(const Tally& other);
  [[nodiscard]] unsigned count(Tolerance tolerance) const {
    return counts_[static_cast<std::size_t>(tolerance)];
  }
  [[nodiscard]] bool empty() const { return *this == Tally(); }
  // "hex-uid 2, epoch-1970 2"; empty without any.
  [[nodiscard]] std::string text() const;
  bool operator==(const Tally&) const = default;

 private:
  std::array<unsigned, kTolerances> counts_{};
};

// What a reader accepts beyond what we send.
struct Profile {
  std::vector<std::string> namespaces = {std::string(kNamespace)};
  std::set<Tolerance> allowed = {};
  Tally* tally = nullptr;  // where uses are counted, if anybody counts

  [[nodiscard]] bool allows(Tolerance tolerance) const { return allowed.count(tolerance) != 0; }
  // Allowed, and counted.
  [[nodiscard]] bool takes(Tolerance tolerance) const {
    if (allows(tolerance) && tally) tally->note(tolerance);
    return allows(tolerance);
  }
  [[nodiscard]] Profile counting_in(Tally& into) const {
    Profile out = *this;
    out.tally = &into;
    return out;
  }
  // One entry of a `tolerate` list: a name, or namespace:URI. Errc::usage lists the names.
  [[nodiscard]] Result<void> allow(std::string_view entry);
  // The entries again, "hex-uid, namespace:TOBEDEFINED".
  [[nodiscard]] std::string text() const;
  // Every form of writing, and the placeholder namespace of Rel-13, but no other meaning of keys (T-1, T-2):
  // for requests to our own KMS and for files that an operator hands over.
  [[nodiscard]] static Profile all_forms();
};

// "write tolerate = ["hex-uid"] ..., or have the KMS corrected (trap T-4)": the cure of whoever refuses.
[[nodiscard]] std::string cure_by(Tolerance tolerance, std::string_view entry = {});

}  // namespace regroup::kmsxml
