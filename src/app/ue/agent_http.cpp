// SPDX-License-Identifier: Apache-2.0
// What a client asks and tells its GMS over HTTP: key documents, group documents, key receipts
// (TS 24.481 7.7; PR-26, PR-33).
#include "app/ue/agent.hpp"
#include "base/text.hpp"
#include "http/bearer.hpp"
#include "http/target.hpp"
#include "xcap/group_document.hpp"
#include "xcap/key_receipt.hpp"

namespace regroup::app {
namespace {

constexpr std::chrono::seconds kDeadline(20);
constexpr std::int64_t kReceiptLife = 86'400;  // seconds a receipt is offered (PR-33)

// Statuses after which the same request may succeed later; 0: no answer.
bool passing(unsigned status) {
  return status == 0 || status == 401 || status == 408 || status == 429 || (status >= 500 && status != 501);
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

// The temporary groups that a group is part of.
struct RegroupedRecord {
  std::vector<std::string> temporary;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.list(2, "temporary", self.temporary, [](auto& inner, auto& one) { inner.counted(2, "group", one); });
  }
};

// Which keys of ue.toml to look at.
std::string outcome_text(const Result<http::Response>& outcome) {
  if (!outcome.ok()) return outcome.error().text() + "; check xcap_root and tls.gms_ca";
  const unsigned status = outcome.value().status;
  return "HTTP " + std::to_string(status) +
         (status == 401 ? "; check [token] and mcptt_id" : "; see the log of the GMS");
}

std::string answered_with(unsigned status) {
  const char* const keys = status == 403 ? "mcptt_id and [token]" : "xcap_root";
  return " was answered " + std::to_string(status) + "; check " + keys + ", and see the log of the GMS";
}

}  // namespace

std::vector<ue::Payload> payloads_of(std::vector<xcap::GktpPayload> all) {
  std::vector<ue::Payload> out;
  for (xcap::GktpPayload& one : all)
    out.push_back({std::move(one.message), std::move(one.temporary), one.parent == xcap::GktpParent::mkfc});
  return out;
}

Result<http::ClientRequest> UeAgent::request_for(const xcap::Address& address) {
  http::ClientRequest request;
  request.url = config_.xcap_root + xcap::write_address(address);
  request.proxy = config_.http_proxy;
  const SecretOctets token = TRY(tokens_.token());
  http::add_bearer(request.headers, token.expose());
  return request;
}

// The second way to a key: GET of the key document (PR-2). One request a document at a time.
void UeAgent::fetch(Document what, const std::string& group) {
  Reading& reading = reading_[{what, group}];
  if (reading.out) {
    reading.again = true;
    return;
  }
  send_fetch({what, group});
}

void UeAgent::send_fetch(const ReadingKey& key) {
  Reading& reading = reading_[key];
  reading.serial = ++reading_serial_;
  reading.told = told_[key.second];
  reading.out = true;
  reading.again = false;
  auto request = request_for(key.first == Document::keys ? xcap::gktp_address(key.second)
                                                         : xcap::group_address(key.second));
  if (!request.ok()) {
    loop_.post(
        [this, key, serial = reading.serial, error = request.error()] { fetched(key, serial, error); });
    return;
  }
  http_->call(std::move(request).value(), kDeadline,
              [this, key, serial = reading.serial](Result<http::Response> outcome) {
                auto shared = std::make_shared<Result<http::Response>>(std::move(outcome));
                loop_.post([this, key, serial, shared] { fetched(key, serial, *shared); });
              });
}

void UeAgent::fetched(const ReadingKey& key, std::uint64_t serial, const Result<http::Response>& outcome) {
  const auto found = reading_.find(key);
  if (stopped_ || found == reading_.end() || found->second.serial != serial) return;
  Reading& reading = found->second;
  reading.out = false;
  reading.tried = true;
  if (key.first == Document::keys) first_read(key.second);
  // A NOTIFY has overtaken this answer: an older document must not withdraw a newer key.
  const bool overtaken = key.first == Document::keys && told_[key.second] != reading.told;
  if (overtaken || reading.again) return send_fetch(key);
  const unsigned status = outcome.ok() ? outcome.value().status : 0;
  const auto send_again = [this, key, serial] {
    const auto waiting = reading_.find(key);
    if (!stopped_ && waiting != reading_.end() && waiting->second.serial == serial) send_fetch(key);
  };
  if (status == 401 && !std::exchange(reading.token_renewed, true)) return renew_token(send_again);
  if (passing(status)) {
    say_("GET of a document of " + key.second + ": " + outcome_text(outcome) + "; it is tried again");
    if (status == 401) renew_token([] {});
    loop_.post_in(reading.back_off.next(), send_again);
    return settle();
  }
  reading_.erase(found);
  if (key.first == Document::keys)
    read_keys_of(key.second, outcome.value());
  else
    read_group(key.second, outcome.value());
  settle();
}

void UeAgent::read_keys_of(const std::string& group, const http::Response& response) {
  if (response.status == 404) return take(ue_->document(group, {}));
  if (response.status != 200) return say_("GET of the keys of " + group + answered_with(response.status));
  auto payloads = xcap::parse_gktp(response.body.view());
  if (!payloads.ok())
    return say_("the key document of " + group + " could not be read: " + payloads.error().text());
  take(ue_->document(group, payloads_of(std::move(payloads).value())));
}

// The group document says what the group is part of (on-network-regrouped, TS 24.481 7.2.4).
void UeAgent::read_group(const std::string& group, const http::Response& response) {
  if (response.status != 200) return say_("GET of the group " + group + answered_with(response.status));
  const auto document = xcap::parse_group_document(response.body.view());
  if (!document.ok())
    return say_("the document of " + group +
                " could not be read: " + printable(document.error().phrase, 200));
  std::string etag(response.headers.find("ETag").value_or(""));
  std::erase(etag, '"');
  group_etags_.insert_or_assign(group, std::move(etag));
  std::set<std::string> temporary;
  for (const xcap::Regrouped& one : document.value().regrouped) temporary.insert(one.temporary);
  regrouped(group, std::move(temporary));
}

// Told, then stored: a client that is killed between says it once more after its restart, but never leaves
// out a "released" of what ended while it was down.
void UeAgent::regrouped(const std::string& group, std::set<std::string> temporary) {
  std::set<std::string>& known = regrouped_[group];
  if (known == temporary) return;
  for (const std::string& one : temporary)
    if (!known.count(one)) tell("regrouped", group, one);
  for (const std::string& one : known)
    if (!temporary.count(one)) tell("released", group, one);
  known = std::move(temporary);
  Writes writes;
  writes.push_back(Write{"regrouped", group, std::nullopt});
  if (!known.empty()) writes.back().value = encode_record(RegroupedRecord{{known.begin(), known.end()}});
  commit(writes);
}

Result<void> UeAgent::restore_regrouped(const Record& record) {
  const auto stored = TRY(decode_record<RegroupedRecord>(record.value.expose(), record.kind));
  regrouped_[record.id].insert(stored.temporary.begin(), stored.temporary.end());
  return {};
}

void UeAgent::tell(const char* event, const std::string& group, const std::string& reason) {
  ue::KeyEvent out;
  out.event = event;
  out.group = group;
  out.reason = reason;
  on_event_(out);
}

void UeAgent::send_receipts() {
  if (!config_.receipts || receipts_refused_ || receipts_out_ || receipts_waiting_ || stopped_) return;
  const auto pending = ue_->receipts();
  if (pending.empty()) return;
  const ue::Receipt& first = pending.front();
  receipts_since_.emplace(hex(first.message), clock_.now());
  receipts_out_ = true;
  auto request = request_for(xcap::gktp_address(first.document));
  if (!request.ok()) {
    loop_.post([this, first, error = request.error()] { receipt_answered(first, error); });
    return;
  }
  const xcap::Receipt wire = receipt_of(first);
  request.value().method = "POST";
  request.value().headers.add("Content-Type", std::string(xcap::mime::kKeyReceipt));
  request.value().body = to_octets(view(xcap::write_key_receipt(std::span(&wire, 1))));
  http_->call(std::move(request).value(), kDeadline, [this, first](Result<http::Response> outcome) {
    auto shared = std::make_shared<Result<http::Response>>(std::move(outcome));
    loop_.post([this, first, shared] { receipt_answered(first, *shared); });
  });
}

void UeAgent::receipt_answered(const ue::Receipt& receipt, const Result<http::Response>& outcome) {
  receipts_out_ = false;
  if (stopped_) return;
  const unsigned status = outcome.ok() ? outcome.value().status : 0;
  const auto send_again = [this] {
    receipts_waiting_ = false;
    send_receipts();
  };
  if (status == 401 && !std::exchange(receipt_token_renewed_, true)) {
    receipts_waiting_ = true;
    return renew_token(send_again);
  }
  const auto since = receipts_since_.find(hex(receipt.message));
  const bool old = since != receipts_since_.end() && clock_.now() >= since->second.plus(kReceiptLife);
  if (passing(status) && !old) {
    say_("a key receipt for " + receipt.group + ": " + outcome_text(outcome) + "; it is tried again");
    if (status == 401) renew_token([] {});
    receipts_waiting_ = true;
    loop_.post_in(receipt_back_off_.next(), send_again);
    return;
  }
  if (status >= 300)
    say_("a key receipt for " + receipt.group + " was answered " + std::to_string(status) +
         "; it is not sent again");
  // This GMS takes none: not again until the next start.
  if (status == 405 || status == 501) receipts_refused_ = true;
  receipt_token_renewed_ = false;
  receipt_back_off_.reset();
  receipts_since_.erase(hex(receipt.message));
  commit(ue_->delivered(receipt));
  send_receipts();
}

}  // namespace regroup::app
