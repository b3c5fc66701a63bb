// SPDX-License-Identifier: Apache-2.0
// What every Transport has in common, whatever carries its messages: the table of dialogs (RFC 3261 section
// 12), the handlers, and which incoming request goes where. A wire (sofia.cpp, fake.cpp) derives from it,
// hands in what arrives and carries what leaves. Refuses on its own: 481, 404, and 500 for a CSeq that runs
// backwards.
#pragma once

#include <map>
#include <mutex>

#include "base/random.hpp"
#include "sip/transport.hpp"

namespace regroup::sip {

class Endpoint : public Transport {
 public:
  void serve(std::string_view user, Handler handler) final;
  [[nodiscard]] Result<DialogId> open(const Opening& opening, Request request, OnAnswer on_answer,
                                      std::chrono::milliseconds deadline) final;
  void send(const DialogId& dialog, Request request, OnAnswer on_answer,
            std::chrono::milliseconds deadline) final;
  void send_alone(const Opening& opening, Request request, OnAnswer on_answer,
                  std::chrono::milliseconds deadline) final;
  [[nodiscard]] Result<Dialog> accept_dialog(TransactionId transaction) final;
  void answer(TransactionId transaction, Response response) final;
  [[nodiscard]] std::optional<Dialog> dialog(const DialogId& id) const final;
  Result<void> restore(Dialog dialog) final;
  void forget(const DialogId& id) final;
  [[nodiscard]] std::string contact(std::string_view user) const final;

 protected:
  struct Outgoing {
    Request request;
    std::string next_hop;  // a URI; never empty
    std::chrono::milliseconds deadline;
    OnAnswer on_answer;  // the wire calls it exactly once, on its own thread
  };

  explicit Endpoint(Random& random) : random_(random) {}

  // The wire's part; called without our lock held, from any thread.
  virtual void transmit(Outgoing out) = 0;
  virtual void reply(TransactionId transaction, Response response) = 0;
  // Runs a callback of the user's where the user wants it.
  virtual void later(std::function<void()> callback) = 0;

  // Called by the wire: a request arrived; the answer comes by reply(), at once or later.
  void receive(TransactionId transaction, Request request);
  // Called by the wire: the transaction is over, answered or not.
  void over(TransactionId transaction);
  [[nodiscard]] std::string draw_token();

 private:
  struct Pending {
    Request request;
    DialogId dialog;       // in a dialog, or the one made by accept_dialog
    bool creates = false;  // by accept_dialog
  };
  void refuse(TransactionId transaction, const Request& request, int status);
  // 0, or the status to refuse an in-dialog request with.
  [[nodiscard]] static int judge_in_dialog(const Dialog& dialog, const Request& request);
  // What the dialog takes from a request that its user accepted (12.2.2): who merely knows the tags moves
  // neither CSeq nor target.
  static void learn_request(Dialog& dialog, const Request& request);
  [[nodiscard]] Handler handler_of(const std::string& user) const;
  [[nodiscard]] Result<std::string> fill_in(const DialogId& id, Request& request);
  void learn_answer(const DialogId& id, const Result<Response>& outcome, bool opening);
  [[nodiscard]] OnAnswer delivering(OnAnswer on_answer);

  mutable std::mutex lock_;
  Random& random_;
  std::map<DialogId, Dialog> dialogs_;
  std::map<std::string, Handler, std::less<>> handlers_;
  std::map<TransactionId, Pending> pending_;
};

}  // namespace regroup::sip
