// SPDX-License-Identifier: Apache-2.0
#include "app/gms/keys.hpp"

#include <algorithm>
#include <condition_variable>

namespace regroup::app {
namespace {

using std::chrono::seconds;

constexpr seconds kRefresh =
    std::chrono::hours(6);  // certificates change too: partners come, domains are revoked

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
                               std::vector<Error>& unknown) {
  for (const PartnerAccess& partner : partners) {
    const auto serving = domains.kms_of(TRY(mcx::McpttId::parse(partner.gms_uri)));
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

bool GmsKeys::present(const Provisioned& keys, NtpTime now, std::int64_t later) {
  if (keys.domains.all().empty()) return false;
  const std::int64_t period = keys.domains.all().front().periods.number_at(now) + later;
  return std::any_of(keys.key_sets.begin(), keys.key_sets.end(),
                     [&](const mcx::KeySet& one) { return one.period_no() == period; });
}

seconds GmsKeys::due(const Provisioned& keys, NtpTime now) {
  if (keys.revoked) return kRefresh;  // for good
  if (!present(keys, now, 0)) return seconds(0);
  const mcx::KeyPeriods& periods = keys.domains.all().front().periods;
  const seconds left(periods.start_of(periods.number_at(now) + 1).seconds - now.seconds);
  if (present(keys, now, 1)) return std::min(kRefresh, left + seconds(60));
  return std::clamp(left / 2, seconds(1), kRefresh);
}

Result<void> GmsKeys::adopt(Provisioned& keys) const {
  for (const auto& [identity, kms] : config_.kms_of)
    keys.domains.map_exactly(identity, TRY(mcx::KmsUri::parse(kms)));
  std::vector<Error> unknown;
  TRY(check_partner_kms(config_.partners, keys.domains, unknown));
  for (Error& one : unknown) keys.warnings.push_back(std::move(one));
  return {};
}

Result<GmsKeys::Fresh> GmsKeys::examine(KmsAnswers fetched) const {
  TRY(check_pinned(fetched, stored_));
  Fresh out{keep_previous(std::move(fetched), stored_), {}};
  out.keys = TRY(read_keys(out.answers, config_.domain.gms_uri.text(), config_.kms.uri, clock_.now()));
  TRY(adopt(out.keys));
  return out;
}

Result<void> GmsKeys::start_from_store() {
  if (stored_.init.empty()) return {};
  auto kept = read_keys(stored_, config_.domain.gms_uri.text(), config_.kms.uri, clock_.now());
  if (!kept.ok()) return kept.error();
  TRY(adopt(*kept));
  keys_ = std::move(kept).value();
  say_("starting with stored keys");
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
  // From the store: the KMS is asked again at once, in the background.
  due_ = fresh ? due(keys_, clock_.now()) : seconds(0);
  return {};
}

void GmsKeys::use(Fresh fresh) {
  for (const Error& warning : fresh.keys.warnings) say_(warning.text());
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
  std::chrono::milliseconds pause = std::max<std::chrono::milliseconds>(due_, pace_.first);
  std::chrono::milliseconds again = pace_.first;
  std::string last_fault;
  while (wait_for(stop, pause)) {
    auto fetched = fetch_(stop);
    auto fresh = fetched.ok() ? examine(std::move(fetched).value()) : Result<Fresh>(fetched.error());
    if (!fresh.ok()) {
      if (fresh.error().text() != last_fault && !stop.stop_requested())
        loop_->post([this, text = fresh.error().text()] { say_("no new keys: " + text); });
      last_fault = fresh.error().text();
      again = std::min(again * 2, pace_.first * 60);
      pause = again;
      continue;
    }
    last_fault.clear();
    again = pace_.first;
    pause = std::max<std::chrono::milliseconds>(due(fresh->keys, clock_.now()), pace_.first);
    KmsAnswers& answers = fresh->answers;
    stored_ = KmsAnswers{answers.init.duplicate(),
                         answers.keyprov.duplicate(),
                         answers.certcache.duplicate(),
                         answers.previous.duplicate(),
                         {}};
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
