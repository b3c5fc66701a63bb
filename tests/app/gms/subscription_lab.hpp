// SPDX-License-Identifier: Apache-2.0
// Members' telephones around a GMS on a network in memory. Network time and the GMS's clock move together;
// the once-a-second timers of the GMS's loop are real.
#pragma once

#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"
#include "sip/fake.hpp"
#include "sip/multipart.hpp"
#include "xcap/mcptt_info.hpp"
#include "xcap/resource_lists.hpp"

namespace regroup::test {

using namespace std::chrono_literals;

inline std::uint64_t network_seed() {
  const char* given = std::getenv("REGROUP_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20261125;
}

inline std::string collection_of(const std::string& who) {
  return xcap::write_address(xcap::gktp_collection(who));
}
inline std::string part_of(const std::string& group) {
  return xcap::write_address(xcap::gktp_keys(group, xcap::name_of(xcap::GktpParent::gmk)));
}

// A member's SIP side: sends what it is told to, answers each NOTIFY and keeps what it said. On the loop.
struct Phone {
  Phone(sip::FakeNetwork& net, const std::string& name) : user(name), host(net.host(name)) {
    EXPECT_TRUE(host->start().ok());
    host->serve(name, [this](sip::Incoming in) {
      notified.push_back(in.request);
      const auto diff = xcap::parse_xcap_diff(in.request.body);
      EXPECT_TRUE(diff.ok()) << text_of(in.request.body);
      told.push_back(diff.ok() ? diff.value() : xcap::XcapDiff{});
      held.push_back(in.transaction);
      if (!silent) release();
    });
  }
  void release() {
    silent = false;
    for (const sip::TransactionId one : std::exchange(held, {}))
      host->answer(one, sip::make_response(answer));
  }
  static sip::Request request(const std::string& token, const std::vector<std::string>& uris,
                              std::optional<std::uint32_t> expires) {
    sip::Request out;
    out.method = "SUBSCRIBE";
    out.event = "xcap-diff";
    out.expires = expires;
    out.accept = "application/xcap-diff+xml";
    if (token.empty() && uris.empty()) return out;
    xcap::McpttInfo info;
    info.access_token = SecretOctets(view(token));
    const auto body =
        sip::write_multipart(
            {{std::string(xcap::mime::kMcpttInfo), {}, to_octets(view(xcap::write_mcptt_info(info)))},
             {std::string(xcap::mime::kResourceLists),
              {},
              to_octets(view(xcap::write_resource_lists(uris)))}},
            world().random)
            .value();
    out.content_type = body.content_type;
    out.body = body.body;
    return out;
  }
  void open(sip::Request subscribe, const std::string& uri = kGmsA) {
    sip::Opening opening;
    opening.local_uri = "sip:anonymous@invalid";  // From is nobody's identity
    opening.request_uri = uri;
    opening.next_hop = "sip:gms;transport=tcp";
    opening.contact_user = user;
    const auto made = host->open(opening, std::move(subscribe), taking());
    EXPECT_TRUE(made.ok());
    if (made.ok()) dialog = made.value();
  }
  void send(sip::Request subscribe) { host->send(dialog, std::move(subscribe), taking()); }
  sip::OnAnswer taking() {
    response.reset();
    return [this](Result<sip::Response> got) { response.emplace(std::move(got)); };
  }
  [[nodiscard]] int status() const {
    if (!response) return 0;
    return response->ok() ? response->value().status : -1;
  }
  [[nodiscard]] bool ended() const {
    return !notified.empty() && notified.back().subscription_state.rfind("terminated", 0) == 0;
  }

  std::string user;
  sip::DialogId dialog;
  std::optional<Result<sip::Response>> response;
  std::vector<sip::Request> notified;
  std::vector<xcap::XcapDiff> told;
  int answer = 200;
  bool silent = false;  // answers when released
  std::vector<sip::TransactionId> held;
  std::unique_ptr<sip::Transport> host;  // goes first: it ends what still waits for an answer
};

class GmsSubscriptions : public testing::Test {
 protected:
  GmsSubscriptions() {
    RecordProperty("seed", std::to_string(network_seed()));
    net.watch([this](const std::string& what) {
      wire.push_back(what);
      const std::lock_guard guard(lock);
      ++sent;
      on_wire.notify_all();
    });
    lab.create(kFire, {kAnn, kBob});
  }
  ~GmsSubscriptions() override { lab.stop(); }

  // Lets time pass, in the network and for the GMS alike.
  void pass(std::int64_t seconds = 1) {
    lab.loop().run([&] {
      for (std::int64_t i = 0; i < seconds; ++i) net.advance(1s);
    });
    lab.advance(seconds);
  }
  // Until the condition holds; a timer of the GMS may have to go off first.
  bool until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!lab.on_loop(condition)) {
      if (std::chrono::steady_clock::now() > end) return false;
      {
        std::unique_lock guard(lock);
        on_wire.wait_for(guard, 200ms, [&, before = sent] { return sent != before; });
      }
      pass();
    }
    return true;
  }
  int subscribe(Phone& phone, const std::string& who, const std::vector<std::string>& uris,
                std::uint32_t expires = 3600, std::int64_t token_life = 7200) {
    const std::string token = lab.token(who, {kGroupScope}, token_life);
    lab.loop().run([&] { phone.open(Phone::request(token, uris, expires)); });
    pass();
    return phone.status();
  }
  // A SUBSCRIBE in the dialog.
  int again(Phone& phone, const sip::Request& request) {
    lab.loop().run([&] { phone.send(request); });
    pass();
    return phone.status();
  }
  std::size_t subscriptions() {
    return lab.on_loop([&] { return lab.subscriptions().size(); });
  }
  bool present(const std::string& who) {
    return lab.on_loop([&] { return lab.subscriptions().subscribed(who); });
  }

  std::mutex lock;
  std::condition_variable on_wire;
  std::size_t sent = 0;
  std::vector<std::string> wire;  // on the loop
  sip::FakeNetwork net{network_seed()};
  GmsLab lab{"alpha.example", [this] { return net.host("gms"); }};
  Phone bob{net, "bob"}, ann{net, "ann"}, mallory{net, "mallory"};
};

}  // namespace regroup::test
