// SPDX-License-Identifier: Apache-2.0
// The subscription of a client: what it asks for, and what a NOTIFY says (TS 24.481 6.3.13; RFC 5875).
#include <algorithm>

#include "app/ue/agent.hpp"
#include "base/text.hpp"
#include "sip/multipart.hpp"
#include "xcap/mcptt_info.hpp"
#include "xcap/resource_lists.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kService = "urn:urn-7:3gpp-service.ims.icsi.mcptt";
constexpr std::string_view kContactFeatures =
    ";+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt\";+g.3gpp.mcptt";

// The address a `sel` names, if it is below our XCAP root and of a group.
std::optional<xcap::Address> address_of(const std::string& sel, const std::string& root) {
  const auto relative = xcap::below_root(sel, root);
  if (!relative.ok()) return std::nullopt;
  auto address = xcap::parse_address(relative.value());
  if (!address.ok() || address.value().group_id().empty()) return std::nullopt;
  return std::move(address).value();
}

// Which keys of ue.toml to look at after such an answer to SUBSCRIBE.
std::string answered_with(int status) {
  const char* const cure = status == 404 ? "check gms_uri, and that sip.route leads to that GMS"
                           : status == 401 || status == 403
                               ? "check [token] and mcptt_id, and that gms_uri and sip.route name the own GMS"
                           : status >= 500 ? "see the log of the GMS"
                                           : "check gms_uri and sip.route";
  return "SUBSCRIBE was answered " + std::to_string(status) + "; " + cure;
}

bool holds_key_of(const ue::KeyRing& ring, const std::string& group) {
  return std::any_of(ring.keys().begin(), ring.keys().end(), [&](const auto& one) {
    return one.second.group == group && one.second.state == ue::KeyState::active;
  });
}

}  // namespace

// Documents and elements to watch: the own collection, and each group found in it with its key parts (PR-26).
std::vector<std::string> UeAgent::wanted() const {
  std::vector<std::string> out{xcap::write_address(xcap::gktp_collection(identity()))};
  for (const std::string& group : groups_) {
    if (unread_.count(group)) continue;
    out.push_back(xcap::write_address(xcap::group_address(group)));
    if (config_.key_in_notify) {
      for (const auto parent : {xcap::GktpParent::gmk, xcap::GktpParent::mkfc})
        out.push_back(xcap::write_address(xcap::gktp_keys(group, xcap::name_of(parent))));
    } else {
      out.push_back(xcap::write_address(xcap::gktp_address(group)));
    }
  }
  return out;
}

void UeAgent::step_in(std::chrono::milliseconds delay) {
  loop_.post_in(delay, [this, serial = ++step_serial_] {
    if (serial == step_serial_) step();
  });
}

void UeAgent::step() {
  if (stopped_) return;
  const sip::Step next = subscriber_->next(clock_.now());
  if (!next.discard.empty()) transport_.forget(next.discard);
  switch (next.act) {
    case sip::Act::wait: {
      const std::int64_t wait = std::max<std::int64_t>(0, next.wake_at.seconds - clock_.now().seconds);
      return step_in(std::chrono::milliseconds(std::min<std::int64_t>(wait, 3600) * 1000 + 20));
    }
    case sip::Act::fetch_token:
      return renew_token([this] {
        subscriber_->token_fetched(tokens_.token().ok(), clock_.now());
        step();
      });
    case sip::Act::stop:
      return;
    default:
      return subscribe(next.act);
  }
}

// The token and the whole set of documents (TS 24.481 6.3.13.2.1).
Result<void> UeAgent::write_wanted(sip::Request& request) {
  xcap::McpttInfo info;
  info.access_token = TRY(tokens_.token());
  std::string info_text = xcap::write_mcptt_info(info);
  std::vector<sip::Part> parts(2);
  parts[0].content_type = xcap::mime::kMcpttInfo;
  parts[0].body = to_octets(view(info_text));
  parts[1].content_type = xcap::mime::kResourceLists;
  parts[1].body = to_octets(view(xcap::write_resource_lists(wanted())));
  auto body = sip::write_multipart(parts, random_);
  wipe(parts[0].body);
  xml::wipe(info_text);
  if (!body.ok()) return std::move(body).error();
  request.content_type = body.value().content_type;
  request.body = std::move(body.value().body);
  return {};
}

void UeAgent::subscribe(sip::Act act) {
  sip::Request request = subscriber_->subscribe(act);
  request.contact = kContactFeatures;  // behind the URI, which the transport writes
  request.others.push_back({"P-Preferred-Service", std::string(kService)});
  const bool with_body = act == sip::Act::open || act == sip::Act::change;
  if (with_body) {
    if (const auto written = write_wanted(request); !written.ok()) {
      say_(written.error().text());
      return step_in(std::chrono::seconds(5));
    }
    answer_owed_ = notify_owed_ = true;
    asked_.clear();
    std::set_difference(groups_.begin(), groups_.end(), unread_.begin(), unread_.end(),
                        std::inserter(asked_, asked_.end()));
  }
  const auto on_answer = [this](Result<sip::Response> outcome) { answered(std::move(outcome)); };
  if (act != sip::Act::open) {
    transport_.send(dialog_, std::move(request), on_answer);
    return subscriber_->sent(act, dialog_);
  }
  full_state_owed_ = true;
  watched_.clear();
  sip::Opening opening;
  opening.local_uri = identity();
  opening.request_uri = config_.gms_uri;
  opening.next_hop = config_.sip_route;
  opening.contact_user = contact_user_;
  const auto opened = transport_.open(opening, std::move(request), on_answer);
  if (!opened.ok()) {
    say_(opened.error().text());
    return step_in(std::chrono::seconds(1));
  }
  dialog_ = opened.value();
  subscriber_->sent(act, dialog_);
}

void UeAgent::answered(Result<sip::Response> outcome) {
  if (stopped_) return;
  if (!outcome.ok())
    say_("SUBSCRIBE: " + outcome.error().text() + "; check sip.route");
  else if (!outcome.value().success())
    say_(answered_with(outcome.value().status));
  else {
    answer_owed_ = false;
    tell_watched();
  }
  // A proxy's 401 means what the GMS's 403 means: the token is read again once, then the pace slows.
  if (outcome.ok() && outcome.value().status == 401) outcome.value().status = 403;
  subscriber_->answered(outcome, clock_.now());
  step();
  settle();
}

void UeAgent::incoming(sip::Incoming in) {
  if (stopped_ || in.request.method != "NOTIFY")
    return transport_.answer(in.transaction, sip::make_response(in.request.method == "NOTIFY" ? 481 : 405));
  const auto verdict = subscriber_->notified(in, clock_.now());
  // The keys it carries are stored before the 200 leaves: the answer is an acknowledgement.
  if (verdict.content) read_notify(in.request);
  transport_.answer(in.transaction, verdict.response);
  if (clock_.now() >= refetch_at_) refetch();  // this machine may have slept
  step();
  settle();
}

void UeAgent::read_notify(const sip::Request& notify) {
  notify_owed_ = false;
  const auto diff = xcap::parse_xcap_diff(notify.body);
  if (!diff.ok()) return say_("a NOTIFY could not be read: " + diff.error().text());
  std::set<std::string> named;
  for (const xcap::ElementDiff& element : diff.value().elements)
    if (const auto address = address_of(element.sel, config_.xcap_root)) {
      named.insert(address->group_id());
      read_element(address->group_id(), *address, element);
    }
  for (const xcap::DocumentDiff& document : diff.value().documents)
    if (const auto address = address_of(document.sel, config_.xcap_root)) {
      if (address->auid == xcap::auid::kGktp) named.insert(address->group_id());
      read_document(address->group_id(), *address, document);
    }
  // The first NOTIFY of a dialog names all there is: what it does not name may be gone, perhaps since long.
  if (!std::exchange(full_state_owed_, false)) return;
  for (const std::string& group : groups_)
    if (!named.count(group)) fetch(Document::keys, group);
}

// A part of a key document, with the payloads themselves (TS 33.179 7.3.4).
void UeAgent::read_element(const std::string& group, const xcap::Address& address,
                           const xcap::ElementDiff& element) {
  if (address.auid != xcap::auid::kGktp || !address.node || address.node->steps.size() < 2) return;
  ++told_[group];
  const bool mkfc = address.node->steps[1].name == xcap::name_of(xcap::GktpParent::mkfc);
  std::vector<ue::Payload> payloads;
  if (element.content) {
    auto read = xcap::read_gktp(*element.content, mkfc ? xcap::GktpParent::mkfc : xcap::GktpParent::gmk);
    if (!read.ok()) return say_("key payloads in a NOTIFY could not be read: " + read.error().text());
    payloads = payloads_of(std::move(read).value());
  }
  take(ue_->document(group, payloads, mkfc ? ue::Ue::Part::mkfc : ue::Ue::Part::gmk));
}

void UeAgent::read_document(const std::string& group, const xcap::Address& address,
                            const xcap::DocumentDiff& document) {
  if (address.auid == xcap::auid::kGroups) {
    if (!document.new_etag.empty() && group_etags_[group] != document.new_etag) fetch(Document::group, group);
    return;
  }
  if (address.auid != xcap::auid::kGktp) return;
  ++told_[group];
  if (document.new_etag.empty()) {
    take(ue_->document(group, {}));
    if (!address.global) group_gone(group);
  } else if (address.global) {
    fetch(Document::keys, group);  // a document we watch as a whole
  } else {
    group_seen(group);
  }
}

// New in our collection. A key of it that came inside the same NOTIFY, with the document of a group that was
// regrouped, is not fetched once more: its document is watched at once, and told whole.
void UeAgent::group_seen(const std::string& group) {
  if (!groups_.insert(group).second) return;
  fetch(Document::group, group);
  if (config_.key_in_notify && holds_key_of(ue_->ring(), group)) return subscriber_->change();
  unread_.insert(group);
  fetch(Document::keys, group);
}

void UeAgent::first_read(const std::string& group) {
  if (!unread_.erase(group)) return;
  subscriber_->change();
  step();
}

// From here on a new key of these groups comes inside a NOTIFY (TS 33.179 7.3.4).
void UeAgent::tell_watched() {
  if (!config_.key_in_notify) return;
  for (const std::string& group : asked_)
    if (watched_.insert(group).second) tell("watching", group);
}

void UeAgent::group_gone(const std::string& group) {
  reading_.erase({Document::keys, group});
  reading_.erase({Document::group, group});
  group_etags_.erase(group);
  if (regrouped_.erase(group)) {
    Writes writes;
    writes.push_back(Write{"regrouped", group, std::nullopt});
    commit(writes);
  }
  for (std::set<std::string>* const of : {&unread_, &asked_, &watched_}) of->erase(group);
  if (groups_.erase(group)) subscriber_->change();
}

}  // namespace regroup::app
