// SPDX-License-Identifier: Apache-2.0
// One client without sockets in the world of gktp/world.hpp: a disk in memory that restart() comes back from,
// a clock set by hand, and keys to send it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gktp/world.hpp"
#include "ue/ue.hpp"

namespace regroup::test {

inline const std::string kKeyOne = "00112233445566778899aabbccddeeff",
                         kKeyTwo = "ffeeddccbbaa99887766554433221100";

inline gktp::KeyMaterial key_with_id(std::uint32_t key_id, const std::string& key = kKeyOne) {
  gktp::KeyMaterial out = material(key);
  out.id = mcx::GmkId{key_id};
  return out;
}
inline gktp::KeyMaterial mkfc_with_id(std::uint32_t key_id, const std::string& key = kKeyTwo) {
  gktp::KeyMaterial out = key_with_id(key_id, key);
  out.parameters.key_type = mcx::Purpose::mkfc;
  out.parameters.text = "TG-7";
  return out;
}

// A payload for kUser, sealed by the GMS of alpha unless told otherwise.
inline Octets sealed(const gktp::KeyMaterial& key, NtpTime at = kMarch, const mcx::KeySet* by = nullptr) {
  crypto::SystemRandom random;
  const gktp::Sender sender{world().alpha.certificate, by ? *by : world().gms};
  const std::vector<gktp::Receiver> to{{id(kUser), &world().alpha.certificate}};
  return gktp::seal(key, sender, to, at, random).value().front().message;
}

class UeLab : public testing::Test {
 protected:
  UeLab() { restart(); }

  // Everything in memory is gone; what was committed comes back.
  void restart() {
    ue = std::make_unique<ue::Ue>(ue::Surroundings{settings, world().domains, *key_sets, clock});
    for (const auto& [at, value] : disk)
      ASSERT_TRUE(ue->restore(Record{at.first, at.second, SecretOctets(value)}).ok()) << at.first;
  }
  ue::Received take(ue::Received received) {
    commit(received.writes);
    return received;
  }
  ue::Received document(const std::vector<ue::Payload>& payloads, ue::Ue::Part part = ue::Ue::Part::whole,
                        const std::string& group = std::string(kGroup)) {
    return take(ue->document(group, payloads, part));
  }
  ue::Received document(const std::vector<Octets>& messages) {
    std::vector<ue::Payload> payloads;
    for (const Octets& message : messages) payloads.push_back({message, "", false});
    return document(payloads);
  }
  void commit(const Writes& writes) {
    for (const Write& write : writes) {
      disk.erase({write.kind, write.id});
      if (write.value) disk[{write.kind, write.id}] = to_octets(write.value->expose());
    }
  }
  void deliver_receipts() {
    for (const ue::Receipt& one : ue->receipts()) commit(ue->delivered(one));
  }

  // "installed 0abcdef1 media" for each event.
  static std::vector<std::string> told(const ue::Received& received) {
    std::vector<std::string> out;
    for (const ue::KeyEvent& event : received.events)
      out.push_back(event.event + (event.gmk_id.empty() ? "" : " " + event.gmk_id + " " + event.use) +
                    (event.reason.empty() ? "" : " " + event.reason));
    return out;
  }
  // "installed 0abcdef1" for each pending receipt, in order.
  [[nodiscard]] std::vector<std::string> receipts() const {
    std::vector<std::string> out;
    for (const ue::Receipt& one : ue->receipts())
      out.push_back(one.result + (one.gmk_id ? " " + one.gmk_id->text() : ""));
    std::sort(out.begin(), out.end());
    return out;
  }
  [[nodiscard]] ue::KeyState state_of(std::uint32_t key_id) const {
    const ue::RingKey* key = ue->ring().find(mcx::GmkId{key_id});
    EXPECT_TRUE(key) << key_id;
    return key ? key->state : ue::KeyState::revoked;
  }
  [[nodiscard]] bool holds(std::uint32_t key_id, const std::string& key) const {
    const ue::RingKey* held = ue->ring().find(mcx::GmkId{key_id});
    return held && held->state == ue::KeyState::active &&
           ct_equal(held->material.key.expose(), material(key).key.expose());
  }

  FixedClock clock{kMarch};
  ue::Settings settings{id(kUser), world().alpha.certificate.kms_uri, {id(kAlphaGms)}, {}};
  const std::vector<mcx::KeySet>* key_sets = &world().user_keys;
  std::map<std::pair<std::string, std::string>, Octets> disk;
  std::unique_ptr<ue::Ue> ue;
};

}  // namespace regroup::test
