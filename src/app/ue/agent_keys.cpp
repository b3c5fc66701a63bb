// SPDX-License-Identifier: Apache-2.0
#include "app/ue/agent_keys.hpp"

namespace regroup::app {

void KmsThread::fetch_in_background(std::function<void(Result<KmsAnswers>)> done) {
  if (busy_.exchange(true)) return;
  thread_ = std::jthread([this, done = std::move(done)](const std::stop_token& stop) {
    auto fetched = fetch_(stop);
    busy_ = false;
    done(std::move(fetched));
  });
}

void KmsThread::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<ClientKeys> join_keys(KmsAnswers fetched, const KmsAnswers& stored, const std::string& identity,
                             const KmsAccess& access, NtpTime now) {
  TRY(check_pinned(fetched, stored, access.profile));
  ClientKeys out{keep_previous(std::move(fetched), stored, access.profile), {}};
  out.in_force = TRY(read_keys(out.answers, identity, access.uri, now, access.profile));
  return out;
}

Result<KmsAnswers> load_keys(SealedStore& store, const KmsAccess& access) {
  KmsAnswers out;
  TRY(store.load({"kms"}, [&](const Record& record) -> Result<void> {
    take_record(record, out);
    return {};
  }));
  TRY(use_stored(access, out));
  return out;
}

}  // namespace regroup::app
