// SPDX-License-Identifier: Apache-2.0
// A folder of KMS documents as the lab verbs read them: certificates and key sets of the domains alpha and
// beta.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "kmsxml/documents.hpp"
#include "mcx/lab_domain.hpp"

namespace regroup::test {

inline kmsxml::KmsCertificate document_of(const mcx::KmsCertificate& certificate) {
  kmsxml::KmsCertificate out;
  out.cert_uri = certificate.cert_uri;
  out.kms_uri = certificate.kms_uri.text();
  out.user_key_period = certificate.periods.period();
  out.user_key_offset = certificate.periods.offset();
  out.pub_enc_key = to_octets(certificate.z.octets());
  out.pub_auth_key = to_octets(certificate.kpak.octets());
  out.domains = certificate.domains;
  return out;
}
inline kmsxml::KmsKeySet document_of(const mcx::KeySet& keys) {
  kmsxml::KmsKeySet out;
  out.kms_uri = keys.kms_uri().text();
  out.user_uri = keys.identity().text();
  out.user_id = to_octets(keys.uid());
  out.key_period_no = keys.period_no();
  out.user_decrypt_key = SecretOctets(keys.rsk().octets().expose());
  out.user_signing_key_ssk = SecretOctets(keys.signing().ssk().expose());
  out.user_pub_token_pvt = to_octets(keys.signing().pvt());
  return out;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "regroup-keys-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string put(const std::string& name, std::string_view content, mode_t mode = 0600) const {
    const std::string file = (path_ / name).string();
    std::ofstream(file, std::ios::binary) << content;
    if (::chmod(file.c_str(), mode) != 0) std::abort();
    return file;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Both domains at kMarch, with the key sets of two GMSs and a user each.
struct KeyDocuments {
  Folder folder;
  LabKms alpha = test::alpha(), beta = test::beta();
  std::string alpha_kms = certificate("alpha.xml", alpha), beta_kms = certificate("beta.xml", beta);
  std::string alpha_gms = keys("alpha-gms.xml", alpha, "sip:gms.group@alpha.example");
  std::string alpha_user = keys("alpha-user.xml", alpha, "sip:user.001@alpha.example");
  std::string beta_gms = keys("beta-gms.xml", beta, "sip:gms.group@beta.example");
  std::string beta_user = keys("beta-user.xml", beta, "sip:user.101@beta.example");

  std::string certificate(const std::string& name, const LabKms& kms) const {
    return folder.put(name, kmsxml::write(document_of(kms.certificate)));
  }
  std::string keys(const std::string& name, const LabKms& kms, std::string_view who,
                   NtpTime at = kMarch) const {
    return folder.put(name, text_of(kmsxml::write(document_of(kms.issue(who, at))).expose()));
  }
};

}  // namespace regroup::test
