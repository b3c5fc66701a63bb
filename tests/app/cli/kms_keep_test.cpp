// SPDX-License-Identifier: Apache-2.0
// regroup kms external list | revoke, backup, restore.
#include "app/cli/kms_keep.hpp"

#include "app/kms/directory.hpp"
#include "app/kms/verbs.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class KmsKeep : public KmsVerbs {
 protected:
  KmsKeep() {
    EXPECT_EQ(init("kms", "kms.mcx.example"), 0) << err.str();
    EXPECT_EQ(init("partner", "kms.partner.example"), 0);
    EXPECT_EQ(certificate("partner"), 0);
    write("partner.xml", out.str(), 0644);
  }
  nlohmann::json external(int (*run)(const KmsExternalOptions&, std::ostream&, std::ostream&), int code,
                          const std::string& kms_uri = {}) {
    KmsExternalOptions options;
    options.directory = path("kms");
    options.kms_uri = kms_uri;
    options.json = true;
    EXPECT_EQ(run(options, fresh(out), fresh(err)), code) << err.str();
    return nlohmann::json::parse(out.str(), nullptr, false);
  }
  nlohmann::json keep(int (*run)(const KmsBackupOptions&, std::ostream&, std::ostream&), int code,
                      const std::string& directory, const std::string& file,
                      const std::string& pass = "pass") {
    KmsBackupOptions options;
    options.directory = path(directory);
    options.file = path(file);
    options.passphrase_file = path(pass);
    options.json = true;
    EXPECT_EQ(run(options, fresh(out), fresh(err)), code) << err.str();
    return nlohmann::json::parse(out.str(), nullptr, false);
  }
  [[nodiscard]] kms::Kms opened(const std::string& directory) const {
    return std::move(open_kms(path(directory), {path("pass")}).value().kms);
  }
};

TEST_F(KmsKeep, ListsAndRevokesExternalCertificates) {
  EXPECT_TRUE(external(run_kms_external_list, 0)["external"].empty());
  ASSERT_EQ(import("partner.xml"), 0) << err.str();
  const auto held = external(run_kms_external_list, 0);
  EXPECT_EQ(held["external"][0]["kms_uri"], "kms.partner.example");
  EXPECT_EQ(held["external"][0]["standing"], "valid");
  EXPECT_EQ(external(run_kms_external_revoke, 3, "kms.nobody.example")["error"]["code"], "unknown_kms");
  const auto revoked = external(run_kms_external_revoke, 0, "kms.partner.example");
  EXPECT_EQ(revoked["changed"], true);
  EXPECT_GT(revoked["cache_num"], held["cache_num"]);
  EXPECT_EQ(external(run_kms_external_list, 0)["external"][0]["standing"], "revoked");
  EXPECT_EQ(external(run_kms_external_revoke, 0, "kms.partner.example")["changed"], false);
  EXPECT_EQ(import("partner.xml"), 3) << "the same one does not come back";
  EXPECT_THAT(content_of(path("kms/audit.log")), HasSubstr("\"event\":\"external-revoke\""));
}

TEST_F(KmsKeep, ARestoredBackupGivesTheSameKeys) {
  ASSERT_EQ(add(kBob), 0);
  ASSERT_EQ(add_protected("sip:ann@mcx.example", "ann-trk.json"), 0);
  ASSERT_EQ(import("partner.xml"), 0);
  const auto made = keep(run_kms_backup, 0, "kms", "kms.backup");
  struct stat about {};
  ASSERT_EQ(::stat(path("kms.backup").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  const std::string before = content_of(path("kms.backup"));
  const auto restored = keep(run_kms_restore, 0, "again", "kms.backup");
  EXPECT_EQ(restored["sha256"], made["sha256"]);
  EXPECT_EQ(restored["identities"], 2);
  EXPECT_EQ(content_of(path("kms.backup")), before) << "the backup is left as it is";

  const kms::Kms old = opened("kms"), now = opened("again");
  crypto::SystemRandom random;
  const NtpTime time = SystemClock().now();
  const auto keys = [&](const kms::Kms& kms) {
    return kms.provision(kBob, kms.usual_periods(time), time, random).value();
  };
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(ct_equal(keys(old)[i].rsk.expose(), keys(now)[i].rsk.expose()));
  EXPECT_TRUE(ct_equal(now.transport_keys().find("sip:ann@mcx.example")->present().trk.expose(),
                       old.transport_keys().find("sip:ann@mcx.example")->present().trk.expose()));
  EXPECT_EQ(content_of(path("again/certificate.xml")), content_of(path("kms/certificate.xml")));
  EXPECT_GT(now.registry().cache_num(), old.registry().cache_num()) << "never a number twice";
  EXPECT_EQ(now.registry().changes_since(old.registry().cache_num()).certificates.size(), 1U);
}

TEST_F(KmsKeep, RefusesWhatWouldDestroyOrIsNone) {
  keep(run_kms_backup, 0, "kms", "kms.backup");
  keep(run_kms_backup, 1, "kms", "kms.backup");
  EXPECT_EQ(keep(run_kms_restore, 3, "kms", "kms.backup")["error"]["code"], "conflict") << "a living one";
  write("other", "another passphrase\n", 0600);
  EXPECT_NE(keep(run_kms_restore, 3, "again", "kms.backup", "other")["error"]["detail"], "");
  EXPECT_FALSE(fs::exists(path("again/kms.sqlite"))) << "nothing half-made";
  std::string damaged = content_of(path("kms.backup"));
  for (std::size_t i = damaged.size() / 2; i < damaged.size(); i += 50)
    damaged[i] = static_cast<char>(~damaged[i]);
  write("damaged", damaged, 0600);
  keep(run_kms_restore, 1, "again", "damaged");
  write("text", "no backup at all, and long enough to be looked at\n", 0600);
  keep(run_kms_restore, 1, "again", "text");
  ::chmod(path("kms.backup").c_str(), 0644);
  keep(run_kms_restore, 1, "again", "kms.backup");
  ::chmod(path("kms.backup").c_str(), 0600);
  EXPECT_FALSE(fs::exists(path("again/kms.sqlite")));
  keep(run_kms_restore, 0, "again", "kms.backup");
}

TEST_F(KmsKeep, WithABackupAndEnoughSharesAKmsComesBack) {
  ASSERT_EQ(add(kBob), 0);
  const auto made = keep(run_kms_backup, 0, "kms", "kms.backup");
  KmsSplitOptions split;
  split.passphrase_file = path("pass");
  split.out_directory = path("shares");
  split.json = true;
  ASSERT_EQ(run_kms_split(split, fresh(out), fresh(err)), 0) << err.str();
  EXPECT_THAT(out.str() + err.str(), Not(HasSubstr("correct horse")));
  EXPECT_THAT(content_of(path("shares/share-1.txt")), Not(HasSubstr("correct horse")));
  EXPECT_EQ(nlohmann::json::parse(out.str())["files"].size(), 5U);
  EXPECT_EQ(run_kms_split(split, fresh(out), fresh(err)), 1) << "nothing is overwritten";

  fs::remove_all(path("kms"));
  fs::remove(path("pass"));
  fs::remove(path("shares/share-2.txt"));  // a safe is lost
  const auto combine = [&](std::vector<std::string> names) {
    KmsCombineOptions options;
    for (const std::string& one : names) options.share_files.push_back(path("shares/" + one));
    options.out_file = path("again.pass");
    options.json = true;
    return run_kms_combine(options, fresh(out), fresh(err));
  };
  EXPECT_EQ(combine({"share-1.txt", "share-3.txt"}), 2) << "one is missing";
  EXPECT_FALSE(fs::exists(path("again.pass")));
  ASSERT_EQ(combine({"share-5.txt", "share-1.txt", "share-3.txt"}), 0) << err.str();
  EXPECT_EQ(content_of(path("again.pass")), "correct horse battery staple\n");
  EXPECT_EQ(combine({"share-5.txt", "share-1.txt", "share-3.txt"}), 1) << "nothing is overwritten";
  EXPECT_EQ(keep(run_kms_restore, 0, "kms", "kms.backup", "again.pass")["sha256"], made["sha256"]);
  write("shares/share-1.txt", "regroup-share-1-3-1-00\n", 0600);
  EXPECT_EQ(combine({"share-5.txt", "share-1.txt", "share-3.txt"}), 3);
  EXPECT_THAT(err.str(), HasSubstr("share-1.txt"));
}

}  // namespace
}  // namespace regroup::app::cli
