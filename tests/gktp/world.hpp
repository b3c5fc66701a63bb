// SPDX-License-Identifier: Apache-2.0
// Two security domains with a GMS and users each, and a forge: messages with one thing wrong whose signature
// is right, so that a refusal has the reason under test and no other.
#pragma once

#include <functional>

#include "crypto/aead.hpp"
#include "gktp/open.hpp"
#include "gktp/seal.hpp"
#include "mcx/lab_domain.hpp"
#include "mcx/srtp_keys.hpp"

namespace regroup::test {

inline constexpr std::string_view kAlphaGms = "sip:gms.group@alpha.example";
inline constexpr std::string_view kBetaGms = "sip:gms.group@beta.example";
inline constexpr std::string_view kUser = "sip:user.001@alpha.example";
inline constexpr std::string_view kGroup = "sip:tgroup.7@alpha.example";

inline gktp::KeyMaterial material(std::string_view key = "00112233445566778899aabbccddeeff") {
  gktp::KeyMaterial out;
  out.key = mcx::Gmk::parse(unhex(std::string(key))).value();
  out.id = mcx::GmkId{0x0abcdef1};
  out.rand = unhex(std::string("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
  out.parameters.activation = kMarch.unix_seconds();
  out.parameters.text = "TG-7 [use=media]";
  out.parameters.groups = {std::string(kGroup)};
  return out;
}

// The two domains at one instant, everybody holding the key sets of that period.
struct World {
  NtpTime now;
  LabKms alpha, beta = test::beta();
  mcx::Domains domains;
  mcx::KeySet gms, partner;
  std::vector<mcx::KeySet> user_keys, partner_keys;

  explicit World(NtpTime at = kMarch, LabKms own = test::alpha())
      : now(at), alpha(std::move(own)), gms(alpha.issue(kAlphaGms, at)), partner(beta.issue(kBetaGms, at)) {
    user_keys.push_back(alpha.issue(kUser, at));
    partner_keys.push_back(beta.issue(kBetaGms, at));
    if (!domains.add(alpha.certificate).ok() || !domains.add(beta.certificate).ok()) std::abort();
  }

  [[nodiscard]] gktp::Sender sender() const { return {alpha.certificate, gms}; }
  [[nodiscard]] gktp::Reception reception(const std::vector<mcx::KeySet>& keys) const {
    gktp::Reception out{keys.front().identity(), keys.front().kms_uri(), domains, keys};
    out.authorised_initiators = {id(kAlphaGms)};
    out.group = std::string(kGroup);
    out.now = now;
    return out;
  }
  [[nodiscard]] gktp::Reception user() const { return reception(user_keys); }

  // A good message to the user.
  [[nodiscard]] Octets message(const gktp::KeyMaterial& key, const gktp::SealOptions& options = {}) const {
    crypto::SystemRandom random;
    const std::vector<gktp::Receiver> to{{id(kUser), &alpha.certificate}};
    return gktp::seal(key, sender(), to, now, random, options).value().front().message;
  }
  [[nodiscard]] Octets message() const { return message(material()); }

  [[nodiscard]] Octets signed_by(const mcx::KeySet& signer, const mikey::Unsigned& content) const {
    crypto::SystemRandom random;
    Octets out = mikey::write_to_sign(content);
    append(out, crypto::eccsi::sign(signer.signing(), out, random));
    return out;
  }
  // A good message with a change that the GMS itself signs.
  [[nodiscard]] Octets forged(const Octets& good, const std::function<void(mikey::Unsigned&)>& change) const {
    mikey::Unsigned content = mikey::parse(good).value();
    change(content);
    return signed_by(gms, content);
  }
  [[nodiscard]] Octets forged(const std::function<void(mikey::Unsigned&)>& change) const {
    return forged(message(), change);
  }
};

// A protected payload in the frame of another, with any plaintext.
inline Octets protect(OctetsView key, mikey::ProtectedPayload frame, OctetsView plaintext) {
  const mcx::Dpck dpck = mcx::dpck(key, frame.dppk_id);
  const Octets sealed = crypto::gcm_seal(dpck.expose(), frame.iv, frame.associated_data(), plaintext);
  std::copy_n(sealed.end() - 16, 16, frame.tag.begin());
  frame.ciphertext = to_octets(OctetsView(sealed).first(plaintext.size()));
  return mikey::write(frame);
}

// One world for tests that do not change it.
inline const World& world() {
  static const World one;
  return one;
}

inline Result<gktp::Opened> open_message(OctetsView octets, const gktp::Reception& with) {
  const gktp::Verified verified = TRY(gktp::verify(octets, with));
  return gktp::open(verified, with);
}

}  // namespace regroup::test
