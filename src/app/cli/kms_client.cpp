// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_client.hpp"

#include <algorithm>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/config_values.hpp"
#include "app/kms/cache_number.hpp"
#include "app/kms/front.hpp"
#include "app/kms/transport_file.hpp"
#include "base/text.hpp"
#include "http/target.hpp"

namespace regroup::app::cli {
namespace {

using kmsxml::Tolerance;

constexpr std::string_view kClause = "docs/operations.md, kms-client";
constexpr const char* kVerbs[] = {"init", "keyprov", "certcache", "cert", "check"};

// ---- what the options say

Result<void> need_option(const std::string& value, std::string_view option) {
  if (!value.empty()) return {};
  return fail(Errc::usage, kClause, std::string(option) + " is missing",
              "regroup kms-client --help names the options");
}

Result<KmsPolicy> policy_of(const KmsClientOptions& options) {
  const bool keys = !options.transport_keys_file.empty();
  const std::string& name = options.policy;
  if (!keys && !name.empty() && name != "plain")
    return fail(Errc::usage, kClause, "--policy " + printable(name, 20) + " needs --transport-keys",
                "name the file that regroup kms add-identity --transport-keys-out wrote");
  if (name == "plain" || (name.empty() && !keys)) return KmsPolicy::plain;
  if (name == "wrap") return KmsPolicy::wrap;
  if (name == "wrap+sign" || name.empty()) return KmsPolicy::wrap_sign;
  return fail(Errc::usage, kClause, "--policy " + printable(name, 20) + " is not known",
              "write plain, wrap or wrap+sign");
}

Result<KmsAccess> access_of(const KmsClientOptions& options) {
  KmsAccess out;
  out.url = TRY(argument(https_origin(options.kms_url), "--kms-url"));
  const std::string host = TRY(argument(http::parse_url(options.kms_url), "--kms-url")).host;
  out.uri = TRY(argument(kms_uri_value(options.kms_uri.empty() ? host : options.kms_uri), "--kms-uri"));
  out.ca_file = options.ca_file;
  out.token_file = options.token_file;
  out.token_command = options.token_command;
  if (!options.token_file.empty() && !options.token_command.empty())
    return fail(Errc::usage, kClause, "--token-file and --token-command: a token has one source",
                "give one of them");
  if (options.certificate_file.empty() != options.key_file.empty())
    return fail(Errc::usage, kClause, "--cert and --key belong together", "give both, or neither");
  out.certificate_file = options.certificate_file;
  out.key_file = options.key_file;
  out.policy = TRY(policy_of(options));
  for (const std::string& entry : options.tolerate) TRY(argument(out.profile.allow(entry), "--tolerate"));
  if (options.transport_keys_file.empty()) return out;
  out.transport_keys =
      std::make_shared<TransportRing>(TRY(read_transport_key_file(options.transport_keys_file)));
  return out;
}

// ---- one visit

struct Visit {
  const KmsClientOptions& options;
  const KmsAccess& access;
  const KmsCall& call;
  const Clock& clock;
  const NtpTime now;
};

// What an answer is like, and what was needed to take it.
struct Seen {
  std::string resource;
  OpenedAnswer opened = {};
  std::string req_url = {};  // that an unsigned answer repeats
};

// What `check` and its parts found out, for people and for programs.
struct Findings {
  std::vector<std::pair<std::string, std::string>> rows;
  std::vector<std::string> notes;
  kmsxml::Tally tolerated;
  nlohmann::json json = nlohmann::json::object();
};

std::string url_of(const KmsAccess& access, const std::string& resource) {
  std::string url = access.url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url + std::string(kKmsRoot) + resource;
}

Result<std::vector<Seen>> ask(const Visit& visit, const std::vector<std::string>& resources) {
  AskedKms asked = TRY(ask_kms(visit.access, visit.options.identity, resources, visit.call, visit.clock));
  std::vector<Seen> out;
  for (std::size_t i = 0; i < resources.size(); ++i)
    out.push_back({resources[i], std::move(asked.answers[i]), {}});
  return out;
}

// The content of an answer, its switches counted with it.
template <class Kind>
Result<Kind> read(const Visit& visit, Seen& seen) {
  const kmsxml::Profile profile = visit.access.profile.counting_in(seen.opened.tolerated);
  seen.req_url =
      TRY(kmsxml::parse_response(seen.opened.document.expose(), visit.access.profile)).client_req_url;
  return app::content_of<Kind>(seen.opened.document, seen.resource, visit.options.identity, visit.access.uri,
                               profile);
}

// Rel-13 where only a Rel-13 schema allows what was read.
bool is_rel13(const kmsxml::Tally& tally) {
  return tally.count(Tolerance::element_order) + tally.count(Tolerance::no_xsi_type) +
             tally.count(Tolerance::namespace_of) >
         0;
}

void tell_answer(const Visit& visit, const Seen& seen, bool keys, Findings& out) {
  const OpenedAnswer& opened = seen.opened;
  const std::string wrapping(name_of(opened.wrapping));
  const std::string form = wrapping == "plain" ? "plain" : "wrapped " + wrapping;
  const std::string shape = is_rel13(opened.tolerated) ? "Rel-13" : "Rel-14";
  out.rows.emplace_back(
      seen.resource, (keys ? "keys " + form + ", " : "") + (opened.is_signed ? "signed, " : "not signed, ") +
                         shape + (opened.tolerated.empty() ? "" : ", tolerated: ") + opened.tolerated.text());
  nlohmann::json one{{"resource", seen.resource}, {"signed", opened.is_signed}, {"shape", shape}};
  if (keys) one["keys"] = wrapping;
  out.json["answers"].push_back(std::move(one));
  out.tolerated.add(opened.tolerated);
  const std::string asked = url_of(visit.access, seen.resource);
  if (seen.req_url != asked)
    out.notes.push_back("the answer to " + seen.resource + " names ClientReqUrl " + printable(seen.req_url) +
                        ", asked was " + asked + " (trap T-22)");
}

// ---- what stands in the answers

std::string span_of(const std::optional<NtpTime>& from, const std::optional<NtpTime>& to) {
  return (from ? date_time(*from) : "always") + " to " + (to ? date_time(*to) : "no end");
}

std::string standing_of(const mcx::KmsCertificate& certificate, NtpTime now) {
  if (certificate.revoked) return "revoked";
  return certificate.usable_at(now).ok() ? "valid" : "not valid now";
}

nlohmann::json certificate_json(const mcx::KmsCertificate& one, const std::string& standing) {
  nlohmann::json out{{"kms_uri", one.kms_uri.text()},
                     {"cert_uri", one.cert_uri},
                     {"period", one.periods.period()},
                     {"offset", one.periods.offset()},
                     {"domains", one.domains},
                     {"standing", standing},
                     {"epoch", one.periods.epoch() == mcx::Epoch::unix ? 1970 : 1900}};
  if (one.valid_from) out["valid_from"] = date_time(*one.valid_from);
  if (one.valid_to) out["valid_to"] = date_time(*one.valid_to);
  return out;
}

void tell_certificate(const std::string& as, const mcx::KmsCertificate& one, NtpTime now, Findings& out) {
  const std::string standing = standing_of(one, now);
  std::string domains;
  for (const std::string& domain : one.domains) domains += (domains.empty() ? "" : " ") + printable(domain);
  out.rows.emplace_back(
      as, one.kms_uri.text() + ", " + (one.cert_uri.empty() ? "without CertUri" : printable(one.cert_uri)) +
              ", period " + std::to_string(one.periods.period()) + " s, offset " +
              std::to_string(one.periods.offset()) + " s" +
              (one.periods.epoch() == mcx::Epoch::unix ? " from 1970" : "") + ", " + standing + " (" +
              span_of(one.valid_from, one.valid_to) + "), domains " + (domains.empty() ? "none" : domains));
  if (one.periods.offset() != 0)
    out.notes.push_back(one.kms_uri.text() +
                        " has an offset: some receivers compute periods wrongly then (trap T-19)");
}

Result<mcx::KmsCertificate> own_certificate(const Visit& visit, Seen& seen, Findings& out) {
  const auto init = TRY(read<kmsxml::KmsInit>(visit, seen));
  mcx::KmsCertificate own = TRY(certificate_of(init.certificate, visit.access.profile));
  if (own.kms_uri.text() != visit.access.uri)
    return fail(
        Errc::conflict, "PR-38",
        "KmsInit holds the certificate of " + own.kms_uri.text() + ", expected is " + visit.access.uri,
        "give the KMS URI as --kms-uri, if that is the right KMS");
  tell_answer(visit, seen, false, out);
  tell_certificate("certificate", own, visit.now, out);
  out.json["certificate"] = certificate_json(own, standing_of(own, visit.now));
  TRY(own.usable_at(visit.now));
  return own;
}

Result<void> key_sets(const Visit& visit, Seen& seen, const mcx::KmsCertificate& own, Findings& out) {
  const auto provided = TRY(read<kmsxml::KmsKeyProv>(visit, seen));
  mcx::Domains domains;
  TRY(domains.add(own));
  const kmsxml::Profile profile = visit.access.profile.counting_in(seen.opened.tolerated);
  const std::int64_t present = own.periods.number_at(visit.now);
  for (const kmsxml::KmsKeySet& one : provided.key_sets) {
    std::string state = "revoked";
    if (!one.revoked) {
      const mcx::KeySet keys = TRY(key_set_of(one, domains, profile));
      state = one.key_period_no == present       ? "present"
              : one.key_period_no == present + 1 ? "next"
              : one.key_period_no < present      ? "past"
                                                 : "later";
    }
    const NtpTime from = own.periods.start_of(one.key_period_no),
                  to = own.periods.start_of(one.key_period_no + 1);
    out.rows.emplace_back("key set", printable(one.user_uri) + ", period " +
                                         std::to_string(one.key_period_no) + ", " + date_time(from) + " to " +
                                         date_time(to) + ", " + state);
    out.json["key_sets"].push_back({{"user_uri", one.user_uri},
                                    {"period", one.key_period_no},
                                    {"from", date_time(from)},
                                    {"to", date_time(to)},
                                    {"state", state}});
  }
  if (provided.key_sets.empty()) out.notes.emplace_back("the KMS has no key set for this identity now");
  tell_answer(visit, seen, true, out);
  return {};
}

Result<void> external_certificates(const Visit& visit, Seen& seen, Findings& out) {
  const auto cache = TRY(read<kmsxml::KmsCertCache>(visit, seen));
  tell_answer(visit, seen, false, out);
  if (cache.cache_num) {
    out.rows.back().second += ", CacheNum " + std::to_string(*cache.cache_num);
    out.json["cache_num"] = *cache.cache_num;
    if (visit.options.since) TRY(check_cache_number(*cache.cache_num, *visit.options.since));
  }
  for (const kmsxml::KmsCertificate& one : cache.certificates) {
    const bool is_own = one.kms_uri == visit.access.uri;
    const auto checked = certificate_of(one, is_own ? visit.access.profile : kmsxml::Profile());
    if (!checked.ok()) {
      out.notes.push_back(checked.error().text());
      continue;
    }
    tell_certificate(is_own ? "own" : "external", *checked, visit.now, out);
    out.json["certificates"].push_back(certificate_json(*checked, standing_of(*checked, visit.now)));
  }
  return {};
}

std::string keyprov_resource(const Visit& visit, const std::optional<NtpTime>& time) {
  if (!time) return "/keyprov";
  return "/keyprov/" + http::percent_encode(visit.options.identity) + "/" +
         hex_upper(OctetsView(time->wire()));
}

// ---- the verbs

Result<void> keyprov(const Visit& visit, Findings& out) {
  std::optional<NtpTime> time;
  if (!visit.options.time.empty()) time = TRY(parse_time(visit.options.time, "--time"));
  std::vector<Seen> seen = TRY(ask(visit, {"/init", keyprov_resource(visit, time)}));
  const mcx::KmsCertificate own = TRY(own_certificate(visit, seen[0], out));
  return key_sets(visit, seen[1], own, out);
}

Result<void> certcache(const Visit& visit, Findings& out) {
  const auto& since = visit.options.since;
  std::vector<Seen> seen = TRY(ask(visit, {"/certcache" + (since ? "/" + std::to_string(*since) : "")}));
  return external_certificates(visit, seen[0], out);
}

Result<void> cert(const Visit& visit, const std::string& wanted, Findings& out) {
  std::vector<Seen> seen = TRY(ask(visit, {"/cert/" + http::percent_encode(wanted)}));
  TRY(external_certificates(visit, seen[0], out));
  const nlohmann::json held = out.json.value("certificates", nlohmann::json::array());
  const bool found = std::any_of(held.begin(), held.end(),
                                 [&](const nlohmann::json& one) { return one["kms_uri"] == wanted; });
  if (found) return {};
  return fail(Errc::malformed, "TS 33.180 D.2.6",
              "the answer holds no usable certificate of " + printable(wanted),
              "report it to the KMS operator");
}

// All that a GMS or UE asks for, read and joined as they do it, and what only this verb looks at.
Result<void> check(const Visit& visit, Findings& out) {
  std::vector<Seen> seen = TRY(ask(visit, {"/init", "/keyprov", "/certcache"}));
  const mcx::KmsCertificate own = TRY(own_certificate(visit, seen[0], out));
  TRY(key_sets(visit, seen[1], own, out));
  TRY(external_certificates(visit, seen[2], out));
  const KmsAnswers answers{std::move(seen[0].opened.document), std::move(seen[1].opened.document),
                           std::move(seen[2].opened.document)};
  const Provisioned keys =
      TRY(read_keys(answers, visit.options.identity, visit.access.uri, visit.now, visit.access.profile));
  if (keys.revoked)
    return fail(Errc::revoked, "TS 33.180 D.3.3", "the KMS has revoked " + visit.options.identity,
                "ask the KMS operator for another identity");
  const std::int64_t present = own.periods.number_at(visit.now);
  const bool has_next = std::any_of(keys.key_sets.begin(), keys.key_sets.end(),
                                    [&](const mcx::KeySet& one) { return one.period_no() == present + 1; });
  if (!has_next) {
    const NtpTime next = own.periods.start_of(present + 1).plus(1);
    std::vector<Seen> later = TRY(ask(visit, {keyprov_resource(visit, next)}));
    TRY(key_sets(visit, later[0], own, out));
  }
  Findings of_cert;
  const auto certificate = cert(visit, visit.access.uri, of_cert);
  out.json["cert_resource"] = certificate.ok();
  if (!certificate.ok()) out.notes.push_back("/cert is not offered: " + certificate.error().detail);
  return {};
}

Result<void> run(KmsClientVerb verb, const Visit& visit, Findings& out) {
  switch (verb) {
    case KmsClientVerb::init: {
      std::vector<Seen> seen = TRY(ask(visit, {"/init"}));
      (void)TRY(own_certificate(visit, seen[0], out));
      return {};
    }
    case KmsClientVerb::keyprov:
      return keyprov(visit, out);
    case KmsClientVerb::certcache:
      return certcache(visit, out);
    case KmsClientVerb::cert:
      TRY(need_option(visit.options.wanted, "KMS-URI"));
      return cert(visit, visit.options.wanted, out);
    case KmsClientVerb::check:
      break;
  }
  return check(visit, out);
}

// ---- which switches would do

bool may_be_form(Errc code) {
  return code == Errc::malformed || code == Errc::unsupported || code == Errc::bad_signature ||
         code == Errc::conflict || code == Errc::expired || code == Errc::undecryptable;
}

// Asks once more with everything allowed: the switches that this KMS needs beside those given, empty when
// they would not help.
std::string would_do(const Visit& visit) {
  for (const bool unix : {false, true})
    for (const bool text : {false, true}) {
      KmsAccess wide = visit.access;
      const kmsxml::Profile forms = kmsxml::Profile::all_forms();
      wide.profile.allowed.insert(forms.allowed.begin(), forms.allowed.end());
      if (unix) wide.profile.allowed.insert(Tolerance::epoch_1970);
      if (text) wide.profile.allowed.insert(Tolerance::uid_as_hex_text);
      if (wide.profile.namespaces.size() == 1) wide.profile.namespaces = forms.namespaces;
      Findings found;
      const Visit again{visit.options, wide, visit.call, visit.clock, visit.now};
      if (!check(again, found).ok()) continue;
      std::string out;
      for (std::size_t i = 0; i < kmsxml::kTolerances; ++i) {
        const auto one = static_cast<Tolerance>(i);
        if (found.tolerated.count(one) == 0) continue;
        const bool ns = one == Tolerance::namespace_of;
        if (visit.access.profile.allows(one) && !ns) continue;
        out += (out.empty() ? "" : " ") + std::string("--tolerate ") +
               (ns ? "namespace:" + wide.profile.namespaces.back() : std::string(name_of(one)));
      }
      return out;
    }
  return {};
}

void print(const Findings& findings, bool json, std::ostream& out) {
  if (json) {
    nlohmann::json object = findings.json;
    object["tolerated"] = nlohmann::json::object();
    for (std::size_t i = 0; i < kmsxml::kTolerances; ++i)
      if (const auto one = static_cast<Tolerance>(i); findings.tolerated.count(one) > 0)
        object["tolerated"][std::string(name_of(one))] = findings.tolerated.count(one);
    object["notes"] = findings.notes;
    out << object.dump() << "\n";
    return;
  }
  std::size_t width = 0;
  for (const auto& [name, text] : findings.rows)
    width = std::max(width, std::min<std::size_t>(name.size(), 40));
  const auto row = [&](const std::string& name, const std::string& text) {
    out << name << std::string(width > name.size() ? width - name.size() : 0, ' ') << "  " << text << "\n";
  };
  for (const auto& [name, text] : findings.rows) row(name, text);
  row("tolerated", findings.tolerated.empty() ? "nothing" : findings.tolerated.text());
  for (const std::string& note : findings.notes) row("note", note);
}

int refuse(const char* verb, const Error& error, const std::string& needs, bool json, std::ostream& out,
           std::ostream& err) {
  err << "regroup kms-client " << verb << ": " << error.text() << std::endl;
  if (!needs.empty()) err << "regroup kms-client " << verb << ": it would do with " << needs << std::endl;
  if (json) {
    nlohmann::json object = error_json(error);
    object.erase("mikey_error");  // no key message is at stake
    if (!needs.empty()) object["needs"] = needs;
    out << nlohmann::json{{"error", std::move(object)}}.dump() << std::endl;
  }
  return exit_of_role(error);
}

Result<void> check_options(const KmsClientOptions& options) {
  TRY(need_option(options.kms_url, "--kms-url"));
  TRY(need_option(options.identity, "--identity"));
  (void)TRY(argument(identity_value(options.identity), "--identity"));
  if (options.since && *options.since < 0)
    return fail(Errc::usage, kClause, "--since is below zero", "give the CacheNum that is held");
  return {};
}

}  // namespace

int run_kms_client(KmsClientVerb verb, const KmsClientOptions& options, std::ostream& out, std::ostream& err,
                   const KmsCall& call, const Clock& clock) {
  const char* const name = kVerbs[static_cast<std::size_t>(verb)];
  const auto stop = [&](const Error& error, const std::string& needs = {}) {
    return refuse(name, error, needs, options.json, out, err);
  };
  if (const auto good = check_options(options); !good.ok()) return stop(good.error());
  const auto access = access_of(options);
  if (!access.ok()) return stop(access.error());
  KmsCall carry = call;
  if (!carry) {
    if (const auto good = need_option(options.ca_file, "--ca"); !good.ok()) return stop(good.error());
    auto over_tls = kms_over_tls(*access);
    if (!over_tls.ok()) return stop(over_tls.error());
    carry = std::move(over_tls).value();
  }
  const Visit visit{options, *access, carry, clock, clock.now()};
  Findings findings;
  const auto done = run(verb, visit, findings);
  if (!done.ok()) {
    const bool try_more = verb == KmsClientVerb::check && may_be_form(done.error().code);
    return stop(done.error(), try_more ? would_do(visit) : std::string());
  }
  print(findings, options.json, out);
  return 0;
}

}  // namespace regroup::app::cli
