// SPDX-License-Identifier: Apache-2.0
#include "app/gms/subscriptions.hpp"

#include "base/text.hpp"
#include "flow/timers.hpp"
#include "gms/delivery.hpp"
#include "http/target.hpp"
#include "sip/multipart.hpp"
#include "xcap/mcptt_info.hpp"
#include "xcap/resource_lists.hpp"

namespace regroup::app {
namespace {

constexpr std::size_t kMostSubscriptions = 100'000;
constexpr std::size_t kMostOfOne = 8;  // a person's devices; the oldest subscription makes room
constexpr std::int64_t kLongest = 86'400;

// A subscription as it is stored.
struct Stored {
  std::string identity, dialog, event;
  NtpTime token_expires, expires_at;
  struct Told {
    std::string name, etag;
  };
  struct Entry {
    std::string sel;
    std::vector<Told> told;
  };
  std::vector<Entry> watches;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "identity", self.identity);
    io.counted(4, "dialog", self.dialog);
    io.counted(2, "event", self.event);
    for (auto* time : {&self.token_expires, &self.expires_at}) {
      io.uint(8, "time", time->seconds);
      io.uint(4, "time", time->fraction);
    }
    io.list(4, "watches", self.watches, [](auto& in, auto& watch) {
      in.counted(2, "sel", watch.sel);
      in.list(4, "told", watch.told, [](auto& inner, auto& told) {
        inner.counted(2, "name", told.name);
        inner.counted(1, "etag", told.etag);
      });
    });
  }
};

// Selects an element at or below one of the two key parents.
bool selects_keys(const xcap::Address& address) {
  if (!address.node || address.node->target != xcap::Target::element || address.node->steps.size() < 2)
    return false;
  const std::string& parent = address.node->steps[1].name;
  return parent == xcap::name_of(xcap::GktpParent::gmk) || parent == xcap::name_of(xcap::GktpParent::mkfc);
}

// The part of a token's life that a subscription can use, in seconds.
std::uint32_t life_of(NtpTime token_expires, NtpTime now) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(token_expires.seconds - now.seconds, 0, kLongest));
}

Result<Watch> watch_of(const std::string& sel, const std::string& root) {
  Watch watch;
  watch.sel = sel;
  watch.address = TRY(xcap::parse_address(TRY(xcap::below_root(sel, root))));
  return watch;
}

}  // namespace

void Subscriptions::attach(GmsCore& core) {
  core_ = &core;
  documents_.emplace(core.gms());
}

Result<void> Subscriptions::restore(const Record& record) {
  const Stored stored = TRY(decode_record<Stored>(record.value.expose(), "subscription"));
  Subscription subscription;
  subscription.identity = stored.identity;
  subscription.token_expires = stored.token_expires;
  subscription.dialog = TRY(sip::parse_dialog(stored.dialog));
  subscription.notifier.dialog = subscription.dialog.id();
  subscription.notifier.event = stored.event;
  subscription.notifier.expires_at = stored.expires_at;
  for (const Stored::Entry& entry : stored.watches) {
    Watch watch = TRY(watch_of(entry.sel, access_.xcap_root));
    for (const Stored::Told& told : entry.told) watch.told.emplace(told.name, told.etag);
    subscription.watches.push_back(std::move(watch));
  }
  by_identity_[subscription.identity].insert(subscription.dialog.id());
  subscriptions_.insert_or_assign(subscription.dialog.id(), std::move(subscription));
  return {};
}

void Subscriptions::resume() {
  std::vector<sip::DialogId> ids;
  for (auto& [id, subscription] : subscriptions_) {
    const auto restored = transport_.restore(subscription.dialog);
    if (!restored.ok())
      core_->say("subscription of " + subscription.identity + " is lost: " + restored.error().text());
    ids.push_back(id);
  }
  for (const sip::DialogId& id : ids) flush(id);
  check_times();
}

void Subscriptions::store(const Subscription& subscription) {
  Stored stored;
  stored.identity = subscription.identity;
  const auto dialog = transport_.dialog(subscription.dialog.id());
  stored.dialog = sip::write_dialog(dialog.value_or(subscription.dialog));
  stored.event = subscription.notifier.event;
  stored.token_expires = subscription.token_expires;
  stored.expires_at = subscription.notifier.expires_at;
  for (const Watch& watch : subscription.watches) {
    Stored::Entry entry;
    entry.sel = watch.sel;
    for (const auto& [name, etag] : watch.told) entry.told.push_back({name, etag});
    stored.watches.push_back(std::move(entry));
  }
  Writes writes;
  writes.push_back(Write{"subscription", subscription.dialog.id(), encode_record(stored)});
  core_->commit(writes);
}

// The body of a SUBSCRIBE: who (the token in mcptt-info) and what (resource-lists), in any order of parts.
std::variant<Subscriptions::Wanted, sip::Response> Subscriptions::read(const sip::Request& request) const {
  if (!sip::is_multipart(request.content_type))
    return sip::make_response(415, {{"Accept", "multipart/mixed"}});
  const auto parts = sip::parse_multipart(request.content_type, request.body);
  if (!parts.ok()) return sip::make_response(400);
  const sip::Part* info_part = sip::find_part(parts.value(), xcap::mime::kMcpttInfo);
  const sip::Part* lists_part = sip::find_part(parts.value(), xcap::mime::kResourceLists);
  if (!info_part) return sip::make_response(403);
  if (!lists_part) return sip::make_response(400);
  const auto info = xcap::parse_mcptt_info(info_part->body);
  if (!info.ok()) return sip::make_response(400);
  const auto claims =
      http::verify(text_of(info.value().access_token.expose()), access_.jwks(), access_.policy, clock_.now());
  if (!claims.ok() && claims.error().code == Errc::transport)
    return sip::make_response(503, {{"Retry-After", "60"}});
  if (!claims.ok()) return sip::make_response(403);
  const auto uris = xcap::parse_resource_lists(lists_part->body);
  if (!uris.ok()) return sip::make_response(uris.error().code == Errc::limit ? 413 : 400);
  Wanted wanted{claims.value().identity, claims.value().expires, {}};
  for (const std::string& uri : uris.value()) {
    auto watch = watch_of(uri, access_.xcap_root);
    if (watch.ok() && permitted(wanted.identity, watch.value()))
      wanted.watches.push_back(std::move(watch).value());
  }
  if (wanted.watches.empty()) return sip::make_response(403);
  return wanted;
}

// A member, owner or creator may watch a group; everybody may watch key documents by ID (what is not for him
// does not exist for him) and his own collection, nobody another's.
bool Subscriptions::permitted(const std::string& identity, const Watch& watch) const {
  const xcap::Address& address = watch.address;
  if (!address.global) return address.auid == xcap::auid::kGktp && address.xui == identity;
  if (address.auid == xcap::auid::kGktp)
    return !address.group_id().empty() && (!address.node || selects_keys(address));
  if (address.auid != xcap::auid::kGroups || address.group_id().empty() || address.node) return false;
  const gms::Group* group = core_->gms().group(address.group_id());
  return group && documents_->knows(identity, *group);
}

void Subscriptions::incoming(sip::Incoming incoming) {
  if (incoming.request.method != "SUBSCRIBE")
    return transport_.answer(incoming.transaction, sip::make_response(405, {{"Allow", "SUBSCRIBE"}}));
  if (!incoming.dialog) return begin(incoming);
  const auto found = subscriptions_.find(*incoming.dialog);
  if (found == subscriptions_.end()) return transport_.answer(incoming.transaction, sip::make_response(481));
  refresh(incoming, found->second);
}

void Subscriptions::begin(const sip::Incoming& incoming) {
  if (incoming.request.request_uri != access_.gms_uri)
    return transport_.answer(incoming.transaction, sip::make_response(404));
  if (subscriptions_.size() >= kMostSubscriptions)
    return transport_.answer(incoming.transaction, sip::make_response(503, {{"Retry-After", "60"}}));
  auto wanted = read(incoming.request);
  if (auto* refusal = std::get_if<sip::Response>(&wanted))
    return transport_.answer(incoming.transaction, std::move(*refusal));
  Wanted& who = std::get<Wanted>(wanted);
  const sip::Verdict verdict =
      sip::judge_subscribe(incoming.request, {}, life_of(who.token_expires, clock_.now()));
  if (verdict.refusal) return transport_.answer(incoming.transaction, *verdict.refusal);
  make_room_for(who.identity);
  const auto dialog = transport_.accept_dialog(incoming.transaction);
  if (!dialog.ok()) return transport_.answer(incoming.transaction, sip::make_response(400));
  Subscription subscription;
  subscription.identity = who.identity;
  subscription.token_expires = who.token_expires;
  subscription.watches = std::move(who.watches);
  subscription.dialog = dialog.value();
  const sip::DialogId id = subscription.dialog.id();
  subscription.notifier = sip::Notifier::begin(id, incoming.request, verdict.expires, clock_.now()).state();
  subscription.owed = true;
  store(subscription);
  by_identity_[subscription.identity].insert(id);
  subscriptions_.insert_or_assign(id, std::move(subscription));
  transport_.answer(incoming.transaction, sip::granted(verdict.expires));
  flush(id);
}

// Nobody can fill the table alone.
void Subscriptions::make_room_for(const std::string& identity) {
  const auto own = by_identity_.find(identity);
  if (own == by_identity_.end() || own->second.size() < kMostOfOne) return;
  const auto oldest =
      std::min_element(own->second.begin(), own->second.end(), [this](const auto& a, const auto& b) {
        return subscriptions_.at(a).notifier.expires_at < subscriptions_.at(b).notifier.expires_at;
      });
  drop(sip::DialogId(*oldest));
}

// In the dialog: a body is a new full list of the same subscriber; without one set and identity stay (PR-31).
void Subscriptions::refresh(const sip::Incoming& incoming, Subscription& subscription) {
  Subscription next = subscription;
  if (!incoming.request.body.empty()) {
    auto wanted = read(incoming.request);
    if (auto* refusal = std::get_if<sip::Response>(&wanted))
      return transport_.answer(incoming.transaction, std::move(*refusal));
    Wanted& who = std::get<Wanted>(wanted);
    if (who.identity != subscription.identity)
      return transport_.answer(incoming.transaction, sip::make_response(403));
    for (Watch& watch : who.watches)
      for (const Watch& known : subscription.watches)
        if (known.sel == watch.sel) watch.told = known.told;
    next.token_expires = who.token_expires;
    next.watches = std::move(who.watches);
    next.telling.clear();  // a NOTIFY that is out told of the old list: its answer proves nothing
  }
  sip::Notifier notifier(next.notifier);
  const sip::Verdict verdict =
      notifier.refresh(incoming.request, clock_.now(), life_of(next.token_expires, clock_.now()));
  if (verdict.refusal) return transport_.answer(incoming.transaction, *verdict.refusal);
  const auto dialog = transport_.accept_dialog(incoming.transaction);
  if (!dialog.ok()) return transport_.answer(incoming.transaction, sip::make_response(500));
  next.notifier = notifier.state();
  next.dialog = dialog.value();
  next.owed = true;
  subscription = std::move(next);
  store(subscription);
  transport_.answer(incoming.transaction, sip::granted(verdict.expires));
  flush(subscription.dialog.id());
}

void Subscriptions::changed(const std::vector<gms::McpttId>& members) {
  std::set<sip::DialogId> affected;
  for (const gms::McpttId& member : members)
    if (const auto found = by_identity_.find(member.text()); found != by_identity_.end())
      affected.insert(found->second.begin(), found->second.end());
  for (const sip::DialogId& id : affected) flush(id);
}

// Key content inside the NOTIFY (RFC 5874 4.4): the selected element as it is for this subscriber, or that it
// is gone.
void Subscriptions::compare_keys(const Watch& watch, Subscription& subscription,
                                 std::map<std::string, std::string>& telling, xcap::XcapDiff& out) const {
  const std::string group = watch.address.group_id();
  auto part = documents_->key_part(subscription.identity, group, watch.address.node->steps);
  const auto told = watch.told.find(group);
  const std::string before = told == watch.told.end() ? std::string() : told->second;
  if (part) telling[group] = part->etag;
  if (before == (part ? part->etag : std::string())) return;
  xcap::ElementDiff diff;
  diff.sel = watch.sel;
  if (part) diff.content = std::move(part->element);
  if (part) subscription.carried.insert(subscription.carried.end(), part->hashes.begin(), part->hashes.end());
  out.elements.push_back(std::move(diff));
}

// True when it has something to tell.
bool Subscriptions::compare_document(const Watch& watch, const std::string& name, const std::string& sel,
                                     const std::optional<std::string>& etag,
                                     std::map<std::string, std::string>& telling, xcap::XcapDiff& out) const {
  const auto told = watch.told.find(name);
  const std::string before = told == watch.told.end() ? std::string() : told->second;
  if (etag) telling[name] = *etag;
  if (before == etag.value_or("")) return false;
  xcap::DocumentDiff diff;
  diff.sel = sel;
  diff.previous_etag = before;
  diff.new_etag = etag.value_or("");
  out.documents.push_back(std::move(diff));
  return true;
}

xcap::XcapDiff Subscriptions::difference(Subscription& subscription) const {
  xcap::XcapDiff out;
  out.root = access_.xcap_root;
  subscription.telling.clear();
  subscription.told_of.clear();
  subscription.carried.clear();
  for (const Watch& watch : subscription.watches) {
    std::map<std::string, std::string> telling;
    const std::string group = watch.address.group_id();
    if (watch.address.collection) {
      std::set<std::string> names;
      for (const auto& [name, etag] : watch.told) names.insert(name);
      for (const std::string& name : documents_->collection(subscription.identity)) names.insert(name);
      for (const std::string& name : names) {
        const auto rendered = documents_->keys(subscription.identity, name);
        if (compare_document(watch, name, watch.sel + http::percent_encode(name),
                             rendered ? std::optional(rendered->etag) : std::nullopt, telling, out))
          subscription.told_of.insert(name);
      }
    } else if (watch.address.auid == xcap::auid::kGroups) {
      const auto rendered = documents_->group(subscription.identity, group);
      compare_document(watch, group, watch.sel, rendered ? std::optional(rendered->etag) : std::nullopt,
                       telling, out);
    } else if (watch.address.node) {
      compare_keys(watch, subscription, telling, out);
    } else {
      const auto rendered = documents_->keys(subscription.identity, group);
      if (compare_document(watch, group, watch.sel, rendered ? std::optional(rendered->etag) : std::nullopt,
                           telling, out))
        subscription.told_of.insert(group);
    }
    subscription.telling.push_back(std::move(telling));
  }
  return out;
}

// Sends what is new, unless a NOTIFY is out: then its answer brings us here again (RFC 5875 4.7: one at a
// time).
void Subscriptions::flush(const sip::DialogId& id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  sip::Notifier notifier(subscription.notifier);
  notifier.tick(clock_.now());
  subscription.notifier = notifier.state();
  if (subscription.notifier.phase == sip::NotifierPhase::gone) return drop(id);
  if (!notifier.may_send(clock_.now())) return;
  xcap::XcapDiff diff = difference(subscription);
  const bool closing = subscription.notifier.phase == sip::NotifierPhase::closing;
  if (diff.documents.empty() && diff.elements.empty() && !subscription.owed && !closing) return;
  send(subscription, std::move(diff));
}

void Subscriptions::send(Subscription& subscription, xcap::XcapDiff diff) {
  sip::Notifier notifier(subscription.notifier);
  sip::Request notify = notifier.notify(clock_.now());
  notify.content_type = std::string(xcap::mime::kXcapDiff);
  notify.body = to_octets(view(xcap::write_xcap_diff(diff)));
  notifier.sent();
  subscription.notifier = notifier.state();
  subscription.owed = false;
  const sip::DialogId id = subscription.dialog.id();
  transport_.send(id, std::move(notify),
                  [this, id](Result<sip::Response> outcome) { answered(id, outcome); });
}

void Subscriptions::answered(const sip::DialogId& id, const Result<sip::Response>& outcome) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  sip::Notifier notifier(subscription.notifier);
  notifier.answered(outcome, clock_.now());
  subscription.notifier = notifier.state();
  if (outcome.ok() && outcome.value().success()) {
    for (std::size_t i = 0; i < subscription.watches.size() && i < subscription.telling.size(); ++i)
      subscription.watches[i].told = std::move(subscription.telling[i]);
    const std::vector<Fixed<32>> carried = std::move(subscription.carried);
    const std::set<std::string> told_of = std::move(subscription.told_of);
    const std::string identity = subscription.identity;
    if (subscription.notifier.phase != sip::NotifierPhase::gone) store(subscription);
    core_->carry_out(gms::notified(core_->gms(), identity, told_of, carried));
    core_->carry_out(flow::settle(core_->gms()));
  } else if (subscription.notifier.phase != sip::NotifierPhase::gone) {
    subscription.owed = true;  // check_times() sends it again when the back-off is over
    return;
  }
  flush(id);
}

void Subscriptions::drop(const sip::DialogId& id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  const auto owner = by_identity_.find(found->second.identity);
  if (owner != by_identity_.end()) {
    owner->second.erase(id);
    if (owner->second.empty()) by_identity_.erase(owner);
  }
  transport_.forget(id);
  Writes writes;
  writes.push_back(Write{"subscription", id, std::nullopt});
  subscriptions_.erase(found);
  core_->commit(writes);
}

// Ends what has run out and sends again what got no answer; once a second is fine for both.
void Subscriptions::check_times() {
  std::vector<sip::DialogId> due;
  for (const auto& [id, subscription] : subscriptions_)
    if (subscription.owed || subscription.notifier.expires_at <= clock_.now()) due.push_back(id);
  for (const sip::DialogId& id : due) flush(id);
  loop_.post_in(std::chrono::milliseconds(1000), [this] { check_times(); });
}

}  // namespace regroup::app
