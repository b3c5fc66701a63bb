// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_roll_over.hpp"

#include "app/kms/directory.hpp"
#include "app/kms/verbs.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;

class KmsRollOverVerb : public KmsVerbs {
 protected:
  KmsRollOverVerb() { EXPECT_EQ(init("kms", "kms.mcx.example"), 0) << err.str(); }
  nlohmann::json roll(int code, const std::string& from = {}) {
    KmsRollOverOptions options;
    options.directory = path("kms");
    options.from = from;
    options.json = true;
    EXPECT_EQ(run_kms_roll_over(options, fresh(out), fresh(err)), code) << err.str();
    return nlohmann::json::parse(out.str(), nullptr, false);
  }
};

TEST_F(KmsRollOverVerb, AnnouncesASuccessorForPartnersAndClients) {
  ASSERT_EQ(certificate("kms"), 0);
  const std::string before = out.str();
  const auto made = roll(0);
  EXPECT_EQ(made["cert_uri"], "cert2.kms.mcx.example");
  EXPECT_EQ(made["cache_num"], 2);
  ASSERT_EQ(certificate("kms"), 0);
  EXPECT_THAT(out.str(), HasSubstr("cert1.")) << "in force until then";
  EXPECT_THAT(out.str(), HasSubstr("ValidTo"));
  EXPECT_EQ(run_kms_certificate({.directory = path("kms"), .successor = true}, fresh(out), fresh(err)), 0);
  EXPECT_THAT(out.str(), HasSubstr("cert2."));
  EXPECT_THAT(err.str(), HasSubstr(made["sha256"].get<std::string>()));
  EXPECT_THAT(content_of(path("kms/audit.log")), HasSubstr("\"event\":\"roll-over\""));

  const NtpTime begins = parse_date_time(made["valid_from"].get<std::string>()).value();
  EXPECT_THAT(text_of(published_certificate(path("kms"), begins.plus(-1)).value()), HasSubstr("cert1."));
  EXPECT_THAT(text_of(published_certificate(path("kms"), begins).value()), HasSubstr("cert2."));
  EXPECT_EQ(roll(3)["error"]["code"], "conflict") << "one at a time";

  ASSERT_EQ(init("other", "kms.other.example"), 0);
  write("one.xml", before, 0644);
  write("two.xml", content_of(path("kms/successor.xml")), 0644);
  for (const char* file : {"one.xml", "two.xml"})
    EXPECT_EQ(
        run_kms_import_certificate({.directory = path("other"), .file = path(file), .passphrase_file = {}},
                                   fresh(out), fresh(err)),
        0)
        << err.str();
  EXPECT_EQ(open_kms(path("other"), {path("pass")})->kms.registry().externals().size(), 2U)
      << "both are held";
}

TEST_F(KmsRollOverVerb, BeginsWithAPeriodAndLateEnough) {
  EXPECT_EQ(roll(2, "now")["error"]["code"], "usage") << "too early";
  EXPECT_EQ(roll(2, "tomorrow")["error"]["code"], "usage");
  const auto made = roll(0, "2040-01-01T00:00:00Z");
  EXPECT_EQ(made["valid_from"], "2040-01-17T00:00:00Z") << "the boundary after it";
}

}  // namespace
}  // namespace regroup::app::cli
