// SPDX-License-Identifier: Apache-2.0
#include "kms/registry.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/wire.hpp"
#include "kms/certificate_wire.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kCache = "TS 33.180 D.3.2";
constexpr std::string_view kKeySet = "TS 33.180 D.3.3";
constexpr std::string_view kRecord = "docs/formats.md, KMS store";
constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kMostOfOneKms = mcx::Domains::kMostOfOneKms;

void fold(std::string& text, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i)
    if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] - 'A' + 'a');
}

// Length of "scheme:" including the colon, 0 when the text has none. A colon behind '@' belongs to a port.
std::size_t scheme_size(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == kNone || colon > text.find('@')) return 0;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); })
             ? colon + 1
             : 0;
}

// Is one the other, or a part of it? The longest suffix decides who serves an identity, so a part would take
// users away from the whole.
bool overlap(std::string_view a, std::string_view b) {
  std::string longer(a.size() > b.size() ? a : b), shorter(a.size() > b.size() ? b : a);
  fold(longer, 0, longer.size());
  fold(shorter, 0, shorter.size());
  if (longer == shorter) return true;
  return longer.size() > shorter.size() && longer.ends_with("." + shorter);
}

Result<void> keep_apart(const CertificateRecord& held, const CertificateRecord& incoming) {
  for (const std::string& domain : incoming.domains)
    for (const std::string& other : held.domains)
      if (overlap(domain, other))
        return fail(Errc::conflict, "PR-37",
                    "KmsDomain " + printable(domain) + " of " + printable(incoming.kms_uri) +
                        " overlaps with " + printable(other) + ", served by " + printable(held.kms_uri),
                    "agree with that operator who serves the domain");
  return {};
}

struct SubscriberRecord {
  std::string identity;
  bool server = false;
  Standing standing = Standing::active;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "identity", self.identity);
    io.uint(1, "server", self.server);
    io.uint(1, "standing", self.standing);
  }
};

struct ExternalRecord {
  CertificateRecord certificate;
  std::int64_t changed_in = 0;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    certificate_wire(io, self.certificate);
    io.uint(8, "changed in", self.changed_in);
  }
};

struct CacheRecord {
  std::int64_t cache_num = 0;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(8, "CacheNum", self.cache_num);
  }
};

std::string id_of(const CertificateRecord& one) {
  return one.cert_uri.empty() ? one.kms_uri : one.kms_uri + " " + one.cert_uri;
}

Error no_such(const Record& record) {
  return fail(Errc::malformed, kRecord, "record " + record.kind + "/" + printable(record.id) + " is none",
              "restore the directory from its last good backup");
}

}  // namespace

std::string folded(std::string_view identity) {
  std::string out(identity);
  const std::size_t scheme = scheme_size(identity);
  fold(out, 0, scheme);
  const std::size_t at = identity.rfind('@');
  if (at == kNone && out.substr(0, scheme) != "sip:" && out.substr(0, scheme) != "sips:") return out;
  const std::size_t host = at == kNone ? scheme : at + 1;
  fold(out, host, std::min(out.find_first_of(";?", host), out.size()));
  return out;
}

bool is_server_like(std::string_view identity) {
  const std::string whole = folded(identity);
  const std::size_t scheme = scheme_size(whole);
  const std::size_t at = whole.rfind('@');
  if (at == kNone) return whole.substr(0, scheme) != "tel:";
  std::string user = whole.substr(scheme, at - scheme);
  fold(user, 0, user.size());
  return user.size() >= 6 && user.substr(user.size() - 6) == ".group";
}

bool side_by_side(const CertificateRecord& a, const CertificateRecord& b) {
  return !a.cert_uri.empty() && !b.cert_uri.empty() && a.cert_uri != b.cert_uri && a.period == b.period &&
         a.offset == b.offset && a.valid_from != b.valid_from;
}

CertificateRecord record_of(const mcx::KmsCertificate& certificate, std::string issuer) {
  return {certificate.kms_uri.text(),
          certificate.cert_uri,
          std::move(issuer),
          certificate.periods.period(),
          certificate.periods.offset(),
          to_octets(certificate.z.octets()),
          to_octets(certificate.kpak.octets()),
          certificate.domains,
          certificate.valid_from,
          certificate.valid_to,
          certificate.revoked};
}

const CertificateRecord& Registry::own_at(NtpTime t) const {
  const CertificateRecord* out = &own();
  for (const Changed& one : own_)
    if (!one.certificate.valid_from || *one.certificate.valid_from <= t) out = &one.certificate;
  return *out;
}

void Registry::announce(CertificateRecord successor) {
  ++cache_num_;
  own_.back().certificate.valid_to = successor.valid_from;
  own_.push_back({std::move(successor), cache_num_});
  for (Changed& one : own_) one.changed_in = cache_num_;
  keep_cache_num();
}

Result<void> Registry::add(const mcx::McpttId& identity, bool server) {
  if (!server && is_server_like(identity.text()))
    return fail(Errc::not_authorised, "TS 33.179 7.3.5.1, TS 33.180 5.7.1",
                "identity " + identity.text() + " looks like a server that creates groups",
                "register it with --server, or choose another name");
  const auto [at, fresh] = subscribers_.try_emplace(folded(identity.text()), Subscriber{identity, server});
  if (fresh) {
    keep(at->second);
    return {};
  }
  const bool other_kind = at->second.server != server;
  return fail(Errc::conflict, kKeySet,
              "identity " + at->second.identity.text() + " is registered already, as a " +
                  (at->second.server ? "server" : "user"),
              other_kind ? "its kind does not change: give the other another identity"
                         : "nothing to do, unless another spelling was meant");
}

const Subscriber* Registry::find(std::string_view identity) const {
  const auto found = subscribers_.find(folded(identity));
  return found == subscribers_.end() ? nullptr : &found->second;
}

std::vector<const Subscriber*> Registry::all() const {
  std::vector<const Subscriber*> out;
  for (const auto& [key, one] : subscribers_) out.push_back(&one);
  return out;
}

Result<bool> Registry::set_standing(std::string_view identity, Standing standing) {
  const auto found = subscribers_.find(folded(identity));
  if (found == subscribers_.end())
    return fail(Errc::unknown_group, kKeySet, "no subscriber " + printable(identity),
                "regroup kms list names those that are registered");
  Subscriber& subscriber = found->second;
  if (subscriber.standing == standing) return false;
  if (subscriber.standing == Standing::revoked)
    return fail(Errc::conflict, kKeySet, "identity " + subscriber.identity.text() + " is revoked, for good",
                "register its user under another identity: whoever took the old keys could use them again");
  subscriber.standing = standing;
  keep(subscriber);
  return true;
}

Result<void> Registry::check_import(const CertificateRecord& external) const {
  if (external.kms_uri == own().kms_uri)
    return fail(Errc::conflict, kCache,
                "the certificate names this KMS itself (" + printable(own().kms_uri) + ")",
                "import certificates of partner domains only");
  TRY(keep_apart(own(), external));
  for (const External& held : externals_) {
    const CertificateRecord& old = held.certificate;
    const bool same_name = !external.cert_uri.empty() && old.cert_uri == external.cert_uri;
    if (same_name && (old.kms_uri != external.kms_uri || old.z != external.z || old.kpak != external.kpak))
      return fail(Errc::conflict, kCache,
                  "CertUri " + printable(external.cert_uri) + " is held with other keys",
                  "a new certificate needs a new CertUri; compare its SHA-256 with the partner by voice");
    if (old.kms_uri != external.kms_uri) {
      TRY(keep_apart(old, external));
      continue;
    }
    if (old.revoked && !external.revoked && old.cert_uri == external.cert_uri)
      return fail(Errc::conflict, kCache,
                  "certificate " + printable(old.cert_uri) + " of " + printable(old.kms_uri) +
                      " is revoked, for good",
                  "ask the partner for a certificate with new keys and a new CertUri");
  }
  return {};
}

// Of one KMS those are held that have each their time, and of these the latest.
Result<bool> Registry::import_certificate(CertificateRecord external) {
  TRY(check_import(external));
  std::vector<External*> beside;
  for (External& held : externals_) {
    if (held.certificate == external) return false;
    if (held.certificate.kms_uri != external.kms_uri) continue;
    if (side_by_side(held.certificate, external))
      beside.push_back(&held);
    else
      forget(held);
  }
  if (beside.size() >= kMostOfOneKms)
    forget(**std::min_element(beside.begin(), beside.end(), [](const External* a, const External* b) {
      return a->certificate.valid_from < b->certificate.valid_from;
    }));
  std::erase_if(externals_, [](const External& one) { return one.changed_in == 0; });
  externals_.push_back({std::move(external), ++cache_num_});
  keep(externals_.back());
  return true;
}

Result<bool> Registry::revoke_certificate(std::string_view kms_uri) {
  bool any = false, changed = false;
  for (External& held : externals_) {
    if (held.certificate.kms_uri != kms_uri) continue;
    any = true;
    if (held.certificate.revoked) continue;
    held.certificate.revoked = changed = true;
    held.changed_in = ++cache_num_;
    keep(held);
  }
  if (any) return changed;
  return fail(Errc::unknown_kms, kCache, "no certificate of " + printable(kms_uri) + " is held",
              kms_uri == own().kms_uri ? "the own certificate is not revoked, but rolled over"
                                       : "regroup kms external list names those that are held");
}

void Registry::renumber() {
  cache_num_ += 1'000'000;
  for (External& held : externals_) {
    held.changed_in = cache_num_;
    keep(held);
  }
  for (Changed& one : own_) one.changed_in = cache_num_;
  keep_cache_num();
}

std::vector<CertificateRecord> Registry::externals() const {
  std::vector<CertificateRecord> out;
  for (const External& held : externals_) out.push_back(held.certificate);
  return out;
}

std::vector<CertificateRecord> Registry::certificates_of(std::string_view kms_uri) const {
  std::vector<CertificateRecord> out;
  for (const Changed& held : own().kms_uri == kms_uri ? own_ : externals_)
    if (held.certificate.kms_uri == kms_uri) out.push_back(held.certificate);
  return out;
}

CacheAnswer Registry::changes_since(std::optional<std::int64_t> held) const {
  const std::int64_t since = held && *held <= cache_num_ ? *held : 0;
  CacheAnswer out{cache_num_, {}};
  for (const Changed& one : own_)
    if (own_.size() > 1 && one.changed_in > since) out.certificates.push_back({one.certificate, true});
  for (const External& one : externals_)
    if (one.changed_in > since) out.certificates.push_back({one.certificate, false});
  return out;
}

std::string_view name_of(Standing standing) noexcept {
  return standing == Standing::active ? "active" : standing == Standing::suspended ? "suspended" : "revoked";
}

void Registry::keep(const Subscriber& one) {
  changes_.insert_or_assign({"subscriber", folded(one.identity.text())},
                            encode_record(SubscriberRecord{one.identity.text(), one.server, one.standing}));
}

// The number goes with the certificate that raised it.
void Registry::keep(const External& one) {
  changes_.insert_or_assign({"external", id_of(one.certificate)},
                            encode_record(ExternalRecord{one.certificate, one.changed_in}));
  keep_cache_num();
}

void Registry::keep_cache_num() {
  changes_.insert_or_assign({"cache", "number"}, encode_record(CacheRecord{cache_num_}));
}

// Marked, and gone with the next clean-up.
void Registry::forget(External& one) {
  changes_.insert_or_assign({"external", id_of(one.certificate)}, std::nullopt);
  one.changed_in = 0;
}

Writes Registry::take_changes() {
  Writes out;
  for (auto& [name, value] : changes_) out.push_back(Write{name.first, name.second, std::move(value)});
  changes_.clear();
  return out;
}

Result<void> Registry::take(const Record& record) {
  if (record.kind == "cache") {
    cache_num_ = TRY(decode_record<CacheRecord>(record.value.expose(), record.kind)).cache_num;
    return {};
  }
  if (record.kind == "external") {
    ExternalRecord in = TRY(decode_record<ExternalRecord>(record.value.expose(), record.kind));
    if (id_of(in.certificate) != record.id) return no_such(record);
    externals_.push_back({std::move(in.certificate), in.changed_in});
    return {};
  }
  const auto in = TRY(decode_record<SubscriberRecord>(record.value.expose(), record.kind));
  if (in.standing > Standing::revoked || folded(in.identity) != record.id) return no_such(record);
  const Subscriber one{TRY(mcx::McpttId::parse(in.identity)), in.server, in.standing};
  if (!one.server && is_server_like(in.identity)) return no_such(record);
  subscribers_.insert_or_assign(record.id, one);
  return {};
}

// Subscribers travelled as a list, their keys are folded anew on reading.
struct Registry::Wire {
  CertificateRecord own;
  std::int64_t cache_num = 0;
  struct Entry {
    std::string identity;
    bool server = false;
  };
  std::vector<Entry> subscribers;
  std::vector<External> externals;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    certificate_wire(io, self.own);
    io.uint(8, "CacheNum", self.cache_num);
    io.list(4, "subscribers", self.subscribers, [](auto& inner, auto& one) {
      inner.counted(2, "identity", one.identity);
      inner.uint(1, "server", one.server);
    });
    io.list(4, "external certificates", self.externals, [](auto& inner, auto& one) {
      certificate_wire(inner, one.certificate);
      inner.uint(8, "changed in", one.changed_in);
    });
  }
};

Result<Registry> Registry::parse(OctetsView record) {
  Reader reader(record, kRecord);
  Wire in;
  Wire::wire(reader, in);
  TRY(reader.finish());
  Registry out(std::move(in.own));
  out.cache_num_ = in.cache_num;
  out.externals_ = std::move(in.externals);
  for (const External& one : out.externals_) out.keep(one);
  for (const Wire::Entry& one : in.subscribers)
    TRY(out.add(TRY(mcx::McpttId::parse(one.identity)), one.server));
  return out;
}

}  // namespace regroup::kms
