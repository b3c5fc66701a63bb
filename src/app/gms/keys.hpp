// SPDX-License-Identifier: Apache-2.0
// The GMS's own key material over time (TS 33.179 7.2, 7.3.5.1): fetched from its KMS at the start, or taken
// from the store when the KMS is out of reach, or missing: then the GMS serves reads, and what needs a key
// waits for the thread that goes on asking. The same thread fetches the key sets of the next period before
// the roll-over and keeps those of the previous one. Refuses: another certificate under a pinned name, a
// partner that another KMS serves than configured.
#pragma once

#include <set>
#include <thread>

#include "app/gms/config.hpp"
#include "app/gms/core.hpp"
#include "app/kms/client.hpp"
#include "app/kms/schedule.hpp"

namespace regroup::app {

class GmsKeys {
 public:
  using Fetch = std::function<Result<KmsAnswers>(std::stop_token)>;
  // An empty `fetch` asks the KMS of `config`.
  GmsKeys(const GmsConfig& config, const Clock& clock, Say say, Fetch fetch = {});
  GmsKeys(const GmsConfig& config, const Clock& clock, Say say, Fetch fetch, Pace pace);
  ~GmsKeys() { stop(); }
  GmsKeys(const GmsKeys&) = delete;
  GmsKeys& operator=(const GmsKeys&) = delete;

  // Blocks while it asks. Without keys it succeeds when waiting may help: no KMS in reach, no key set of the
  // present period. Whatever a KMS refuses, and whatever contradicts configuration or store, is an error.
  [[nodiscard]] Result<void> start(SealedStore& store);
  // Goes on in the background; what is new is committed and then used, on the loop. Call once, after start().
  void follow(Loop& loop, std::function<void(const Writes&)> commit);
  void stop();  // idempotent; not from the loop

  // Both stay where they are and change on the loop only.
  [[nodiscard]] const mcx::Domains& domains() const { return keys_.domains; }
  [[nodiscard]] const std::vector<mcx::KeySet>& key_sets() const { return keys_.key_sets; }
  // A key set of the present period is held.
  [[nodiscard]] bool ready() const { return present(keys_, clock_.now()); }

 private:
  struct Fresh {
    KmsAnswers answers;
    Provisioned keys;
  };
  static bool present(const Provisioned& keys, NtpTime now);
  [[nodiscard]] Result<Fresh> examine(KmsAnswers fetched) const;
  [[nodiscard]] Result<void> adopt(Provisioned& keys) const;
  [[nodiscard]] Result<void> start_from_store();
  void work(const std::stop_token& stop);
  void use(Fresh fresh);
  void raise_alarms(const mcx::Domains& domains);
  void say_tolerated(const Provisioned& keys);

  const GmsConfig& config_;
  const Clock& clock_;
  Say say_;
  Fetch fetch_;
  Pace pace_;
  std::set<std::string> alarms_;  // certificates that are in force and may not be used: said once each
  KmsAnswers stored_;             // of the thread, once it runs
  Provisioned keys_;              // of the loop, once it runs
  std::string tolerated_;         // what was told of it
  HeldPeriods held_;              // of keys_, for the thread; of the thread, once it runs
  LastFetch last_;                // likewise
  Loop* loop_ = nullptr;
  std::function<void(const Writes&)> commit_;
  std::jthread thread_;
};

// Each partner's gms_uri must be served by the KMS that is configured for it (PR-37, PR-40). Errc::usage
// names the first that is not; a partner whose KMS is not known yet is only listed in `unknown`.
[[nodiscard]] Result<void> check_partner_kms(const std::vector<PartnerAccess>& partners,
                                             const mcx::Domains& domains, NtpTime now,
                                             std::vector<Error>& unknown);

}  // namespace regroup::app
