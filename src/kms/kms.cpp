// SPDX-License-Identifier: Apache-2.0
#include "kms/kms.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace regroup::kms {
namespace {

using crypto::eccsi::Kpak;
using crypto::eccsi::Ksak;
using crypto::eccsi::UserKey;
using crypto::sakke::KmsPublicKey;
using crypto::sakke::MasterSecret;

constexpr std::string_view kMasterContext = "kms/master";
constexpr std::string_view kRegistryContext = "kms/registry";
constexpr std::string_view kTransportContext = "kms/transport";

bool same(OctetsView a, OctetsView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Error mismatch(std::string_view what) {
  return fail(Errc::conflict, "docs/formats.md, KMS state",
              std::string(what) + " of the stored certificate does not belong to the stored master secret",
              "restore the directory from its last good backup; do not issue keys from this one");
}

Result<const Subscriber*> subscriber_of(const Registry& registry, std::string_view identity) {
  const Subscriber* const found = registry.find(identity);
  if (found) return found;
  return fail(Errc::unknown_group, "TS 33.180 D.2", "no subscriber " + printable(identity),
              "register it: regroup kms add-identity");
}

}  // namespace

std::string default_domain(std::string_view kms_uri) {
  if (const std::size_t scheme = kms_uri.find("://"); scheme != std::string_view::npos)
    kms_uri.remove_prefix(scheme + 3);
  kms_uri = kms_uri.substr(0, kms_uri.find_first_of(":/"));
  if (kms_uri.substr(0, 4) == "kms.") kms_uri.remove_prefix(4);
  return std::string(kms_uri);
}

Result<Kms> Kms::make(const Setup& setup, Random& random) {
  MasterSecret z = crypto::sakke::make_master_secret(random);
  Ksak ksak = crypto::eccsi::make_ksak(random);
  std::vector<std::string> domains = setup.domains;
  if (domains.empty()) domains.push_back(default_domain(setup.kms_uri.text()));
  for (const std::string& domain : domains) TRY(mcx::check_identity(domain, "KmsDomain"));
  mcx::KmsCertificate certificate{.kms_uri = setup.kms_uri,
                                  .cert_uri = "cert1." + setup.kms_uri.text(),
                                  .periods = setup.periods,
                                  .z = KmsPublicKey::derive(z),
                                  .kpak = Kpak::derive(ksak),
                                  .domains = std::move(domains),
                                  .valid_from = {},
                                  .valid_to = {}};
  Registry registry(record_of(certificate, setup.issuer));
  return Kms(std::move(z), std::move(ksak), std::move(certificate), std::move(registry));
}

SealedState Kms::seal(const crypto::Vault& vault, Random& random) const {
  SecretOctets master(z_.expose());
  master.append(ksak_.expose());
  const SecretOctets transport = transport_keys_.write();
  return {vault.header(), vault.seal(kMasterContext, master.expose(), random),
          vault.seal(kRegistryContext, registry_.write(), random),
          transport.empty() ? Octets() : vault.seal(kTransportContext, transport.expose(), random)};
}

Result<Kms> Kms::open(const SealedState& state, const crypto::Vault& vault) {
  const SecretOctets master = TRY(vault.open(kMasterContext, state.master));
  const SecretOctets record = TRY(vault.open(kRegistryContext, state.registry));
  if (master.size() != MasterSecret::size + Ksak::size)
    return fail(Errc::storage, "docs/formats.md, KMS state",
                "the master secret record has " + std::to_string(master.size()) + " octets",
                "restore the directory from its last good backup");
  MasterSecret z = TRY(crypto::sakke::parse_master_secret(master.expose().first(MasterSecret::size)));
  Ksak ksak = TRY(crypto::eccsi::parse_ksak(master.expose().subspan(MasterSecret::size)));
  Registry registry = TRY(Registry::parse(record.expose()));
  const CertificateRecord& own = registry.own();
  const mcx::KmsUri kms_uri = TRY(mcx::KmsUri::parse(own.kms_uri));
  const mcx::KeyPeriods periods = TRY(mcx::KeyPeriods::make(own.period, own.offset));
  mcx::KmsCertificate certificate{.kms_uri = kms_uri,
                                  .cert_uri = own.cert_uri,
                                  .periods = periods,
                                  .z = KmsPublicKey::derive(z),
                                  .kpak = Kpak::derive(ksak),
                                  .domains = own.domains,
                                  .valid_from = own.valid_from,
                                  .valid_to = own.valid_to,
                                  .revoked = own.revoked};
  if (!same(certificate.z.octets(), own.z)) return mismatch("Z_T");
  if (!same(certificate.kpak.octets(), own.kpak)) return mismatch("KPAK");
  Kms out(std::move(z), std::move(ksak), std::move(certificate), std::move(registry));
  if (state.transport.empty()) return out;
  const SecretOctets transport = TRY(vault.open(kTransportContext, state.transport));
  out.transport_keys_ = TRY(TransportKeyStore::parse(transport.expose()));
  return out;
}

Result<void> Kms::adopt(Kms stored) {
  const Registry& registry = stored.registry_;
  if (!(registry.own() == registry_.own()) || registry.cache_num() < registry_.cache_num())
    return fail(Errc::conflict, "docs/formats.md, KMS state",
                "the stored state is another KMS's or an older one", "restart the KMS if this was intended");
  registry_ = std::move(stored.registry_);
  transport_keys_ = std::move(stored.transport_keys_);
  return {};
}

std::vector<std::int64_t> Kms::usual_periods(NtpTime now) const {
  const std::int64_t current = certificate_.periods.number_at(now);
  return {current, current + 1};
}

Result<void> Kms::check_window(std::int64_t period_no, NtpTime now, Window window) const {
  const std::int64_t current = certificate_.periods.number_at(now);
  if (period_no < current - window.back || period_no > current + window.ahead || period_no < 0)
    return fail(Errc::not_authorised, "TS 33.180 D.2",
                "key period " + std::to_string(period_no) + " is outside " +
                    std::to_string(current - window.back) + " to " + std::to_string(current + window.ahead),
                "ask for the current or the next period");
  return {};
}

Result<std::vector<IssuedKeySet>> Kms::provision(std::string_view identity,
                                                 const std::vector<std::int64_t>& periods, NtpTime now,
                                                 Random& random, Window window) const {
  const Subscriber* subscriber = TRY(subscriber_of(registry_, identity));
  std::vector<IssuedKeySet> out;
  for (const std::int64_t number : periods) {
    TRY(check_window(number, now, window));
    out.push_back(TRY(issue(subscriber->identity, number, random)));
  }
  return out;
}

Result<std::vector<IssuedKeySet>> Kms::provision_all(std::span<const mcx::McpttId> identities,
                                                     std::int64_t period_no, NtpTime now, Random& random,
                                                     Window window) const {
  constexpr std::size_t kChunk = 256;
  TRY(check_window(period_no, now, window));
  std::vector<const Subscriber*> subscribers;
  std::vector<mcx::Uid> uids;
  for (const mcx::McpttId& identity : identities) {
    subscribers.push_back(TRY(subscriber_of(registry_, identity.text())));
    uids.push_back(certificate_.uid_of(subscribers.back()->identity, period_no));
  }
  const std::vector<OctetsView> views(uids.begin(), uids.end());
  std::vector<crypto::sakke::RskOctets> rsks = TRY(crypto::sakke::extract_all(z_, views));
  std::vector<UserKey> signing = UserKey::make_all(ksak_, certificate_.kpak, views, random);
  std::vector<IssuedKeySet> out;
  for (std::size_t i = 0; i < uids.size(); ++i)
    out.push_back(
        key_set(subscribers[i]->identity, period_no, uids[i], std::move(rsks[i]), std::move(signing[i])));
  for (std::size_t at = 0; at < out.size(); at += kChunk) {
    const std::size_t count = std::min(kChunk, out.size() - at);
    TRY(check_issued(out[at + random.octets<1>()[0] % count]));
  }
  return out;
}

IssuedKeySet Kms::key_set(const mcx::McpttId& identity, std::int64_t period_no, const mcx::Uid& uid,
                          crypto::sakke::RskOctets rsk, UserKey signing) const {
  return IssuedKeySet{identity,
                      period_no,
                      certificate_.periods.start_of(period_no),
                      certificate_.periods.start_of(period_no + 1).plus(-1),
                      uid,
                      std::move(rsk),
                      std::move(signing)};
}

// What the receiver will check, so that a fault of ours stops here and not in every handset.
Result<void> Kms::check_issued(const IssuedKeySet& keys) const {
  const crypto::sakke::Rsk rsk = TRY(crypto::sakke::Rsk::parse(keys.rsk.expose()));
  TRY(crypto::sakke::verify(certificate_.z, keys.uid, rsk));
  TRY(UserKey::validate(certificate_.kpak, keys.uid, keys.signing.ssk().duplicate(), keys.signing.pvt()));
  return {};
}

Result<IssuedKeySet> Kms::issue(const mcx::McpttId& identity, std::int64_t period_no, Random& random) const {
  const mcx::Uid uid = certificate_.uid_of(identity, period_no);
  const crypto::sakke::Rsk rsk = TRY(crypto::sakke::extract(z_, uid));
  IssuedKeySet out =
      key_set(identity, period_no, uid, rsk.octets(), UserKey::make(ksak_, certificate_.kpak, uid, random));
  TRY(crypto::sakke::verify(certificate_.z, uid, rsk));
  TRY(UserKey::validate(certificate_.kpak, uid, out.signing.ssk().duplicate(), out.signing.pvt()));
  return out;
}

}  // namespace regroup::kms
