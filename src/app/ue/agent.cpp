// SPDX-License-Identifier: Apache-2.0
#include "app/ue/agent.hpp"

#include "base/text.hpp"

namespace regroup::app {

UeAgent::UeAgent(UeConfig config, sip::Transport& transport, Loop& loop, Random& random, const Clock& clock,
                 Say say, std::function<void(const ue::KeyEvent&)> on_event, KmsFetch fetch)
    : config_(std::move(config)),
      transport_(transport),
      loop_(loop),
      random_(random),
      clock_(clock),
      say_(std::move(say)),
      on_event_(std::move(on_event)),
      tokens_(config_),
      kms_(fetch ? std::move(fetch)
                 : [access = config_.kms, who = config_.domain.identity.text()](std::stop_token stop) {
                     return fetch_keys(access, who, stop);
                   }) {
  contact_user_ = "ue-" + hex(random_.octets<6>());
}

void UeAgent::say_what_became_of(const OpenedRing& ring) const {
  if (ring.kept_aside.empty()) return;
  say_("this ring was another identity's, KMS's or GMS's: it is kept as " + ring.kept_aside +
       (ring.came_back ? ", the one of this configuration is back" : ", an empty one begins"));
}

// First the token: nothing of this client is touched with another's. An endpoint that cannot be reached is no
// reason not to start with stored keys.
Result<void> UeAgent::prepare() {
  if (const auto first = tokens_.start(); !first.ok()) {
    if (!config_.kms.token_endpoint || first.error().code != Errc::transport) return first.error();
    say_("no access token yet: " + first.error().text());
  }
  OpenedRing ring = TRY(open_ring(config_, random_));
  say_what_became_of(ring);
  const KmsAnswers stored = ring.of_another ? KmsAnswers{} : TRY(load_keys(ring.store, config_.kms));
  auto fetched = kms_.fetch();
  if (fetched.ok()) {
    keys_.emplace(TRY(join_keys(std::move(fetched).value(), stored, identity(), config_.kms, clock_.now())));
    if (ring.of_another) {  // not before its KMS has answered: a mistyped name moves nothing
      ring = TRY(replace_ring(std::move(ring), config_, random_));
      say_what_became_of(ring);
    }
    Writes writes = std::move(ring.owner);
    for (Write& one : writes_of(keys_->answers)) writes.push_back(std::move(one));
    TRY(ring.store.commit(writes));
    TRY(use_stored(config_.kms, keys_->answers));
    if (keys_->in_force.revoked) return revoked();
  } else {
    TRY(start_from_store(stored,
                         fetched.error()));  // never with another's ring: it has stored nothing of ours
  }
  store_.emplace(std::move(ring.store));
  for (const Error& warning : keys_->in_force.warnings) say_(warning.text());
  say_tolerated();
  ue_ = std::make_unique<ue::Ue>(
      ue::Surroundings{config_.domain, keys_->in_force.domains, keys_->in_force.key_sets, clock_});
  TRY(store_->load({"ring", "seen", "receipt", "document"},
                   [this](const Record& record) { return ue_->restore(record); }));
  TRY(store_->load({"regrouped"}, [this](const Record& record) { return restore_regrouped(record); }));
  for (const std::string& group : ue_->documents()) groups_.insert(group);
  http::ClientOptions options;
  options.ca_file = config_.gms_ca_file;
  http_ = TRY(http::Client::make(options));
  subscriber_ = std::make_unique<sip::Subscriber>(sip::SubscriberState{}, random_);
  return {};
}

// Once, and again only when it becomes otherwise.
void UeAgent::say_tolerated() {
  const std::string line = tolerated_line(config_.kms.profile, keys_->in_force.tolerated);
  if (!line.empty() && line != tolerated_) say_(line);
  tolerated_ = line;
}

Error UeAgent::revoked() const {
  return fail(Errc::revoked, "TS 33.180 D.3.3",
              "the KMS has revoked " + identity() + "; its key sets are erased here",
              "ask the KMS operator for another identity");
}

// A KMS that answers has the last word: only one that cannot be reached lets stored keys serve.
Result<void> UeAgent::start_from_store(const KmsAnswers& stored, const Error& unreachable) {
  if (unreachable.code != Errc::transport || stored.init.empty()) return Error(unreachable);
  KmsAnswers again{stored.init.duplicate(),
                   stored.keyprov.duplicate(),
                   stored.certcache.duplicate(),
                   stored.previous.duplicate(),
                   {},
                   stored.next.duplicate()};
  auto joined = join_keys(std::move(again), stored, identity(), config_.kms, clock_.now());
  if (!joined.ok())
    return std::move(joined).error().with("the KMS cannot be reached (" + unreachable.detail +
                                          "), and the stored keys do not serve");
  say_("starting with stored keys: " + unreachable.text());
  last_fetch_.was(LastFetch::Outcome::failed, std::chrono::seconds(config_.kms.asked_to_wait->exchange(0)));
  keys_.emplace(std::move(joined).value());
  stale_ = true;
  return {};
}

void UeAgent::start(std::function<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  transport_.serve(contact_user_, [this](sip::Incoming in) { incoming(std::move(in)); });
  plan_refetch();
  step();
  send_receipts();
}

void UeAgent::stop() {
  stopped_ = true;
  transport_.serve(contact_user_, {});
  kms_.stop();
  tokens_.stop();
}

void UeAgent::plan_refetch() {
  const auto wait = next_fetch(clock_.now(), held_in(keys_->in_force), last_fetch_, drawn());
  refetch_at_ = clock_.now().plus(std::chrono::ceil<std::chrono::seconds>(wait).count());
  look_at_the_clock(++refetch_serial_);
}

// Once an hour at least: it may be set.
void UeAgent::look_at_the_clock(std::uint64_t serial) {
  const std::int64_t left = refetch_at_.seconds - clock_.now().seconds;
  const bool last_look = left <= 3600;
  loop_.post_in(std::chrono::seconds(std::clamp<std::int64_t>(left, 1, 3600)), [this, serial, last_look] {
    if (stopped_ || serial != refetch_serial_) return;
    if ((stale_ && last_look) || clock_.now() >= refetch_at_) return refetch();
    look_at_the_clock(serial);
  });
}

// The KMS is asked on another thread: the loop goes on.
void UeAgent::refetch() {
  if (stopped_ || std::exchange(refetching_, true)) return;
  kms_.fetch_in_background([this](Result<KmsAnswers> answers) {
    auto shared = std::make_shared<Result<KmsAnswers>>(std::move(answers));
    loop_.post([this, shared] { refetched(std::move(*shared)); });
  });
}

void UeAgent::refetched(Result<KmsAnswers> answers) {
  refetching_ = false;
  if (stopped_) return;
  auto joined = answers.ok() ? join_keys(std::move(answers).value(), keys_->answers, identity(), config_.kms,
                                         clock_.now())
                             : Result<ClientKeys>(std::move(answers).error());
  stale_ = !joined.ok();
  if (joined.ok()) {
    joined.value().answers.empty ? last_fetch_.was(LastFetch::Outcome::empty) : last_fetch_.took_keys();
    commit(writes_of(joined.value().answers));
    if (const auto taken = use_stored(config_.kms, joined.value().answers); !taken.ok())
      say_(taken.error().text());
    *keys_ = std::move(joined).value();  // in place: the domain of this client refers to it
    for (const Error& warning : keys_->in_force.warnings) say_(warning.text());
    say_tolerated();
    if (keys_->in_force.revoked) say_(revoked().text());
    for (const std::string& group : groups_) fetch(Document::keys, group);  // what did not open may open now
  } else {
    last_fetch_.was(LastFetch::Outcome::failed, std::chrono::seconds(config_.kms.asked_to_wait->exchange(0)));
    say_("no new keys: " + joined.error().text());
  }
  plan_refetch();
}

// Then goes on, with a new token or the failure to get one.
void UeAgent::renew_token(std::function<void()> then) {
  tokens_.renew([this, then = std::move(then)] {
    loop_.post([this, then] {
      if (!stopped_) then();
    });
  });
}

// Stored before spoken: the ring is on disk before any receipt or event leaves.
void UeAgent::take(ue::Received received) {
  commit(received.writes);
  for (const Error& why : received.why) say_("refused: " + why.text());
  for (const ue::Tolerated& one : received.tolerated)
    say_("tolerated " + std::string(gktp::name_of(one.tolerance)) + " of " + one.initiator + ", time " +
         std::to_string(one.times));
  for (const ue::KeyEvent& event : received.events) on_event_(event);
  send_receipts();
}

// A client that cannot store must not acknowledge: it ends, and continues from its store.
void UeAgent::commit(const Writes& writes) {
  const auto committed = store_->commit(writes);
  if (committed.ok()) return;
  say_("fatal: " + committed.error().text());
  std::_Exit(1);
}

void UeAgent::settle() {
  if (!on_ready_ || answer_owed_ || notify_owed_ || subscriber_->state().changed) return;
  for (const auto& [key, reading] : reading_)
    if (key.first == Document::keys || !reading.tried) return;
  const auto ready = std::move(on_ready_);
  on_ready_ = nullptr;
  ready();
}

}  // namespace regroup::app
