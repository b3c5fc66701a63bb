// SPDX-License-Identifier: Apache-2.0
// One client as a running thing: keys from its KMS, a subscription at its GMS, key documents by NOTIFY and
// GET, the key ring encrypted on disk, receipts (TS 33.179 7.3.2-7.3.4; TS 24.481 6.3.13; PR-26,
// PR-33). Runs on a loop; several clients may share one loop and one SIP transport. agent.cpp: keys and
// store; agent_sip.cpp: the subscription; agent_http.cpp: GET of documents, receipts.
#pragma once

#include "app/loop.hpp"
#include "app/ue/agent_keys.hpp"
#include "app/ue/agent_ring.hpp"
#include "app/ue/agent_token.hpp"
#include "http/client.hpp"
#include "sip/subscription.hpp"
#include "xcap/address.hpp"
#include "xcap/gktp_document.hpp"
#include "xcap/xcap_diff.hpp"

namespace regroup::app {

using Say = std::function<void(const std::string&)>;

[[nodiscard]] std::vector<ue::Payload> payloads_of(std::vector<xcap::GktpPayload> all);

class UeAgent {
 public:
  // `transport` and `loop` outlive the agent, and the loop stands still before the agent goes. `on_event`:
  // one key event, on the loop. `fetch`: how the KMS is asked; empty: over TLS as configured.
  UeAgent(UeConfig config, sip::Transport& transport, Loop& loop, Random& random, const Clock& clock, Say say,
          std::function<void(const ue::KeyEvent&)> on_event, KmsFetch fetch = {});

  // Keys, store, ring. Blocks; before anything runs on the loop. Stored keys serve only while the KMS cannot
  // be reached; whatever else it says ends the start, and so does a token that is not this client's own.
  [[nodiscard]] Result<void> prepare();
  // On the loop: subscribes; `on_ready` is called once this client hears everything: the SUBSCRIBE with all
  // its groups is answered, the NOTIFY that follows it and every key document are worked through.
  void start(std::function<void()> on_ready);
  void stop();

  [[nodiscard]] const std::string& identity() const { return config_.domain.identity.text(); }
  [[nodiscard]] const ue::Ue& ue() const { return *ue_; }
  [[nodiscard]] const std::vector<mcx::KeySet>& key_sets() const { return keys_->in_force.key_sets; }

 private:
  enum class Document : std::uint8_t { keys, group };
  // A document that is being read, until it is.
  struct Reading {
    std::uint64_t serial = 0;  // of the request that is out or awaited
    unsigned told = 0;         // told_ when it was sent
    bool out = false, again = false, token_renewed = false, tried = false;
    BackOff back_off;
  };
  using ReadingKey = std::pair<Document, std::string>;

  void say_what_became_of(const OpenedRing& ring) const;
  void say_tolerated();
  [[nodiscard]] Error revoked() const;
  [[nodiscard]] Result<void> start_from_store(const KmsAnswers& stored, const Error& unreachable);
  void plan_refetch();
  void look_at_the_clock(std::uint64_t serial);
  void refetch();
  void refetched(Result<KmsAnswers> answers);

  void step();
  void step_in(std::chrono::milliseconds delay);
  void subscribe(sip::Act act);
  [[nodiscard]] Result<void> write_wanted(sip::Request& request);
  void answered(Result<sip::Response> outcome);
  void incoming(sip::Incoming incoming);
  void read_notify(const sip::Request& notify);
  void read_element(const std::string& group, const xcap::Address& address, const xcap::ElementDiff& element);
  void read_document(const std::string& group, const xcap::Address& address,
                     const xcap::DocumentDiff& document);
  void group_seen(const std::string& group);
  void group_gone(const std::string& group);
  void first_read(const std::string& group);
  void tell_watched();
  void tell(const char* event, const std::string& group, const std::string& reason = {});
  [[nodiscard]] std::vector<std::string> wanted() const;

  void fetch(Document what, const std::string& group);
  void send_fetch(const ReadingKey& key);
  void fetched(const ReadingKey& key, std::uint64_t serial, const Result<http::Response>& outcome);
  void read_keys_of(const std::string& group, const http::Response& response);
  void read_group(const std::string& group, const http::Response& response);
  void regrouped(const std::string& group, std::set<std::string> temporary);
  [[nodiscard]] Result<void> restore_regrouped(const Record& record);
  void send_receipts();
  void receipt_answered(const ue::Receipt& receipt, const Result<http::Response>& outcome);
  [[nodiscard]] Result<http::ClientRequest> request_for(const xcap::Address& address);
  void renew_token(std::function<void()> then);

  void take(ue::Received received);
  void commit(const Writes& writes);
  void settle();

  UeConfig config_;
  sip::Transport& transport_;
  Loop& loop_;
  Random& random_;
  const Clock& clock_;
  Say say_;
  std::function<void(const ue::KeyEvent&)> on_event_;
  std::string contact_user_;
  TokenKeeper tokens_;

  std::optional<SealedStore> store_;
  KmsThread kms_;
  std::optional<ClientKeys> keys_;
  std::string tolerated_;  // what was told of it
  LastFetch last_fetch_;
  NtpTime refetch_at_;
  std::uint64_t refetch_serial_ = 0;
  bool refetching_ = false;
  bool stale_ = false;  // started with stored keys: ask the KMS as soon as it can be reached
  std::unique_ptr<ue::Ue> ue_;
  std::unique_ptr<http::Client> http_;

  std::unique_ptr<sip::Subscriber> subscriber_;
  sip::DialogId dialog_;
  std::uint64_t step_serial_ = 0;  // only the newest timer steps
  bool full_state_owed_ = false;   // the next NOTIFY is the first of a dialog: it tells everything there is
  bool answer_owed_ = true, notify_owed_ = true;  // to the last SUBSCRIBE with a body

  std::set<std::string> groups_;  // those whose documents we have asked for
  // Of these, found in our collection and not read yet: a key that is there already comes by GET, and only
  // then is the group watched, so that later ones come inside the NOTIFY.
  std::set<std::string> unread_;
  std::set<std::string> asked_, watched_;  // groups in the last SUBSCRIBE with a body; told as "watching"
  std::map<std::string, unsigned> told_;   // NOTIFYs read about each group's keys
  std::map<ReadingKey, Reading> reading_;
  std::uint64_t reading_serial_ = 0;
  std::map<std::string, std::string> group_etags_;
  std::map<std::string, std::set<std::string>> regrouped_;  // temporary groups each group is part of

  bool receipts_refused_ = false, receipts_out_ = false, receipts_waiting_ = false;
  bool receipt_token_renewed_ = false;
  BackOff receipt_back_off_;
  std::map<std::string, NtpTime> receipts_since_;  // first attempt, by message hash

  bool stopped_ = false;
  std::function<void()> on_ready_;
};

}  // namespace regroup::app
