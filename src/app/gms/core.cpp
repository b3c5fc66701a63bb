// SPDX-License-Identifier: Apache-2.0
#include "app/gms/core.hpp"

#include <cstdlib>

#include "flow/timers.hpp"

namespace regroup::app {

GmsCore::GmsCore(gms::Surroundings with, SealedStore& store, Loop& loop, Say say)
    : gms_(with), store_(store), loop_(loop), say_(std::move(say)) {}

Result<void> GmsCore::start() {
  TRY(store_.load({"group", "key", "ledger", "regroup", "answer"},
                  [this](const Record& record) { return gms_.restore(record); }));
  carry_out(flow::resume(gms_));
  forget_what_is_old();
  return {};
}

// Now and once an hour.
void GmsCore::forget_what_is_old() {
  carry_out(flow::sweep(gms_));
  loop_.post_in(std::chrono::hours(1), [this] { forget_what_is_old(); });
}

void GmsCore::commit(const Writes& writes) {
  const auto committed = store_.commit(writes);
  if (committed.ok()) return;
  say_("fatal: " + committed.error().text());
  std::_Exit(1);
}

void GmsCore::carry_out(gms::Outcome outcome) {
  commit(outcome.writes);
  for (const gms::Effect& effect : outcome.effects) perform(effect);
  if (outcome.more) loop_.post([this] { carry_out(flow::proceed(gms_)); });
  watch_the_clock();
}

void GmsCore::perform(const gms::Effect& effect) {
  if (const auto* reply = std::get_if<gms::Reply>(&effect)) {
    const auto found = tickets_.find(reply->ticket);
    if (found == tickets_.end()) return;
    const OnAnswer done = std::move(found->second);
    tickets_.erase(found);
    done(reply->answer);
  } else if (const auto* changed = std::get_if<gms::DocumentsChanged>(&effect)) {
    if (documents_changed) documents_changed(*changed);
  } else if (const auto* ask = std::get_if<gms::AskPartner>(&effect)) {
    if (ask_partner) ask_partner(*ask);
  } else if (const auto* notify = std::get_if<gms::NotifyPartner>(&effect)) {
    if (notify_partner) notify_partner(*notify);
  } else if (const auto* down = std::get_if<gms::TearDownPartner>(&effect)) {
    if (tear_down_partner) tear_down_partner(*down);
  } else if (const auto* tolerated = std::get_if<gms::Tolerated>(&effect)) {
    count(*tolerated);
  }
}

void GmsCore::count(const gms::Tolerated& effect) {
  const std::string& peer = effect.partner.text();
  for (const gktp::Tolerance one : effect.fired)
    say_("tolerated " + std::string(gktp::name_of(one)) + " of " + peer + ", time " +
         std::to_string(++tolerated_[{peer, one}]));
}

gms::Ticket GmsCore::ticket(OnAnswer done) {
  const gms::Ticket ticket = next_ticket_++;
  tickets_.emplace(ticket, std::move(done));
  return ticket;
}

void GmsCore::watch_the_clock() {
  const auto next = flow::next_deadline(gms_);
  if (!next || (alarm_ && *alarm_ <= *next)) return;
  alarm_ = *next;
  const std::int64_t wait = std::max<std::int64_t>(0, next->seconds - gms_.now().seconds);
  loop_.post_in(std::chrono::milliseconds(wait * 1000 + 50), [this, at = *next] {
    if (alarm_ != at) return;  // an earlier one has replaced it
    alarm_.reset();
    carry_out(flow::tick(gms_));
  });
}

}  // namespace regroup::app
