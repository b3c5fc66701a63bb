// SPDX-License-Identifier: Apache-2.0
#include "kms/kms.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "kms/certificate_wire.hpp"

namespace regroup::kms {
namespace {

using crypto::eccsi::Kpak;
using crypto::eccsi::Ksak;
using crypto::eccsi::UserKey;
using crypto::sakke::KmsPublicKey;
using crypto::sakke::MasterSecret;

constexpr std::string_view kClause = "docs/formats.md, KMS store";
constexpr std::string_view kDomainKind = "domain", kDomainId = "1";
constexpr const char* kRestore = "restore the directory from its last good backup";

bool same(OctetsView a, OctetsView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Error mismatch(std::string_view what) {
  return fail(Errc::conflict, kClause,
              std::string(what) + " of the stored certificate does not belong to the stored master secret",
              "restore the directory from its last good backup; do not issue keys from this one");
}

Result<const Subscriber*> subscriber_of(const Registry& registry, std::string_view identity) {
  const Subscriber* const found = registry.find(identity);
  if (!found)
    return fail(Errc::unknown_group, "TS 33.180 D.2", "no subscriber " + printable(identity),
                "register it: regroup kms add-identity");
  if (found->standing == Standing::active) return found;
  return fail(Errc::revoked, "TS 33.180 D.3.3",
              "identity " + found->identity.text() + " is " + std::string(name_of(found->standing)),
              "regroup kms identity resume lifts a suspension; a revocation is for good");
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

struct Stored::Domain {
  CertificateRecord own;
  SecretOctets z, ksak;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    certificate_wire(io, self.own);
    io.secret(2, "z_T", self.z);
    io.secret(2, "KSAK", self.ksak);
  }
};

Result<void> Stored::take(const Record& record) {
  if (record.kind == "transport") return transport_.take(record);
  if (record.kind != kDomainKind) return registry_.take(record);
  if (record.id != kDomainId)
    return fail(Errc::unsupported, kClause, "the record domain/" + printable(record.id) + " is not known",
                "open the directory with the release that wrote it");
  Domain in = TRY(decode_record<Domain>(record.value.expose(), record.kind));
  MasterSecret z = TRY(crypto::sakke::parse_master_secret(in.z.expose()));
  Ksak ksak = TRY(crypto::eccsi::parse_ksak(in.ksak.expose()));
  secrets_.emplace(Secrets{std::move(z), std::move(ksak)});
  own_ = std::move(in.own);
  return {};
}

Result<Stored> Stored::of_release_0_1(OctetsView master, OctetsView registry, OctetsView transport) {
  if (master.size() != MasterSecret::size + Ksak::size)
    return fail(Errc::storage, kClause,
                "the master secret record has " + std::to_string(master.size()) + " octets", kRestore);
  Stored out;
  MasterSecret z = TRY(crypto::sakke::parse_master_secret(master.first(MasterSecret::size)));
  Ksak ksak = TRY(crypto::eccsi::parse_ksak(master.subspan(MasterSecret::size)));
  out.secrets_.emplace(Secrets{std::move(z), std::move(ksak)});
  out.registry_ = TRY(Registry::parse(registry));
  out.own_ = out.registry_.own();
  out.transport_ = TRY(TransportKeyStore::parse(transport));
  out.domain_is_kept_ = false;
  return out;
}

Result<Kms> Kms::open(Stored stored) {
  if (!stored.secrets_) return fail(Errc::storage, kClause, "there is no domain record", kRestore);
  auto& [z, ksak] = *stored.secrets_;
  const CertificateRecord& own = stored.own_;
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
  stored.registry_.set_own(own);
  Kms out(std::move(z), std::move(ksak), std::move(certificate), std::move(stored.registry_));
  out.transport_keys_ = std::move(stored.transport_);
  out.domain_is_kept_ = stored.domain_is_kept_;
  return out;
}

Writes Kms::take_changes() {
  Writes out = registry_.take_changes();
  for (Write& one : transport_keys_.take_changes()) out.push_back(std::move(one));
  if (domain_is_kept_) return out;
  const Stored::Domain domain{registry_.own(), SecretOctets(z_.expose()), SecretOctets(ksak_.expose())};
  out.push_back(Write{std::string(kDomainKind), std::string(kDomainId), encode_record(domain)});
  domain_is_kept_ = true;
  return out;
}

Result<void> Kms::adopt(Kms stored) {
  const Registry& registry = stored.registry_;
  if (!(registry.own() == registry_.own()) || registry.cache_num() < registry_.cache_num())
    return fail(Errc::conflict, kClause, "the directory now holds another KMS's store or an older one",
                "restart the KMS if this was intended");
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
