// SPDX-License-Identifier: Apache-2.0
#include "app/kms/offline.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/kms/answer.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/documents.hpp"
#include "app/kms/front.hpp"
#include "app/kms/protection.hpp"
#include "base/text.hpp"
#include "storage/file_lock.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kClause = "docs/operations.md, Machines without a network";

std::string request_url(std::string_view resource) {
  return std::string(kOfflineScheme) + std::string(kKmsRoot) + std::string(resource);
}

Result<SecretOctets> signed_answer(const kms::Kms& kms, const mcx::McpttId& identity,
                                   const kms::TransportKeys& keys, std::string_view resource,
                                   decltype(kmsxml::KmsResponse::content) content, NtpTime now,
                                   Random& random) {
  kmsxml::KmsResponse out{.user_uri = identity.text(),
                          .kms_uri = kms.kms_uri().text(),
                          .time = now,
                          .client_req_url = request_url(resource),
                          .content = std::move(content)};
  out.id = "r" + hex(random.octets<8>());
  return kmsxml::sign(out, signing_key_of(keys));
}

Result<void> write_file(const std::string& path, OctetsView octets) {
  const std::string beside = path + ".new";
  const storage::Descriptor file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.ok() && ::write(file.get(), octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()) &&
      ::fsync(file.get()) == 0 && ::rename(beside.c_str(), path.c_str()) == 0)
    return {};
  const int fault = errno;
  ::unlink(beside.c_str());
  return fail(Errc::storage, kClause, printable(path) + " cannot be written: " + std::strerror(fault),
              "check the space and rights of its folder");
}

struct Resource {
  const char* name;  // of the file, and of the resource
  SecretOctets KmsAnswers::*into;
};
constexpr Resource kResources[] = {
    {"init", &KmsAnswers::init}, {"certcache", &KmsAnswers::certcache}, {"keyprov", &KmsAnswers::keyprov}};

// With the newest keys that the KMS can have known.
Result<SecretOctets> opened_file(const KmsAccess& access, const std::string& identity, const char* name,
                                 NtpTime now) {
  const std::string path = access.url.substr(kOfflineScheme.size()) + "/" + name + ".xml";
  const auto document = read_document(path);
  if (!document.ok())
    return fail(Errc::transport, kClause, document.error().detail,
                "carry the package that regroup kms issue wrote for " + identity + " there");
  const std::vector<kms::TransportKeys> keys = access.transport_keys->keys();
  Question question{access, identity, request_url(std::string("/") + name), NtpTime{}, now, nullptr};
  Result<OpenedAnswer> opened = fail(Errc::bad_signature, kClause, "no transport keys are held",
                                     "name their file in [kms] transport_keys");
  for (auto one = keys.rbegin(); one != keys.rend() && !opened.ok(); ++one) {
    question.keys = &*one;
    opened = opened_answer(*document, question);
  }
  if (!opened.ok()) return std::move(opened).error().with(printable(path));
  return std::move(opened->document);
}

}  // namespace

Result<OfflinePackage> offline_package(const kms::Kms& kms, const mcx::McpttId& identity,
                                       const std::vector<std::int64_t>& periods, NtpTime now,
                                       Random& random) {
  const kms::ClientKeys* const client = kms.transport_keys().find(identity.text());
  if (!client || !client->signs)
    return fail(Errc::not_authorised, "TS 33.180 9.3.4",
                identity.text() + " has no transport keys of policy wrap+sign",
                "give it some: regroup kms add-identity --transport-keys-out");
  const kms::TransportKeys& keys = client->present();
  const std::int64_t current = kms.periods().number_at(now);
  const kms::Window window{.back = 0, .ahead = *std::max_element(periods.begin(), periods.end()) - current};
  kmsxml::KmsKeyProv provided;
  for (const kms::IssuedKeySet& one : TRY(kms.provision(identity.text(), periods, now, random, window))) {
    provided.key_sets.push_back(document_of(one, kms.registry().own_at(one.valid_from)));
    wrap(provided.key_sets.back(), keys, client->wrapping);
  }
  const kms::CacheAnswer held = kms.registry().changes_since({});
  kmsxml::KmsCertCache cache{held.cache_num, {}};
  for (const auto& [certificate, own] : held.certificates)
    cache.certificates.push_back(document_of(certificate, own ? kmsxml::Role::root : kmsxml::Role::external));
  kmsxml::KmsInit init{document_of(kms.registry().own_at(now), kmsxml::Role::root)};
  const auto signed_as = [&](std::string_view resource, auto content) {
    return signed_answer(kms, identity, keys, resource, std::move(content), now, random);
  };
  OfflinePackage out;
  out.init = TRY(signed_as("/init", std::move(init)));
  out.certcache = TRY(signed_as("/certcache", std::move(cache)));
  out.keyprov = TRY(signed_as("/keyprov", std::move(provided)));
  return out;
}

Result<void> write_offline_package(const std::string& directory, const OfflinePackage& package) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::storage, kClause, printable(directory) + " cannot be made: " + std::strerror(errno),
                "name a directory that this user may make");
  TRY(write_file(directory + "/init.xml", package.init.expose()));
  TRY(write_file(directory + "/certcache.xml", package.certcache.expose()));
  TRY(write_file(directory + "/keyprov.xml", package.keyprov.expose()));
  return storage::sync_path(directory);
}

Result<KmsAnswers> read_offline_package(const KmsAccess& access, const std::string& identity, NtpTime now) {
  KmsAnswers out;
  for (const Resource& one : kResources) out.*one.into = TRY(opened_file(access, identity, one.name, now));
  return out;
}

}  // namespace regroup::app
