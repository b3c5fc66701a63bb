// SPDX-License-Identifier: Apache-2.0
// Messages off the wire, through Sofia as the transport takes them: what is copied out of them starts no
// header of its own, can be written again and reads the same; both sides of a subscription take whatever they
// say.
#include <sofia-sip/sip_util.h>

#include "refusal.hpp"
#include "sip/sofia_message.hpp"
#include "sip/subscription.hpp"

using namespace regroup;
using namespace regroup::sip;

namespace {

const NtpTime kNow{0xed4fd718, 0};

class Counting final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = next_ += 37;
  }

 private:
  std::uint8_t next_ = 0;
};

struct Parsed {
  explicit Parsed(OctetsView octets)
      : message(msg_make(sip_default_mclass(), 0, octets.data(), static_cast<ssize_t>(octets.size()))) {}
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
  ~Parsed() {
    if (message) msg_destroy(message);
  }
  // The gate of the stack: what fails it never reaches the transport.
  [[nodiscard]] const sip_t* sound() const {
    const sip_t* sip = message && !msg_has_error(message) ? sip_object(message) : nullptr;
    return sip && !sip->sip_error && (sip->sip_request || sip->sip_status) && sip_sanity_check(sip) >= 0
               ? sip
               : nullptr;
  }
  msg_t* message;
};

bool no_line_break(std::string_view value) { return value.find_first_of("\r\n") == std::string_view::npos; }

void expect_values(const Request& r) {
  for (const std::string& value :
       {r.from, r.to, r.call_id, r.contact, r.event, r.accept, r.subscription_state, r.p_asserted_service,
        r.content_type, r.method, r.request_uri})
    FUZZ_EXPECT(no_line_break(value));
  for (const Header& header : r.others)
    FUZZ_EXPECT(no_line_break(header.name) && no_line_break(header.value) && !header.name.empty());
}

void check_again(const Request& request) {
  msg_t* message = msg_create(sip_default_mclass(), 0);
  if (write_request(message, request)) {
    FUZZ_EXPECT(msg_serialize(message, reinterpret_cast<msg_pub_t*>(sip_object(message))) >= 0 &&
                msg_prepare(message) >= 0);
    std::size_t size = 0;
    char* text = msg_as_string(msg_home(message), message, nullptr, 0, &size);
    FUZZ_EXPECT(text != nullptr);
    const Parsed again(view(std::string_view(text, size)));
    if (const sip_t* sip = again.sound(); sip && sip->sip_request) {
      const Request read = read_request(*sip);
      FUZZ_EXPECT(read.method == request.method && read.cseq == request.cseq);
      FUZZ_EXPECT(read.call_id == request.call_id && read.body == request.body);
      FUZZ_EXPECT(tag_in(read.from) == tag_in(request.from) && read.event == request.event);
    }
  }
  msg_destroy(message);
}

// A NOTIFY in our dialog, whatever it says, ends in an answer and a state that goes on or stops.
void check_notify(const Request& request) {
  Counting random;
  SubscriberState state;
  state.dialog = "d";
  Subscriber subscriber(state, random);
  const auto notified = subscriber.notified({1, request, "d"}, kNow);
  FUZZ_EXPECT(notified.content == (notified.response.status == 200));
  FUZZ_EXPECT(check_sendable(notified.response).ok());
  const Step step = subscriber.next(kNow);
  FUZZ_EXPECT(step.act != Act::wait || step.wake_at > kNow);
  FUZZ_EXPECT(subscriber.state().retry_at <= kNow.plus(2 * std::int64_t{kLongestBackOff}));
}

void check_subscribe(const Request& request) {
  const Verdict verdict = judge_subscribe(request, {}, 1800);
  if (verdict.refusal) {
    FUZZ_EXPECT(verdict.refusal->status >= 400 && check_sendable(*verdict.refusal).ok());
    return;
  }
  FUZZ_EXPECT(verdict.expires <= 1800);
  Notifier notifier = Notifier::begin("d", request, verdict.expires, kNow);
  FUZZ_EXPECT(notifier.may_send(kNow));
  FUZZ_EXPECT(no_line_break(notifier.notify(kNow).event));
  const Verdict again = notifier.refresh(request, kNow);
  if (verdict.expires != 0) FUZZ_EXPECT(!again.refusal);
}

void check_answer(const Response& response) {
  Counting random;
  for (const Act act : {Act::open, Act::change, Act::refresh, Act::leave}) {
    SubscriberState state;
    state.phase = act == Act::leave ? SubscriberPhase::leaving : SubscriberPhase::active;
    Subscriber subscriber(state, random);
    subscriber.sent(act, "d");
    subscriber.answered(response, kNow);
    const Step step = subscriber.next(kNow);
    FUZZ_EXPECT(step.act != Act::wait || step.wake_at > kNow);
    FUZZ_EXPECT(subscriber.state().retry_at <= kNow.plus(2 * std::int64_t{kLongestBackOff}));
  }
  NotifierState state;
  state.dialog = "d";
  state.event = "xcap-diff";
  state.expires_at = kNow.plus(60);
  Notifier notifier(state);
  notifier.sent();
  notifier.answered(response, kNow);
  FUZZ_EXPECT(notifier.state().retry_at <= kNow.plus(kLongestBackOff));
  FUZZ_EXPECT(response.success() == notifier.may_send(kNow));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Parsed parsed(OctetsView(data, size));
  const sip_t* sip = parsed.sound();
  if (!sip) return 0;
  if (sip->sip_status) {
    const Response response = read_response(*sip);
    for (const Header& header : response.headers) FUZZ_EXPECT(no_line_break(header.value));
    FUZZ_EXPECT(no_line_break(response.reason) && no_line_break(response.to));
    check_answer(response);
    return 0;
  }
  const Request request = read_request(*sip);
  expect_values(request);
  check_notify(request);
  check_subscribe(request);
  if (check_sendable(request).ok()) check_again(request);
  return 0;
}
