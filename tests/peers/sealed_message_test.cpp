// SPDX-License-Identifier: Apache-2.0
// Group Key Transport payloads as `regroup seal` and a GMS write them, read with wolfSSL: it verifies the
// signature of the whole message and decapsulates the GMK.
#include <gtest/gtest.h>

#include "gktp/world.hpp"
#include "mikey/message.hpp"
#include "oracle.hpp"

namespace regroup::test {
namespace {

class SealedMessage : public testing::Test {
 protected:
  [[nodiscard]] std::string verify(const mcx::Uid& signer, const mikey::Message& message) {
    return wolfssl_.ask("VER " + hex(world_.alpha.certificate.kpak.octets()) + " " + hex(signer) + " " +
                        hex(message.signed_octets()) + " " + hex(message.signature()));
  }
  [[nodiscard]] std::string decapsulate(const mcx::KeySet& keys, const mikey::Message& message) {
    return wolfssl_.ask("DEC " + hex(world_.alpha.certificate.z.octets()) + " " + hex(keys.uid()) + " " +
                        hex(keys.rsk().octets().expose()) + " " + hex(message.sakke.encapsulated()));
  }

  World world_;
  Oracle wolfssl_{REGROUP_WOLFSSL};
};

TEST_F(SealedMessage, IsVerifiedAndOpenedByWolfssl) {
  const auto message = mikey::parse(world_.message(material())).value();
  EXPECT_EQ(verify(world_.gms.uid(), message), "OK 1");
  EXPECT_EQ(decapsulate(world_.user_keys.front(), message), "OK 00112233445566778899aabbccddeeff");
}

TEST_F(SealedMessage, WithOneOctetChangedIsNot) {
  Octets octets = world_.message(material());
  octets[30] ^= 1;  // in T
  const auto message = mikey::parse(octets).value();
  EXPECT_NE(verify(world_.gms.uid(), message), "OK 1");
  EXPECT_NE(verify(world_.user_keys.front().uid(), mikey::parse(world_.message(material())).value()), "OK 1");
}

}  // namespace
}  // namespace regroup::test
