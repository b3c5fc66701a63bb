// SPDX-License-Identifier: Apache-2.0
#include "app/ue/agent.hpp"

#include <fstream>

#include "base/text.hpp"
#include "http/target.hpp"
#include "sip/multipart.hpp"
#include "xcap/key_receipt.hpp"
#include "xcap/mcptt_info.hpp"
#include "xcap/resource_lists.hpp"
#include "xcap/xcap_diff.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kService = "urn:urn-7:3gpp-service.ims.icsi.mcptt";

std::vector<ue::Payload> payloads_of(const std::vector<xcap::GktpPayload>& all) {
  std::vector<ue::Payload> out;
  for (const xcap::GktpPayload& one : all)
    out.push_back({one.message, one.temporary, one.parent == xcap::GktpParent::mkfc});
  return out;
}

xcap::Receipt receipt_of(const ue::Receipt& receipt) {
  xcap::Receipt out;
  out.message = receipt.message;
  for (const auto result :
       {xcap::ReceiptResult::installed, xcap::ReceiptResult::withdrawn, xcap::ReceiptResult::expired,
        xcap::ReceiptResult::revoked, xcap::ReceiptResult::wrong_group, xcap::ReceiptResult::bad_signature,
        xcap::ReceiptResult::undecryptable, xcap::ReceiptResult::malformed, xcap::ReceiptResult::unknown_kms,
        xcap::ReceiptResult::not_authorised})
    if (xcap::name_of(result) == receipt.result) out.result = result;
  if (out.result == xcap::ReceiptResult::expired && !receipt.gmk_id)
    out.result = xcap::ReceiptResult::undecryptable;
  if (xcap::knows_gmk_id(out.result) && receipt.gmk_id) out.gmk_id = receipt.gmk_id->value;
  out.group = receipt.group;
  return out;
}

}  // namespace

UeAgent::UeAgent(UeConfig config, sip::Transport& transport, Loop& loop, Random& random, const Clock& clock,
                 Say say, std::function<void(const ue::KeyEvent&)> on_event)
    : config_(std::move(config)),
      transport_(transport),
      loop_(loop),
      random_(random),
      clock_(clock),
      say_(std::move(say)),
      on_event_(std::move(on_event)) {
  contact_user_ = "ue-" + hex(random_.octets<6>());
}

Result<std::string> UeAgent::token() const {
  std::ifstream file(config_.kms.token_file);
  std::string token;
  if (!std::getline(file, token) || token.empty())
    return fail(Errc::usage, "TS 33.180 B.10",
                "the token file " + config_.kms.token_file + " cannot be read");
  return token;
}

Result<void> UeAgent::prepare() {
  store_.emplace(TRY(SealedStore::open_file(config_.ring_file, "ue", config_.passphrase_file, random_)));
  auto fetched = fetch_keys(config_.kms, identity());
  if (fetched.ok()) {
    keys_.emplace(TRY(read_keys(fetched.value(), identity(), config_.kms.uri, clock_.now())));
    TRY(store_->commit(writes_of(fetched.value())));
  } else {
    KmsAnswers kept;
    TRY(store_->load({"kms"}, [&](const Record& record) {
      take_record(record, kept);
      return Result<void>();
    }));
    if (kept.init.empty()) return fetched.error();
    say_("the KMS is out of reach; starting with stored keys");
    keys_.emplace(TRY(read_keys(kept, identity(), config_.kms.uri, clock_.now())));
  }
  ue_ = std::make_unique<ue::Ue>(ue::Surroundings{config_.domain, keys_->domains, keys_->key_sets, clock_});
  TRY(store_->load({"ring", "seen", "receipt", "document"},
                   [this](const Record& record) { return ue_->restore(record); }));
  for (const std::string& group : ue_->documents()) groups_.insert(group);
  http::ClientOptions options;
  options.ca_file = config_.gms_ca_file;
  http_ = TRY(http::Client::make(options));
  subscriber_ = std::make_unique<sip::Subscriber>(sip::SubscriberState{}, random_);
  return {};
}

void UeAgent::start(std::function<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  transport_.serve(contact_user_, [this](sip::Incoming in) { incoming(std::move(in)); });
  step();
}

void UeAgent::stop() {
  stopped_ = true;
  transport_.serve(contact_user_, {});
}

// Documents and elements to watch: the own collection, and each group found in it with its key parts (PR-26).
std::vector<std::string> UeAgent::wanted() const {
  std::vector<std::string> out{xcap::write_address(xcap::gktp_collection(identity()))};
  for (const std::string& group : groups_) {
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

void UeAgent::step() {
  if (stopped_) return;
  const sip::Step next = subscriber_->next(clock_.now());
  if (!next.discard.empty()) transport_.forget(next.discard);
  switch (next.act) {
    case sip::Act::wait: {
      const std::int64_t wait = std::max<std::int64_t>(0, next.wake_at.seconds - clock_.now().seconds);
      loop_.post_in(std::chrono::milliseconds(std::min<std::int64_t>(wait, 3600) * 1000 + 20),
                    [this] { step(); });
      return;
    }
    case sip::Act::fetch_token:
      subscriber_->token_fetched(token().ok(), clock_.now());
      return step();
    case sip::Act::stop:
      return;
    default:
      return subscribe(next.act);
  }
}

void UeAgent::subscribe(sip::Act act) {
  sip::Request request = subscriber_->subscribe(act);
  request.others.push_back({"P-Preferred-Service", std::string(kService)});
  if (act == sip::Act::open || act == sip::Act::change) {
    const auto credential = token();
    if (!credential.ok()) {
      say_(credential.error().text());
      loop_.post_in(std::chrono::seconds(5), [this] { step(); });
      return;
    }
    xcap::McpttInfo info;
    info.access_token = SecretOctets(view(credential.value()));
    std::string info_text = xcap::write_mcptt_info(info);
    const std::vector<std::string> uris = wanted();
    const auto body = sip::write_multipart(
        {{std::string(xcap::mime::kMcpttInfo), {}, to_octets(view(info_text))},
         {std::string(xcap::mime::kResourceLists), {}, to_octets(view(xcap::write_resource_lists(uris)))}},
        random_);
    xml::wipe(info_text);
    if (!body.ok()) return say_(body.error().text());
    request.content_type = body.value().content_type;
    request.body = body.value().body;
  }
  const auto answered = [this](Result<sip::Response> outcome) {
    if (stopped_) return;
    if (outcome.ok() && !outcome.value().success())
      say_("SUBSCRIBE was answered " + std::to_string(outcome.value().status));
    subscriber_->answered(outcome, clock_.now());
    step();
  };
  if (act == sip::Act::open) {
    sip::Opening opening;
    opening.local_uri = identity();
    opening.request_uri = config_.gms_uri;
    opening.next_hop = config_.sip_route;
    opening.contact_user = contact_user_;
    auto opened = transport_.open(opening, std::move(request), answered);
    if (!opened.ok()) {
      subscriber_->answered(opened.error(), clock_.now());
      say_(opened.error().text());
      loop_.post_in(std::chrono::seconds(1), [this] { step(); });
      return;
    }
    dialog_ = opened.value();
  } else {
    transport_.send(dialog_, std::move(request), answered);
  }
  subscriber_->sent(act, dialog_);
}

void UeAgent::incoming(sip::Incoming in) {
  if (stopped_ || in.request.method != "NOTIFY")
    return transport_.answer(in.transaction, sip::make_response(in.request.method == "NOTIFY" ? 481 : 405));
  const auto verdict = subscriber_->notified(in, clock_.now());
  // The keys it carries are stored before the 200 leaves: the answer is an acknowledgement.
  if (verdict.content) read_notify(in.request);
  transport_.answer(in.transaction, verdict.response);
  step();
  settle();
}

void UeAgent::read_notify(const sip::Request& notify) {
  const auto diff = xcap::parse_xcap_diff(notify.body);
  if (!diff.ok()) return say_("a NOTIFY could not be read: " + diff.error().text());
  for (const xcap::ElementDiff& element : diff.value().elements) {
    const auto relative = xcap::below_root(element.sel, config_.xcap_root);
    const auto address =
        relative.ok() ? xcap::parse_address(relative.value()) : Result<xcap::Address>(relative.error());
    if (!address.ok() || address.value().group_id().empty() || !address.value().node ||
        address.value().node->steps.size() < 2)
      continue;
    ++told_[address.value().group_id()];
    const bool mkfc = address.value().node->steps[1].name == xcap::name_of(xcap::GktpParent::mkfc);
    const auto parent = mkfc ? xcap::GktpParent::mkfc : xcap::GktpParent::gmk;
    std::vector<xcap::GktpPayload> payloads;
    if (element.content) {
      auto read = xcap::read_gktp(*element.content, parent);
      if (!read.ok()) {
        say_("key payloads in a NOTIFY could not be read: " + read.error().text());
        continue;
      }
      payloads = std::move(read).value();
    }
    take(ue_->document(address.value().group_id(), payloads_of(payloads),
                       mkfc ? ue::Ue::Part::mkfc : ue::Ue::Part::gmk));
  }
  const std::string collection = xcap::write_address(xcap::gktp_collection(identity()));
  for (const xcap::DocumentDiff& document : diff.value().documents) {
    const auto relative = xcap::below_root(document.sel, config_.xcap_root);
    const auto address =
        relative.ok() ? xcap::parse_address(relative.value()) : Result<xcap::Address>(relative.error());
    if (!address.ok() || address.value().auid != xcap::auid::kGktp) continue;
    const std::string group = address.value().group_id();
    if (group.empty()) continue;
    ++told_[group];
    if (document.new_etag.empty()) {
      take(ue_->document(group, {}));
      if (!address.value().global) group_gone(group);
    } else if (address.value().global || !groups_.count(group)) {
      fetch(group);  // new in our collection, or a document we watch as a whole
      group_seen(group);
    }
  }
  notified_ = true;
}

void UeAgent::group_seen(const std::string& group) {
  if (groups_.insert(group).second) subscriber_->change();
}

void UeAgent::group_gone(const std::string& group) {
  if (groups_.erase(group)) subscriber_->change();
}

// The second way to a key: GET of the key document (gms.md 2, PR-2 a).
void UeAgent::fetch(const std::string& group) {
  const auto credential = token();
  if (!credential.ok()) return say_(credential.error().text());
  http::ClientRequest request;
  request.url = config_.xcap_root + xcap::write_address(xcap::gktp_address(group));
  request.headers.add("Authorization", "Bearer " + credential.value());
  ++fetching_;
  http_->call(std::move(request), std::chrono::seconds(20),
              [this, group, asked_at = told_[group]](Result<http::Response> outcome) {
                auto shared = std::make_shared<Result<http::Response>>(std::move(outcome));
                loop_.post([this, group, shared, asked_at] {
                  --fetching_;
                  if (stopped_) return;
                  // A NOTIFY has overtaken this answer: an older document must not withdraw a newer key.
                  if (told_[group] != asked_at) return fetch(group);
                  if (!shared->ok()) {
                    say_("GET of the keys of " + group + ": " + shared->error().text());
                    loop_.post_in(std::chrono::seconds(1), [this, group] {
                      if (!stopped_ && groups_.count(group)) fetch(group);
                    });
                    return;
                  }
                  const http::Response& response = shared->value();
                  if (response.status == 200) {
                    const auto payloads = xcap::parse_gktp(response.body.view());
                    if (payloads.ok()) take(ue_->document(group, payloads_of(payloads.value())));
                    if (!payloads.ok())
                      say_("the key document of " + group + " could not be read: " + payloads.error().text());
                  } else if (response.status == 404) {
                    take(ue_->document(group, {}));
                  } else {
                    say_("GET of the keys of " + group + " was answered " + std::to_string(response.status));
                  }
                  settle();
                });
              });
}

// Stored before spoken: the ring is on disk before any receipt or event leaves.
void UeAgent::take(ue::Received received) {
  const auto committed = store_->commit(received.writes);
  if (!committed.ok()) {
    say_("fatal: " + committed.error().text());
    std::_Exit(1);
  }
  for (const Error& why : received.why) say_("refused: " + why.text());
  for (const ue::KeyEvent& event : received.events) on_event_(event);
  send_receipts();
}

void UeAgent::send_receipts() {
  if (!config_.receipts || receipts_refused_ || receipts_out_ || stopped_) return;
  const auto pending = ue_->receipts();
  if (pending.empty()) return;
  const auto credential = token();
  if (!credential.ok()) return;
  const ue::Receipt first = pending.front();
  const xcap::Receipt wire = receipt_of(first);
  http::ClientRequest request;
  request.method = "POST";
  request.url = config_.xcap_root + xcap::write_address(xcap::gktp_address(first.document));
  request.headers.add("Authorization", "Bearer " + credential.value());
  request.headers.add("Content-Type", std::string(xcap::mime::kKeyReceipt));
  request.body = to_octets(view(xcap::write_key_receipt(std::span(&wire, 1))));
  receipts_out_ = true;
  http_->call(std::move(request), std::chrono::seconds(20), [this, first](Result<http::Response> outcome) {
    const unsigned status = outcome.ok() ? outcome.value().status : 0;
    loop_.post([this, first, status] {
      receipts_out_ = false;
      if (stopped_) return;
      if (status == 204 || (status >= 400 && status < 500)) {
        // 405 and 501: this GMS takes none; 404: it never had such a document. Not again either way.
        if (status == 405 || status == 501) receipts_refused_ = true;
        const auto committed = store_->commit(ue_->delivered(first));
        if (!committed.ok()) say_(committed.error().text());
        send_receipts();
        settle();
        return;
      }
      const int failures = ++receipt_failures_[first.document];
      loop_.post_in(std::chrono::seconds(std::min(60, 1 << std::min(failures, 6))),
                    [this] { send_receipts(); });
    });
  });
}

// Ready: a NOTIFY has been read and nothing is on its way.
void UeAgent::settle() {
  if (!on_ready_ || !notified_ || fetching_) return;
  const auto ready = std::move(on_ready_);
  on_ready_ = nullptr;
  ready();
}

}  // namespace regroup::app
