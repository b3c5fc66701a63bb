// SPDX-License-Identifier: Apache-2.0
#include "sip/fake.hpp"

#include <deque>

#include "sip/endpoint.hpp"

namespace regroup::sip {
namespace {

using std::chrono::milliseconds;

// splitmix64: repeatable, and good enough for weather, tags and Call-IDs of tests.
class SplitMix final : public Random {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = static_cast<std::uint8_t>(next() >> 32);
  }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

// The host part of a sip: URI, without port and parameters.
std::string host_in(std::string_view uri) {
  uri = uri.substr(std::min(uri.find(':') + 1, uri.size()));
  if (const std::size_t at = uri.find('@'); at != uri.npos) uri.remove_prefix(at + 1);
  return std::string(uri.substr(0, uri.find_first_of(":;?")));
}

}  // namespace

class FakeHost;

struct FakeNetwork::State {
  State(std::uint64_t seed, FakeWeather with) : random(seed), weather(with) {}

  SplitMix random;
  FakeWeather weather;
  std::function<void(const std::string&)> watcher;
  std::map<std::string, std::string> routes;
  std::map<std::string, FakeHost*> hosts;  // those started
  milliseconds now{0};
  std::uint64_t last = 0;                                     // of events, transactions and runs of hosts
  std::multimap<milliseconds, std::function<void()>> events;  // equal times keep their order

  void at(milliseconds when, std::function<void()> event) { events.emplace(when, std::move(event)); }
  milliseconds draw_delay() {
    const auto spread = static_cast<std::uint64_t>((weather.longest - weather.shortest).count()) + 1;
    return weather.shortest + milliseconds(random.next() % spread);
  }
  // Puts a message on the wire: it is seen, and perhaps it arrives.
  void carry(const std::string& what, const std::string& from, const std::string& to,
             std::function<void()> arrive) {
    if (watcher) watcher(what + " " + from + "->" + to);
    if (random.unit() < weather.loss) return;
    at(now + draw_delay(), std::move(arrive));
  }
  std::string host_for(const std::string& uri) const {
    const auto route = routes.find(uri);
    return route == routes.end() ? host_in(uri) : route->second;
  }
  FakeHost* find(const std::string& name) const {
    const auto at = hosts.find(name);
    return at == hosts.end() ? nullptr : at->second;
  }
  bool run_next(milliseconds until);
};

class FakeHost final : public Endpoint {
 public:
  FakeHost(std::shared_ptr<FakeNetwork::State> net, std::string name, std::uint64_t seed)
      : Endpoint(tokens_), tokens_(seed), net_(std::move(net)), name_(std::move(name)) {}
  ~FakeHost() override { FakeHost::stop(); }

  Result<void> start() override {
    if (run_) return fail(Errc::usage, "", "the host runs already", "stop it first");
    if (net_->find(name_))
      return fail(Errc::transport, "", "the address " + name_ + " is taken", "choose another address");
    net_->hosts.emplace(name_, this);
    run_ = ++net_->last;
    return {};
  }
  void stop() override {
    if (!run_) return;
    stopping_ = true;
    while (!callbacks_.empty()) call_next();
    while (!attempts_.empty()) finish(attempts_.begin()->first, lost("the transport stopped"));
    while (!served_.empty()) reply(served_.begin()->first, make_response(503));
    net_->hosts.erase(name_);
    run_ = 0;
    stopping_ = false;
  }
  std::vector<std::string> addresses() const override {
    if (!run_) return {};
    return {"sip:" + name_ + ";transport=tcp"};
  }
  [[nodiscard]] std::uint64_t run() const { return run_; }

  // A request arrives from attempt `attempt` of the run `run` of the host `from`.
  void arrive(const std::string& from, std::uint64_t run, std::uint64_t attempt, Request request) {
    const TransactionId id = ++net_->last;
    served_.emplace(id, Caller{from, run, attempt});
    receive(id, std::move(request));
  }
  void finish(std::uint64_t id, Result<Response> outcome) {
    const auto at = attempts_.find(id);
    if (at == attempts_.end()) return;
    const OnAnswer on_answer = std::move(at->second);
    attempts_.erase(at);
    on_answer(std::move(outcome));
  }

 protected:
  void transmit(Outgoing out) override {
    if (!run_ || stopping_) return out.on_answer(lost("the transport is stopped"));
    const std::uint64_t id = ++net_->last;
    attempts_.emplace(id, std::move(out.on_answer));
    const std::string to = net_->host_for(out.next_hop);
    net_->at(net_->now + out.deadline,
             still_running([this, id] { finish(id, lost("no answer before the deadline")); }));
    const std::string method = out.request.method;
    net_->carry(method, name_, to, still_running([this, id, to, request = std::move(out.request)] {
                  FakeHost* peer = net_->find(to);
                  if (!peer) return finish(id, lost("no connection to " + to));
                  peer->arrive(name_, run_, id, request);
                }));
  }
  void reply(TransactionId transaction, Response response) override {
    const auto at = served_.find(transaction);
    if (at == served_.end()) return;
    const Caller caller = at->second;
    served_.erase(at);
    over(transaction);
    net_->carry(std::to_string(response.status), name_, caller.name,
                [net = net_.get(), caller, response = std::move(response)] {
                  FakeHost* peer = net->find(caller.name);
                  if (peer && peer->run() == caller.run) peer->finish(caller.attempt, response);
                });
  }
  void later(std::function<void()> callback) override {
    if (!run_ || stopping_) return callback();
    callbacks_.push_back(std::move(callback));
    net_->at(net_->now, still_running([this] { call_next(); }));
  }

 private:
  struct Caller {
    std::string name;
    std::uint64_t run;
    std::uint64_t attempt;
  };
  static Error lost(std::string what) {
    return fail(Errc::transport, "RFC 3261 8.1.3.1", std::move(what), "check the next hop; try again later");
  }
  void call_next() {
    if (callbacks_.empty()) return;
    const std::function<void()> callback = std::move(callbacks_.front());
    callbacks_.pop_front();
    callback();
  }
  // What a host set going ends with its run: a restarted host gets none of it.
  std::function<void()> still_running(std::function<void()> event) {
    return [net = net_.get(), name = name_, run = run_, event = std::move(event)] {
      const FakeHost* host = net->find(name);
      if (host && host->run() == run) event();
    };
  }

  SplitMix tokens_;
  std::shared_ptr<FakeNetwork::State> net_;
  std::string name_;
  std::uint64_t run_ = 0;  // 0: stopped
  bool stopping_ = false;
  std::map<std::uint64_t, OnAnswer> attempts_;
  std::deque<std::function<void()>> callbacks_;  // each with an event of its own
  std::map<TransactionId, Caller> served_;
};

bool FakeNetwork::State::run_next(milliseconds until) {
  const auto next = events.begin();
  if (next == events.end() || next->first > until) return false;
  now = std::max(now, next->first);
  const std::function<void()> event = std::move(next->second);
  events.erase(next);
  event();
  return true;
}

FakeNetwork::FakeNetwork(std::uint64_t seed, FakeWeather weather)
    : state_(std::make_shared<State>(seed, weather)) {}
FakeNetwork::~FakeNetwork() = default;

std::unique_ptr<Transport> FakeNetwork::host(std::string name) {
  return std::make_unique<FakeHost>(state_, std::move(name), state_->random.next());
}
void FakeNetwork::route(std::string uri, std::string name) {
  state_->routes[std::move(uri)] = std::move(name);
}
void FakeNetwork::set_weather(FakeWeather weather) { state_->weather = weather; }
void FakeNetwork::watch(std::function<void(const std::string&)> watcher) {
  state_->watcher = std::move(watcher);
}
milliseconds FakeNetwork::now() const { return state_->now; }

void FakeNetwork::advance(milliseconds span) {
  const milliseconds until = state_->now + span;
  while (state_->run_next(until)) {
  }
  state_->now = until;
}

bool FakeNetwork::run_until_quiet(milliseconds limit) {
  const milliseconds until = state_->now + limit;
  while (state_->run_next(until)) {
  }
  return state_->events.empty();
}

}  // namespace regroup::sip
