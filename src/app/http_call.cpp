// SPDX-License-Identifier: Apache-2.0
#include "app/http_call.hpp"

#include <condition_variable>
#include <mutex>

namespace regroup::app {

Result<http::Response> call_until_stopped(http::Client& client, http::ClientRequest request,
                                          std::chrono::milliseconds deadline, const std::stop_token& stop) {
  struct Pending {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::optional<Result<http::Response>> answer;
  };
  const auto pending = std::make_shared<Pending>();
  const std::string url = request.url;
  client.call(std::move(request), deadline, [pending](Result<http::Response> answer) {
    const std::lock_guard lock(pending->mutex);
    pending->answer.emplace(std::move(answer));
    pending->wake.notify_all();
  });
  std::unique_lock lock(pending->mutex);
  if (pending->wake.wait(lock, stop, [&] { return pending->answer.has_value(); }))
    return std::move(*pending->answer);
  return fail(Errc::transport, "", "stopped while " + url + " was asked", "start again");
}

}  // namespace regroup::app
