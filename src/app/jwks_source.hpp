// SPDX-License-Identifier: Apache-2.0
// The keys of the token issuer (JWKS, RFC 7517), from a file or from an https URL. A file is read again when
// it changes. A URL is fetched before open() returns, then by a thread of its own: at the age that its
// Cache-Control gives (RFC 9111 5.2.2.1), sooner when a token names a key that is not held, ever more slowly
// after failures. What cannot be taken leaves the held keys in place, until they are too old to be trusted.
// Whoever asks for keys never waits for the issuer. Refuses: plain http, redirects, answers over 64 KiB,
// answers that are not JSON.
#pragma once

#include <chrono>
#include <functional>

#include "http/jwt.hpp"
#include "http/message.hpp"

namespace regroup::app {

using Say = std::function<void(const std::string&)>;  // one line for the log, of any thread

struct JwksPlace {
  std::string where;    // a file, or an https URL
  std::string ca_file;  // trust anchor of the URL; empty: the system's store
};

// Of a URL. Durations, so that tests can shorten them.
struct JwksTimes {
  std::chrono::milliseconds answer = std::chrono::seconds(10);   // one fetch as a whole, the first one too
  std::chrono::milliseconds min_age = std::chrono::seconds(30);  // between two fetches, whatever tokens name
  std::chrono::milliseconds usual_age = std::chrono::minutes(10);  // where the issuer does not say
  std::chrono::milliseconds least_age = std::chrono::minutes(1);   // where it does
  std::chrono::milliseconds most_age = std::chrono::hours(1);
  std::chrono::milliseconds stale_after = std::chrono::hours(24);  // without a good answer
};

// Thread-safe.
class JwksSource {
 public:
  JwksSource() = default;
  JwksSource(const JwksSource&) = delete;
  JwksSource& operator=(const JwksSource&) = delete;
  virtual ~JwksSource() = default;  // ends a fetch under way

  // Errc::usage: a file that cannot be opened, a URL that is no https one; Errc::transport: no answer in
  // time; else what is wrong in the keys. `say` hears of each change: keys, trouble and its end.
  [[nodiscard]] static Result<std::unique_ptr<JwksSource>> open(const JwksPlace& place, Say say,
                                                                const JwksTimes& times = {});
  // What tokens are judged by now; Jwks::none (Errc::transport) once the held keys are too old.
  [[nodiscard]] virtual http::Jwks current() = 0;
};

// Whether a configured place is a URL, good or bad, and no file.
[[nodiscard]] bool is_url(std::string_view where);
// Errc::usage for a URL that is no https one, with the cure.
[[nodiscard]] Result<std::string> jwks_url(const std::string& text);
// How long an answer with these fields serves before the next fetch.
[[nodiscard]] std::chrono::milliseconds jwks_age(const http::Headers& headers, const JwksTimes& times);

}  // namespace regroup::app
