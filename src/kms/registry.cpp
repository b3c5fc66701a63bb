// SPDX-License-Identifier: Apache-2.0
#include "kms/registry.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/wire.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kCache = "TS 33.180 D.3.2";
constexpr std::size_t kNone = std::string_view::npos;

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

template <class Io, class Self>
void time_wire(Io& io, std::string_view field, Self& time) {
  std::uint64_t present = time ? 1 : 0, seconds = time ? static_cast<std::uint64_t>(time->seconds) : 0;
  io.uint(1, field, present);
  io.uint(8, field, seconds);
  if constexpr (Io::reads)
    if (present) time = NtpTime{static_cast<std::int64_t>(seconds), 0};
}

template <class Io, class Self>
void certificate_wire(Io& io, Self& self) {
  io.counted(2, "KmsUri", self.kms_uri);
  io.counted(2, "CertUri", self.cert_uri);
  io.counted(2, "Issuer", self.issuer);
  io.uint(8, "UserKeyPeriod", self.period);
  io.uint(8, "UserKeyOffset", self.offset);
  io.counted(2, "PubEncKey", self.z);
  io.counted(2, "PubAuthKey", self.kpak);
  io.list(2, "KmsDomainList", self.domains,
          [](auto& inner, auto& domain) { inner.counted(2, "KmsDomain", domain); });
  time_wire(io, "ValidFrom", self.valid_from);
  time_wire(io, "ValidTo", self.valid_to);
  io.uint(1, "Revoked", self.revoked);
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

Result<void> Registry::add(const mcx::McpttId& identity, bool server) {
  if (!server && is_server_like(identity.text()))
    return fail(Errc::not_authorised, "TS 33.179 7.3.5.1, TS 33.180 5.7.1",
                "identity " + identity.text() + " looks like a server that creates groups",
                "register it with --server, or choose another name");
  const auto [at, fresh] = subscribers_.try_emplace(folded(identity.text()), Subscriber{identity, server});
  if (fresh) return {};
  const bool other_kind = at->second.server != server;
  return fail(Errc::conflict, "TS 33.180 D.3.3",
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

Result<bool> Registry::import_certificate(CertificateRecord external) {
  if (external.kms_uri == own_.kms_uri)
    return fail(Errc::conflict, kCache,
                "the certificate names this KMS itself (" + printable(own_.kms_uri) + ")",
                "import certificates of partner domains only");
  TRY(keep_apart(own_, external));
  External* replaced = nullptr;
  for (External& held : externals_) {
    const CertificateRecord& old = held.certificate;
    const bool same_name = !external.cert_uri.empty() && old.cert_uri == external.cert_uri;
    if (same_name && (old.kms_uri != external.kms_uri || old.z != external.z || old.kpak != external.kpak))
      return fail(Errc::conflict, kCache,
                  "CertUri " + printable(external.cert_uri) + " is held with other keys",
                  "a new certificate needs a new CertUri; compare its SHA-256 with the partner by voice");
    if (same_name || old.kms_uri == external.kms_uri) {
      replaced = &held;
      continue;
    }
    TRY(keep_apart(old, external));
  }
  if (replaced && replaced->certificate == external) return false;
  ++cache_num_;
  if (!replaced) replaced = &externals_.emplace_back();
  *replaced = {std::move(external), cache_num_};
  return true;
}

const CertificateRecord* Registry::certificate_of(std::string_view kms_uri) const {
  if (own_.kms_uri == kms_uri) return &own_;
  for (const External& held : externals_)
    if (held.certificate.kms_uri == kms_uri) return &held.certificate;
  return nullptr;
}

CacheAnswer Registry::changes_since(std::optional<std::int64_t> held) const {
  const std::int64_t since = held && *held <= cache_num_ ? *held : 0;
  CacheAnswer out{cache_num_, {}};
  for (const External& one : externals_)
    if (one.changed_in > since) out.certificates.push_back(one.certificate);
  return out;
}

// The registry as one record; subscribers travel as a list, their keys are folded anew on reading.
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

Octets Registry::write() const {
  Wire out{own_, cache_num_, {}, externals_};
  for (const auto& [key, one] : subscribers_) out.subscribers.push_back({one.identity.text(), one.server});
  Writer writer;
  Wire::wire(writer, out);
  return std::move(writer).octets();
}

Result<Registry> Registry::parse(OctetsView record) {
  Reader reader(record, "docs/formats.md, KMS registry");
  Wire in;
  Wire::wire(reader, in);
  TRY(reader.finish());
  Registry out(std::move(in.own));
  out.cache_num_ = in.cache_num;
  out.externals_ = std::move(in.externals);
  for (const Wire::Entry& one : in.subscribers)
    TRY(out.add(TRY(mcx::McpttId::parse(one.identity)), one.server));
  return out;
}

}  // namespace regroup::kms
