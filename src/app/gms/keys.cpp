// SPDX-License-Identifier: Apache-2.0
#include "app/gms/keys.hpp"

#include <algorithm>
#include <condition_variable>

namespace regroup::app {
namespace {

// False when the stop came first.
bool wait_for(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

Result<void> check_partner_kms(const std::vector<PartnerAccess>& partners, const mcx::Domains& domains,
                               NtpTime now, std::vector<Error>& unknown) {
  for (const PartnerAccess& partner : partners) {
    const auto serving = domains.kms_of(TRY(mcx::McpttId::parse(partner.gms_uri)), now);
    if (!serving.ok()) {
      unknown.push_back(Error(serving.error()).with("partner " + partner.gms_uri));
      continue;
    }
    const std::string& kms = serving.value()->kms_uri.text();
    if (kms == partner.kms_uri) continue;
    return fail(Errc::usage, "PR-37",
                "partner.kms_uri: " + partner.gms_uri + " is served by the KMS " + kms + ", configured is " +
                    partner.kms_uri,
                "correct kms_uri of that partner, or give " + partner.gms_uri + " an entry in [kms_of]");
  }
  return {};
}

GmsKeys::GmsKeys(const GmsConfig& config, const Clock& clock, Say say, Fetch fetch)
    : GmsKeys(config, clock, std::move(say), std::move(fetch), Pace{}) {}

GmsKeys::GmsKeys(const GmsConfig& config, const Clock& clock, Say say, Fetch fetch, Pace pace)
    : config_(config), clock_(clock), say_(std::move(say)), fetch_(std::move(fetch)), pace_(pace) {
  if (!fetch_)
    fetch_ = [this](const std::stop_token& stop) {
      return fetch_keys(config_.kms, config_.domain.gms_uri.text(), stop);
    };
}

bool GmsKeys::present(const Provisioned& keys, NtpTime now) {
  if (keys.domains.all().empty()) return false;
  const std::int64_t period = keys.domains.all().front().periods.number_at(now);
  return std::any_of(keys.key_sets.begin(), keys.key_sets.end(),
                     [&](const mcx::KeySet& one) { return one.period_no() == period; });
}

Result<void> GmsKeys::adopt(Provisioned& keys) const {
  for (const auto& [identity, kms] : config_.kms_of)
    keys.domains.map_exactly(identity, TRY(mcx::KmsUri::parse(kms)));
  std::vector<Error> unknown;
  TRY(check_partner_kms(config_.partners, keys.domains, clock_.now(), unknown));
  for (Error& one : unknown) keys.warnings.push_back(std::move(one));
  return {};
}

Result<GmsKeys::Fresh> GmsKeys::examine(KmsAnswers fetched) const {
  const kmsxml::Profile& profile = config_.kms.profile;
  TRY(check_pinned(fetched, stored_, profile));
  Fresh out{keep_previous(std::move(fetched), stored_, profile), {}};
  out.keys =
      TRY(read_keys(out.answers, config_.domain.gms_uri.text(), config_.kms.uri, clock_.now(), profile));
  TRY(adopt(out.keys));
  return out;
}

Result<void> GmsKeys::start_from_store() {
  if (stored_.init.empty()) return {};
  auto kept =
      read_keys(stored_, config_.domain.gms_uri.text(), config_.kms.uri, clock_.now(), config_.kms.profile);
  if (!kept.ok()) return kept.error();
  TRY(adopt(*kept));
  keys_ = std::move(kept).value();
  say_("starting with stored keys");
  say_tolerated(keys_);
  return {};
}

Result<void> GmsKeys::start(SealedStore& store) {
  TRY(store.load({"kms"}, [this](const Record& record) {
    take_record(record, stored_);
    return Result<void>();
  }));
  TRY(use_stored(config_.kms, stored_));
  auto fetched = fetch_({});
  if (!fetched.ok() && fetched.error().code != Errc::transport) return fetched.error();
  const bool fresh = fetched.ok();
  Result<void> taken;
  if (fresh) {
    auto examined = examine(std::move(fetched).value());
    if (!examined.ok()) taken = examined.error();
    if (examined.ok()) {
      TRY(store.commit(writes_of(examined->answers)));
      TRY(use_stored(config_.kms, examined->answers));
      use(std::move(examined).value());
    }
  } else {
    say_("the KMS is out of reach (" + fetched.error().text() + ")");
    taken = start_from_store();
  }
  if (!taken.ok() && taken.error().code != Errc::expired) return taken;
  if (!taken.ok()) say_(taken.error().text());
  if (!ready())
    say_(
        "no key set of the present period: requests that need a key are answered 503 until the KMS gives "
        "one");
  held_ = held_in(keys_);
  if (!fresh)  // the KMS is asked again soon, in the background
    last_.was(LastFetch::Outcome::failed, std::chrono::seconds(config_.kms.asked_to_wait->exchange(0)));
  return {};
}

// A domain to which nothing can be sealed any more (TS 33.180 D.3.2): its members get no keys, which nobody
// would notice before it matters.
void GmsKeys::raise_alarms(const mcx::Domains& domains) {
  std::set<std::string> now;
  for (const mcx::KmsCertificate& one : domains.all()) {
    if (domains.find(one.kms_uri, clock_.now()) != &one) continue;
    if (const auto usable = one.usable_at(clock_.now()); !usable.ok()) now.insert(usable.error().text());
  }
  for (const std::string& one : now)
    if (alarms_.count(one) == 0) say_("ALARM: " + one);
  alarms_ = std::move(now);
}

// Once, and again only when it becomes otherwise.
void GmsKeys::say_tolerated(const Provisioned& keys) {
  const std::string line = tolerated_line(config_.kms.profile, keys.tolerated);
  if (!line.empty() && line != tolerated_) say_(line);
  tolerated_ = line;
}

void GmsKeys::use(Fresh fresh) {
  for (const Error& warning : fresh.keys.warnings) say_(warning.text());
  raise_alarms(fresh.keys.domains);
  say_tolerated(fresh.keys);
  if (fresh.keys.revoked) say_("ALARM: the KMS has revoked this GMS's identity; its keys are erased");
  keys_ = std::move(fresh.keys);
  if (!loop_) stored_ = std::move(fresh.answers);
}

void GmsKeys::follow(Loop& loop, std::function<void(const Writes&)> commit) {
  loop_ = &loop;
  commit_ = std::move(commit);
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void GmsKeys::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void GmsKeys::work(const std::stop_token& stop) {
  std::string last_fault;
  while (wait_for(stop, next_fetch(clock_.now(), held_, last_, drawn(), pace_))) {
    auto fetched = fetch_(stop);
    auto fresh = fetched.ok() ? examine(std::move(fetched).value()) : Result<Fresh>(fetched.error());
    if (!fresh.ok()) {
      if (fresh.error().text() != last_fault && !stop.stop_requested())
        loop_->post([this, text = fresh.error().text()] { say_("no new keys: " + text); });
      last_fault = fresh.error().text();
      last_.was(LastFetch::Outcome::failed, std::chrono::seconds(config_.kms.asked_to_wait->exchange(0)));
      continue;
    }
    last_fault.clear();
    held_ = held_in(fresh->keys);
    KmsAnswers& answers = fresh->answers;
    answers.empty ? last_.was(LastFetch::Outcome::empty) : last_.took_keys();
    stored_ = KmsAnswers{answers.init.duplicate(),
                         answers.keyprov.duplicate(),
                         answers.certcache.duplicate(),
                         answers.previous.duplicate(),
                         {},
                         answers.next.duplicate()};
    auto shared = std::make_shared<Fresh>(std::move(fresh).value());
    loop_->post([this, shared] {  // stored before used
      commit_(writes_of(shared->answers));
      if (const auto taken = use_stored(config_.kms, shared->answers); !taken.ok())
        say_(taken.error().text());
      if (!ready()) say_("the KMS gave keys");
      use(std::move(*shared));
    });
  }
}

}  // namespace regroup::app
