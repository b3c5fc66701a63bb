// SPDX-License-Identifier: Apache-2.0
#include "kms/kms.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

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
constexpr std::string_view kDomainKind = "domain";
constexpr std::int64_t kAnnounced = 2;  // whole periods before a successor takes over
constexpr std::size_t kMostAuthorities = mcx::Domains::kMostOfOneKms;
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

Kms::Authority Kms::make_authority(std::uint32_t number, const Setup& setup, Random& random) {
  MasterSecret z = crypto::sakke::make_master_secret(random);
  Ksak ksak = crypto::eccsi::make_ksak(random);
  mcx::KmsCertificate certificate{.kms_uri = setup.kms_uri,
                                  .cert_uri = "cert" + std::to_string(number) + "." + setup.kms_uri.text(),
                                  .periods = setup.periods,
                                  .z = KmsPublicKey::derive(z),
                                  .kpak = Kpak::derive(ksak),
                                  .domains = setup.domains,
                                  .valid_from = {},
                                  .valid_to = {}};
  return Authority{number, std::move(z), std::move(ksak), std::move(certificate)};
}

Result<Kms> Kms::make(const Setup& setup, Random& random) {
  Setup with = setup;
  if (with.domains.empty()) with.domains.push_back(default_domain(setup.kms_uri.text()));
  for (const std::string& domain : with.domains) TRY(mcx::check_identity(domain, "KmsDomain"));
  Kms out;
  out.authorities_.push_back(make_authority(1, with, random));
  out.registry_ = Registry(record_of(out.authorities_.front().certificate, setup.issuer));
  return out;
}

std::int64_t Kms::earliest_roll_over(NtpTime now) const {
  return periods().number_at(now.plus(-1)) + 1 + kAnnounced;
}

Result<void> Kms::roll_over(std::int64_t from, NtpTime now, Random& random, Window window) {
  const CertificateRecord last = registry_.all_own().back().certificate;
  if (last.valid_from && *last.valid_from > now)
    return fail(Errc::conflict, "TS 33.180 D.3.2",
                last.cert_uri + " is announced already and takes over at " + date_time(*last.valid_from),
                "wait until then: one roll-over at a time");
  if (from < earliest_roll_over(now))
    return fail(Errc::usage, "TS 33.180 D.3.2",
                "period " + std::to_string(from) +
                    " begins too early: every client must have fetched the successor before",
                "choose period " + std::to_string(earliest_roll_over(now)) + " or a later one");
  drop_old(now, window);
  if (authorities_.size() >= kMostAuthorities)
    return fail(Errc::conflict, "TS 33.180 D.3.2",
                "keys of " + std::to_string(authorities_.size()) + " certificates are still issued",
                "wait until the last roll-over is " + std::to_string(window.back + 1) + " periods old");
  const Setup setup{kms_uri(), periods(), last.domains, last.issuer};
  Authority next = make_authority(authorities_.back().number + 1, setup, random);
  next.certificate.valid_from = authorities_.back().certificate.valid_to = periods().start_of(from);
  registry_.announce(record_of(next.certificate, last.issuer));
  authorities_.push_back(std::move(next));
  domain_is_kept_ = false;
  return {};
}

// Of what was in force before the oldest period that is still issued.
void Kms::drop_old(NtpTime now, Window window) {
  const NtpTime oldest = periods().start_of(periods().number_at(now) - window.back);
  while (authorities_.size() > 1 && *authorities_[1].certificate.valid_from <= oldest) {
    dropped_.push_back(authorities_.front().number);
    authorities_.erase(authorities_.begin());
    registry_.drop_first_own();
  }
}

const Kms::Authority& Kms::at(NtpTime t) const {
  const Authority* out = &authorities_.front();
  for (const Authority& one : authorities_)
    if (!one.certificate.valid_from || *one.certificate.valid_from <= t) out = &one;
  return *out;
}

void Kms::renumber() {
  registry_.renumber();
  domain_is_kept_ = false;
}

struct Stored::Domain {
  CertificateRecord own;
  std::int64_t changed_in = 0;
  SecretOctets z, ksak;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    certificate_wire(io, self.own);
    io.uint(8, "changed in", self.changed_in);
    io.secret(2, "z_T", self.z);
    io.secret(2, "KSAK", self.ksak);
  }
};

Result<void> Stored::take(const Record& record) {
  if (record.kind == "transport") return transport_.take(record);
  if (record.kind != kDomainKind) return registry_.take(record);
  std::uint32_t number = 0;
  std::from_chars(record.id.data(), record.id.data() + record.id.size(), number);
  if (number == 0 || std::to_string(number) != record.id)
    return fail(Errc::unsupported, kClause, "the record domain/" + printable(record.id) + " is not known",
                "open the directory with the release that wrote it");
  Domain in = TRY(decode_record<Domain>(record.value.expose(), record.kind));
  MasterSecret z = TRY(crypto::sakke::parse_master_secret(in.z.expose()));
  Ksak ksak = TRY(crypto::eccsi::parse_ksak(in.ksak.expose()));
  secrets_.push_back(Secrets{number, std::move(z), std::move(ksak), {std::move(in.own), in.changed_in}});
  return {};
}

Result<Stored> Stored::of_release_0_1(OctetsView master, OctetsView registry, OctetsView transport) {
  if (master.size() != MasterSecret::size + Ksak::size)
    return fail(Errc::storage, kClause,
                "the master secret record has " + std::to_string(master.size()) + " octets", kRestore);
  Stored out;
  MasterSecret z = TRY(crypto::sakke::parse_master_secret(master.first(MasterSecret::size)));
  Ksak ksak = TRY(crypto::eccsi::parse_ksak(master.subspan(MasterSecret::size)));
  out.registry_ = TRY(Registry::parse(registry));
  out.secrets_.push_back(Secrets{1, std::move(z), std::move(ksak), out.registry_.all_own().front()});
  out.registry_.drop_first_own();
  out.transport_ = TRY(TransportKeyStore::parse(transport));
  out.domain_is_kept_ = false;
  return out;
}

// Its certificate is made anew from the secrets and compared.
Result<Kms::Authority> Kms::open_authority(Stored::Secrets stored) {
  const CertificateRecord& own = stored.own.certificate;
  const mcx::KmsUri kms_uri = TRY(mcx::KmsUri::parse(own.kms_uri));
  const mcx::KeyPeriods periods = TRY(mcx::KeyPeriods::make(own.period, own.offset));
  mcx::KmsCertificate certificate{.kms_uri = kms_uri,
                                  .cert_uri = own.cert_uri,
                                  .periods = periods,
                                  .z = KmsPublicKey::derive(stored.z),
                                  .kpak = Kpak::derive(stored.ksak),
                                  .domains = own.domains,
                                  .valid_from = own.valid_from,
                                  .valid_to = own.valid_to,
                                  .revoked = own.revoked};
  if (!same(certificate.z.octets(), own.z)) return mismatch("Z_T");
  if (!same(certificate.kpak.octets(), own.kpak)) return mismatch("KPAK");
  return Authority{stored.number, std::move(stored.z), std::move(stored.ksak), std::move(certificate)};
}

Result<Kms> Kms::open(Stored stored) {
  if (stored.secrets_.empty()) return fail(Errc::storage, kClause, "there is no domain record", kRestore);
  std::sort(stored.secrets_.begin(), stored.secrets_.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  Kms out;
  for (Stored::Secrets& one : stored.secrets_) {
    Registry::Changed own = one.own;
    Authority opened = TRY(open_authority(std::move(one)));
    if (!out.authorities_.empty() &&
        (!side_by_side(stored.registry_.all_own().back().certificate, own.certificate) ||
         opened.certificate.kms_uri != out.kms_uri()))
      return fail(Errc::storage, kClause, "two domain records of one time", kRestore);
    stored.registry_.add_own(std::move(own));
    out.authorities_.push_back(std::move(opened));
  }
  out.registry_ = std::move(stored.registry_);
  out.transport_keys_ = std::move(stored.transport_);
  out.domain_is_kept_ = stored.domain_is_kept_;
  return out;
}

Writes Kms::take_changes() {
  Writes out = registry_.take_changes();
  for (Write& one : transport_keys_.take_changes()) out.push_back(std::move(one));
  for (const std::uint32_t number : std::exchange(dropped_, {}))
    out.push_back(Write{std::string(kDomainKind), std::to_string(number), std::nullopt});
  for (std::size_t i = 0; !domain_is_kept_ && i < authorities_.size(); ++i) {
    const Authority& one = authorities_[i];
    const Registry::Changed& own = registry_.all_own()[i];
    const Stored::Domain domain{own.certificate, own.changed_in, SecretOctets(one.z.expose()),
                                SecretOctets(one.ksak.expose())};
    out.push_back(Write{std::string(kDomainKind), std::to_string(one.number), encode_record(domain)});
  }
  domain_is_kept_ = true;
  return out;
}

// Of this KMS is what shares an own certificate with it.
Result<void> Kms::adopt(Kms stored) {
  const bool known = std::any_of(authorities_.begin(), authorities_.end(), [&](const Authority& one) {
    return std::any_of(stored.authorities_.begin(), stored.authorities_.end(), [&](const Authority& other) {
      return one.number == other.number && one.certificate.z.octets() == other.certificate.z.octets() &&
             one.certificate.kms_uri == other.certificate.kms_uri;
    });
  });
  if (!known || stored.registry_.cache_num() < registry_.cache_num())
    return fail(Errc::conflict, kClause, "the directory now holds another KMS's store or an older one",
                "restart the KMS if this was intended");
  authorities_ = std::move(stored.authorities_);
  registry_ = std::move(stored.registry_);
  transport_keys_ = std::move(stored.transport_keys_);
  return {};
}

std::vector<std::int64_t> Kms::usual_periods(NtpTime now) const {
  const std::int64_t current = periods().number_at(now);
  return {current, current + 1};
}

Result<void> Kms::check_window(std::int64_t period_no, NtpTime now, Window window) const {
  const std::int64_t current = periods().number_at(now);
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
  const Authority& by = of_period(period_no);
  std::vector<const Subscriber*> subscribers;
  std::vector<mcx::Uid> uids;
  for (const mcx::McpttId& identity : identities) {
    subscribers.push_back(TRY(subscriber_of(registry_, identity.text())));
    uids.push_back(by.certificate.uid_of(subscribers.back()->identity, period_no));
  }
  const std::vector<OctetsView> views(uids.begin(), uids.end());
  std::vector<crypto::sakke::RskOctets> rsks = TRY(crypto::sakke::extract_all(by.z, views));
  std::vector<UserKey> signing = UserKey::make_all(by.ksak, by.certificate.kpak, views, random);
  std::vector<IssuedKeySet> out;
  for (std::size_t i = 0; i < uids.size(); ++i)
    out.push_back(
        key_set(by, subscribers[i]->identity, period_no, uids[i], std::move(rsks[i]), std::move(signing[i])));
  for (std::size_t at = 0; at < out.size(); at += kChunk) {
    const std::size_t count = std::min(kChunk, out.size() - at);
    TRY(check_issued(by, out[at + random.octets<1>()[0] % count]));
  }
  return out;
}

IssuedKeySet Kms::key_set(const Authority& by, const mcx::McpttId& identity, std::int64_t period_no,
                          const mcx::Uid& uid, crypto::sakke::RskOctets rsk, UserKey signing) {
  const mcx::KeyPeriods& periods = by.certificate.periods;
  return IssuedKeySet{
      identity, period_no,      periods.start_of(period_no), periods.start_of(period_no + 1).plus(-1),
      uid,      std::move(rsk), std::move(signing)};
}

// What the receiver will check, so that a fault of ours stops here and not in every handset.
Result<void> Kms::check_issued(const Authority& by, const IssuedKeySet& keys) {
  const crypto::sakke::Rsk rsk = TRY(crypto::sakke::Rsk::parse(keys.rsk.expose()));
  TRY(crypto::sakke::verify(by.certificate.z, keys.uid, rsk));
  TRY(UserKey::validate(by.certificate.kpak, keys.uid, keys.signing.ssk().duplicate(), keys.signing.pvt()));
  return {};
}

Result<IssuedKeySet> Kms::issue(const mcx::McpttId& identity, std::int64_t period_no, Random& random) const {
  const Authority& by = of_period(period_no);
  const mcx::Uid uid = by.certificate.uid_of(identity, period_no);
  const crypto::sakke::Rsk rsk = TRY(crypto::sakke::extract(by.z, uid));
  IssuedKeySet out = key_set(by, identity, period_no, uid, rsk.octets(),
                             UserKey::make(by.ksak, by.certificate.kpak, uid, random));
  TRY(crypto::sakke::verify(by.certificate.z, uid, rsk));
  TRY(UserKey::validate(by.certificate.kpak, uid, out.signing.ssk().duplicate(), out.signing.pvt()));
  return out;
}

}  // namespace regroup::kms
