// SPDX-License-Identifier: Apache-2.0
// Drives the GMS of gms/ and flow/: commits what an event decided, and only then carries out its effects.
// Everything runs on one Loop. A commit that fails ends the process: what is in memory is then ahead of the
// disk and must not be spoken.
#pragma once

#include <functional>

#include "app/loop.hpp"
#include "app/sealed_store.hpp"
#include "gms/gms.hpp"

namespace regroup::app {

using Say = std::function<void(const std::string&)>;  // one line for the log

class GmsCore {
 public:
  GmsCore(gms::Surroundings with, SealedStore& store, Loop& loop, Say say);

  // Who carries out what. Set before start().
  std::function<void(const gms::DocumentsChanged&)> documents_changed;
  std::function<void(const gms::AskPartner&)> ask_partner;
  std::function<void(const gms::NotifyPartner&)> notify_partner;
  std::function<void(const gms::TearDownPartner&)> tear_down_partner;

  // Restores the state and sends again what a restart left open.
  [[nodiscard]] Result<void> start();

  [[nodiscard]] gms::Gms& gms() { return gms_; }
  void carry_out(gms::Outcome outcome);
  // Stores records of others (subscriptions) under the same rule.
  void commit(const Writes& writes);

  using OnAnswer = std::function<void(const gms::Answer&)>;
  // A ticket whose answer goes to `done`, once.
  [[nodiscard]] gms::Ticket ticket(OnAnswer done);
  void say(const std::string& line) const { say_(line); }

 private:
  void perform(const gms::Effect& effect);
  void count(const gms::Tolerated& effect);
  void forget_what_is_old();
  void watch_the_clock();

  gms::Gms gms_;
  SealedStore& store_;
  Loop& loop_;
  Say say_;
  gms::Ticket next_ticket_ = 1;
  std::map<gms::Ticket, OnAnswer> tickets_;
  std::optional<NtpTime> alarm_;
  std::map<std::pair<std::string, gktp::Tolerance>, std::uint64_t> tolerated_;  // since the start
};

}  // namespace regroup::app
