// SPDX-License-Identifier: Apache-2.0
#include "app/kms/offline.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "app/kms/directory.hpp"
#include "app/kms/kms_lab.hpp"

namespace regroup::app {
namespace {

using test::id;
using test::kAlphaNow;
using test::kUser;
using testing::HasSubstr;
using testing::Not;

class KmsOffline : public testing::Test {
 protected:
  KmsOffline() {
    lab.protect();
    access.uri = "kms.alpha.example";
    access.url = "file:" + directory();
    access.policy = KmsPolicy::wrap_sign;
    access.transport_keys = std::make_shared<TransportRing>(test::worked_keys());
  }
  [[nodiscard]] std::string directory() const { return lab.directory.path + "/package"; }
  [[nodiscard]] Result<OfflinePackage> package(const std::string& who = kUser) {
    return offline_package(lab.kms, id(who), {1536, 1537, 1538}, kAlphaNow, lab.random);
  }
  void carry() { ASSERT_TRUE(write_offline_package(directory(), package().value()).ok()); }
  [[nodiscard]] Result<Provisioned> read(NtpTime now = kAlphaNow) const {
    const auto answers = read_offline_package(access, kUser, now);
    return answers.ok() ? read_keys(*answers, kUser, "kms.alpha.example", now) : answers.error();
  }

  test::KmsLab lab;
  KmsAccess access;
};

TEST_F(KmsOffline, APackageGivesTheKeysOfItsPeriodsWithoutANetwork) {
  carry();
  for (const std::int64_t period : {1536, 1537, 1538}) {
    const auto keys = read(lab.kms.periods().start_of(period).plus(864000));
    ASSERT_TRUE(keys.ok()) << keys.error().text();
    EXPECT_EQ(keys->key_sets.size(), 3U);
    EXPECT_EQ(keys->domains.all().size(), 2U);
  }
  const auto late = read(lab.kms.periods().start_of(1539));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Errc::expired);
}

TEST_F(KmsOffline, NothingInItIsPlain) {
  const OfflinePackage made = package().value();
  const auto issued = lab.kms.provision(kUser, {1536}, kAlphaNow, lab.random).value();
  const std::string text(text_of(made.keyprov.expose()));
  EXPECT_THAT(text, HasSubstr("EncryptedKey"));
  EXPECT_THAT(text, Not(HasSubstr(hex_upper(issued[0].rsk.expose()).substr(4, 40))));
}

TEST_F(KmsOffline, IsForOneClientAloneAndNotToBeChanged) {
  carry();
  const auto keep = [&](const std::string& name) {
    return std::string(text_of(read_document(directory() + "/" + name).value()));
  };
  const std::string keyprov = keep("keyprov.xml");
  const auto put = [&](const std::string& text) { std::ofstream(directory() + "/keyprov.xml") << text; };
  std::string changed = keyprov;
  changed[changed.find("<KeyPeriodNo>") + 16] ^= 1;
  put(changed);
  EXPECT_EQ(read().error().code, Errc::bad_signature);
  put(keep("init.xml"));
  EXPECT_EQ(read().error().code, Errc::bad_signature) << "an answer to another question";
  put(keyprov);
  EXPECT_TRUE(read().ok());
  EXPECT_EQ(read_offline_package(access, test::kVictim, kAlphaNow).error().code, Errc::bad_signature);
  EXPECT_EQ(read(kAlphaNow.plus(-3600)).error().code, Errc::bad_signature) << "made in the future";
  access.uri = "kms.beta.example";
  EXPECT_EQ(read().error().code, Errc::bad_signature);
}

TEST_F(KmsOffline, OneThatIsNotThereYetIsWaitedFor) {
  const auto none = read();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::transport) << "stored keys go on serving";
  EXPECT_THAT(none.error().text(), HasSubstr("regroup kms issue"));
}

TEST_F(KmsOffline, ClientsWithoutSigningKeysGetNone) {
  EXPECT_EQ(package(test::kVictim).error().code, Errc::not_authorised);
  ASSERT_TRUE(lab.kms.registry().set_standing(kUser, kms::Standing::suspended).value());
  EXPECT_EQ(package().error().code, Errc::revoked);
}

}  // namespace
}  // namespace regroup::app
