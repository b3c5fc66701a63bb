// SPDX-License-Identifier: Apache-2.0
#include "app/jwks_source.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/http_call.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "http/target.hpp"

namespace regroup::app {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;
constexpr std::string_view kClause = "RFC 7517 5";
constexpr std::size_t kMostAnswer = 64 * 1024;  // octets

// ---- a file

struct Version {
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  bool operator==(const Version&) const = default;
};

Version version_of(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return {about.st_ino, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
}

class JwksOfFile final : public JwksSource {
 public:
  JwksOfFile(std::string path, Version version, http::Jwks keys, Say say)
      : path_(std::move(path)), version_(version), keys_(std::move(keys)), say_(std::move(say)) {}

  // The version is taken before the content: a change in between is seen at the next call.
  [[nodiscard]] http::Jwks current() override {
    const std::lock_guard lock(mutex_);
    const Version version = version_of(path_);
    if (version == version_) return keys_;
    version_ = version;
    auto fresh = http::read_jwks_file(path_);
    say_("token keys: " + (fresh.ok() ? path_ + " has changed: " + std::to_string(fresh->size()) + " usable"
                                      : fresh.error().text() + "; those of before stay in use"));
    if (fresh.ok()) keys_ = std::move(fresh).value();
    return keys_;
  }

 private:
  const std::string path_;
  std::mutex mutex_;
  Version version_;
  http::Jwks keys_;
  const Say say_;
};

// ---- a URL

struct Fetched {
  std::string text;
  http::Jwks keys;
  milliseconds age;
};

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  constexpr std::string_view suffix = "+json";  // application/jwk-set+json (RFC 7517 8.5) and its kin
  return http::equal_no_case(type, "application/json") ||
         (type.size() > suffix.size() &&
          http::equal_no_case(type.substr(type.size() - suffix.size()), suffix));
}

Result<void> check_head(const http::Response& answer) {
  const std::string said = "the issuer answered HTTP " + std::to_string(answer.status);
  if (answer.status >= 300 && answer.status < 400)
    return fail(Errc::malformed, kClause, said + ", a redirect, which is not followed",
                "write the address that it leads to, if it is right");
  if (answer.status != 200)
    return fail(answer.status >= 500 ? Errc::transport : Errc::malformed, kClause, said,
                "see whether the address is that of the issuer's jwks_uri, and the issuer's log");
  const auto type = answer.headers.find("Content-Type");
  if (type && !is_json(*type))
    return fail(Errc::malformed, kClause, "the answer is of type " + printable(*type, 60) + ", not JSON",
                "see whether the address is that of the issuer's jwks_uri");
  return {};
}

// A client for each fetch: a renewed CA file is found, and no connection is held for ten minutes.
Result<Fetched> ask(const JwksPlace& place, const JwksTimes& times, const std::stop_token& stop) {
  http::ClientOptions options;
  options.ca_file = place.ca_file;
  options.system_store = place.ca_file.empty();
  options.response_limit = kMostAnswer;
  options.idle_connections = 0;
  const auto client = TRY(http::Client::make(options));
  http::ClientRequest request;
  request.url = place.where;
  request.headers.add("Accept", "application/jwk-set+json, application/json");
  const auto answer = TRY(call_until_stopped(*client, std::move(request), times.answer, stop));
  TRY(check_head(answer));
  std::string text(answer.body.text());
  auto keys = TRY(http::Jwks::parse(text));
  return Fetched{std::move(text), std::move(keys), jwks_age(answer.headers, times)};
}

Result<Fetched> fetch(const JwksPlace& place, const JwksTimes& times, const std::stop_token& stop = {}) {
  auto fetched = ask(place, times, stop);
  if (fetched.ok()) return fetched;
  Error error = std::move(fetched).error();
  if (error.clause.empty()) error.clause = kClause;
  return std::move(error).with("token keys of " + place.where);
}

// What the sets that were handed out, which may outlive their source, tell its thread.
struct Wish {
  std::mutex mutex;
  std::condition_variable_any wake;
  bool missed = false;  // a token has named a key that is not held

  void miss() {
    {
      const std::lock_guard lock(mutex);
      if (std::exchange(missed, true)) return;
    }
    wake.notify_all();
  }
};

class JwksOfUrl final : public JwksSource {
 public:
  JwksOfUrl(JwksPlace place, Say say, const JwksTimes& times)
      : place_(std::move(place)), say_(std::move(say)), times_(times) {}

  [[nodiscard]] Result<void> start() {
    asked_ = Steady::now();
    hold(TRY(fetch(place_, times_)));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return {};
  }
  [[nodiscard]] http::Jwks current() override;

 private:
  void run(const std::stop_token& stop);
  void tell_once_stale();
  [[nodiscard]] bool take_turn();
  void rest(const std::stop_token& stop);
  void hold(Fetched fetched);
  void keep_held(const Error& why);
  [[nodiscard]] milliseconds pause();
  [[nodiscard]] Steady::time_point turn() const {  // under the lock of the wish
    return wish_->missed ? std::min(due_, asked_ + times_.min_age) : due_;
  }

  const JwksPlace place_;
  const Say say_;
  const JwksTimes times_;
  const std::shared_ptr<Wish> wish_ = std::make_shared<Wish>();
  std::mutex mutex_;
  std::optional<http::Jwks> keys_;  // under `mutex_`
  Steady::time_point stale_at_;     // the same; written by the thread alone

  // Of the thread alone.
  crypto::SystemRandom random_;
  std::string text_;                // that the held keys were read from
  Steady::time_point asked_, due_;  // the last fetch began; the next one is to begin
  unsigned failures_ = 0;           // in a row
  std::string trouble_;             // that was told of last
  bool told_stale_ = false;
  std::jthread thread_;  // last: ends before the rest goes
};

http::Jwks JwksOfUrl::current() {
  const std::lock_guard lock(mutex_);
  if (Steady::now() < stale_at_) return *keys_;
  return http::Jwks::none(fail(Errc::transport, kClause,
                               "the keys of " + place_.where + " are too old to be trusted",
                               "see in the log why they cannot be fetched"));
}

void JwksOfUrl::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    tell_once_stale();
    if (!take_turn()) {
      rest(stop);
      continue;
    }
    auto fetched = fetch(place_, times_, stop);
    if (stop.stop_requested()) return;
    if (fetched.ok())
      hold(std::move(fetched).value());
    else
      keep_held(fetched.error());
  }
}

void JwksOfUrl::tell_once_stale() {
  if (told_stale_ || Steady::now() < stale_at_) return;
  told_stale_ = true;
  say_("token keys of " + place_.where +
       " are too old to be trusted: every token is refused until the issuer gives them again");
}

// Whether the issuer is to be asked now. A token that is seen during the fetch earns another one: its key may
// be younger than the answer.
bool JwksOfUrl::take_turn() {
  const std::lock_guard lock(wish_->mutex);
  const auto now = Steady::now();
  if (now < turn()) return false;
  wish_->missed = false;
  asked_ = now;
  return true;
}

void JwksOfUrl::rest(const std::stop_token& stop) {
  std::unique_lock lock(wish_->mutex);
  const auto until = told_stale_ ? turn() : std::min(turn(), stale_at_);
  const bool missed = wish_->missed;
  wish_->wake.wait_until(lock, stop, until, [&] { return wish_->missed != missed; });
}

// Ages count from the question, not from an answer that was long under way.
void JwksOfUrl::hold(Fetched fetched) {
  const bool changed = !text_.empty() && text_ != fetched.text;
  const std::size_t count = fetched.keys.size();
  text_ = std::move(fetched.text);
  due_ = asked_ + fetched.age;
  failures_ = 0;
  {
    const std::lock_guard lock(mutex_);
    keys_ = fetched.keys.telling([wish = wish_] { wish->miss(); });
    stale_at_ = asked_ + times_.stale_after;
  }
  if (!std::exchange(trouble_, {}).empty() || told_stale_)
    say_("token keys of " + place_.where + " can be fetched again");
  told_stale_ = false;
  if (changed) say_("token keys of " + place_.where + " have changed: " + std::to_string(count) + " usable");
}

void JwksOfUrl::keep_held(const Error& why) {
  ++failures_;
  due_ = asked_ + pause();
  std::string trouble = why.text();
  if (trouble == trouble_) return;
  trouble_ = std::move(trouble);
  say_(trouble_ + (told_stale_ ? "" : "; those of before stay in use"));
}

// Doubled at each failure, up to the usual age; at random up to a quarter more, so that servers that lost
// their issuer together do not come back together.
milliseconds JwksOfUrl::pause() {
  const unsigned doublings = std::min(failures_ - 1, 10u);
  const milliseconds base = std::min(times_.min_age * (1u << doublings), times_.usual_age);
  return std::max(base, times_.min_age) + base * random_.octets<1>()[0] / 1024;
}

// One of the directives of a Cache-Control field, "max-age=600" as a number.
std::optional<std::int64_t> max_age_in(std::string_view directive) {
  constexpr std::string_view name = "max-age=";
  while (directive.starts_with(' ') || directive.starts_with('\t')) directive.remove_prefix(1);
  if (!http::equal_no_case(directive.substr(0, name.size()), name)) return std::nullopt;
  directive.remove_prefix(name.size());
  if (directive.starts_with('"')) directive.remove_prefix(1);
  std::int64_t seconds = 0;
  const auto [end, fault] = std::from_chars(directive.data(), directive.data() + directive.size(), seconds);
  if (fault == std::errc::result_out_of_range) return 86'400;  // RFC 9111 1.2.2: as if very large
  if (fault != std::errc() || seconds < 0) return std::nullopt;
  return std::min<std::int64_t>(seconds, 86'400);
}

}  // namespace

bool is_url(std::string_view where) { return where.find("://") != std::string_view::npos; }

Result<std::string> jwks_url(const std::string& text) {
  const std::size_t scheme = text.find("://");
  if (scheme != std::string::npos && http::equal_no_case(text.substr(0, scheme), "http"))
    return fail(Errc::usage, "RFC 8414 2",
                "'" + printable(text, 80) + "' is not https: anybody on the way could put in keys of his own",
                "write https://HOST/PATH, or the name of a file");
  if (http::parse_url(text).ok()) return text;
  return fail(Errc::usage, "RFC 8414 2", "'" + printable(text, 80) + "' is not an https URL",
              "write https://HOST/PATH, for example https://idms.mcx.example/jwks, or the name of a file");
}

milliseconds jwks_age(const http::Headers& headers, const JwksTimes& times) {
  for (const http::Header& field : headers) {
    if (!http::equal_no_case(field.name, "Cache-Control")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (const auto seconds = max_age_in(rest.substr(0, comma)))
        return std::clamp<milliseconds>(std::chrono::seconds(*seconds), times.least_age, times.most_age);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return times.usual_age;
}

Result<std::unique_ptr<JwksSource>> JwksSource::open(const JwksPlace& place, Say say,
                                                     const JwksTimes& times) {
  if (is_url(place.where)) {
    TRY(jwks_url(place.where));
    auto out = std::make_unique<JwksOfUrl>(place, std::move(say), times);
    TRY(out->start());
    return std::unique_ptr<JwksSource>(std::move(out));
  }
  if (!place.ca_file.empty())
    return fail(Errc::usage, kClause, "a CA is named for token keys that come from the file " + place.where,
                "leave the CA out, or name an https URL");
  const Version version = version_of(place.where);
  auto keys = TRY(http::read_jwks_file(place.where));
  return std::unique_ptr<JwksSource>(
      std::make_unique<JwksOfFile>(place.where, version, std::move(keys), std::move(say)));
}

}  // namespace regroup::app
