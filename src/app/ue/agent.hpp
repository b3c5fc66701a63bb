// SPDX-License-Identifier: Apache-2.0
// One client as a running thing: keys from its KMS, a subscription at its GMS, key documents by NOTIFY and
// GET, the key ring encrypted on disk, receipts (TS 33.179 7.3.2-7.3.4; bootstrap.md 5; gms.md 7.6, 7.8,
// PR-26). Runs on a loop; several clients may share one loop and one SIP transport.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "app/kms/client.hpp"
#include "app/loop.hpp"
#include "app/sealed_store.hpp"
#include "app/ue/config.hpp"
#include "http/client.hpp"
#include "sip/subscription.hpp"
#include "ue/ue.hpp"
#include "xcap/address.hpp"
#include "xcap/gktp_document.hpp"

namespace regroup::app {

using Say = std::function<void(const std::string&)>;

class UeAgent {
 public:
  // `transport` and `loop` outlive the agent. `on_event`: one key event, on the loop.
  UeAgent(UeConfig config, sip::Transport& transport, Loop& loop, Random& random, const Clock& clock, Say say,
          std::function<void(const ue::KeyEvent&)> on_event);

  // Keys, store, ring. Blocks; before anything runs on the loop.
  [[nodiscard]] Result<void> prepare();
  // On the loop: subscribes; `on_ready` is called when the first NOTIFY has been worked through.
  void start(std::function<void()> on_ready);
  void stop();

  [[nodiscard]] const std::string& identity() const { return config_.domain.identity.text(); }
  [[nodiscard]] const ue::Ue& ue() const { return *ue_; }

 private:
  void step();
  void subscribe(sip::Act act);
  void incoming(sip::Incoming incoming);
  void read_notify(const sip::Request& notify);
  void fetch(const std::string& group);
  void take(ue::Received received);
  void send_receipts();
  void group_seen(const std::string& group);
  void group_gone(const std::string& group);
  void settle();
  [[nodiscard]] Result<std::string> token() const;
  [[nodiscard]] std::vector<std::string> wanted() const;

  UeConfig config_;
  sip::Transport& transport_;
  Loop& loop_;
  Random& random_;
  const Clock& clock_;
  Say say_;
  std::function<void(const ue::KeyEvent&)> on_event_;
  std::string contact_user_;
  std::optional<SealedStore> store_;
  std::optional<Provisioned> keys_;
  std::unique_ptr<ue::Ue> ue_;
  std::unique_ptr<http::Client> http_;
  std::unique_ptr<sip::Subscriber> subscriber_;
  sip::DialogId dialog_;
  std::set<std::string> groups_;          // those whose documents we have asked for
  std::map<std::string, unsigned> told_;  // NOTIFYs read about each group's keys
  std::map<std::string, int> receipt_failures_;
  std::size_t fetching_ = 0;
  bool notified_ = false, stopped_ = false, receipts_refused_ = false, receipts_out_ = false;
  std::function<void()> on_ready_;
};

}  // namespace regroup::app
