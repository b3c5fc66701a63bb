// SPDX-License-Identifier: Apache-2.0
// What the rooms above need from SIP: send a request, answer a request, keep dialogs (RFC 3261 sections 8,
// 12). A dialog is plain data of ours, so that a server which stored it goes on after a restart: the stack
// beneath keeps none. Two implementations: sofia.hpp (sockets) and fake.hpp (in memory); both share
// endpoint.hpp. Refuses: requests in unknown dialogs (481), unknown users (404), CSeq that runs backwards
// (500).
#pragma once

#include <chrono>
#include <functional>

#include "sip/message.hpp"

namespace regroup::sip {

using DialogId = std::string;         // stable over restarts; made of Call-ID and local tag
using TransactionId = std::uint64_t;  // of an incoming request, within one run of the process

// RFC 3261 section 12. Everything a restart needs; store it when it is made. CSeq numbers may be older than
// the last request sent: restore() leaps over the numbers that could have been used since.
struct Dialog {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;     // empty until the first answer or request of the peer
  std::string local_uri;      // without <> and tag
  std::string remote_uri;     // likewise
  std::string remote_target;  // the peer's Contact URI: Request-URI of what we send
  std::string local_contact;  // our Contact URI; its user part selects the handler of requests in the dialog
  std::vector<std::string> route_set;  // URIs in the order to be sent
  std::string next_hop;  // where requests go while the route set is empty; empty = remote_target
  std::uint32_t local_cseq = 0;
  std::uint32_t remote_cseq = 0;  // 0: no request of the peer yet
  bool confirmed = false;         // the peer has answered 2xx or sent a request

  [[nodiscard]] DialogId id() const { return call_id + ";" + local_tag; }
  bool operator==(const Dialog&) const = default;
};

// One line per field; read by parse_dialog. Bounded: refuses unknown versions, missing fields, control
// characters.
[[nodiscard]] std::string write_dialog(const Dialog& dialog);
[[nodiscard]] Result<Dialog> parse_dialog(std::string_view text);

// A request of a peer. Answer it exactly once, at once or later, with Transport::answer.
struct Incoming {
  TransactionId transaction = 0;
  Request request;
  std::optional<DialogId> dialog;  // nothing: outside any dialog
};

// The answer to a request: a final response, or Errc::transport (no connection, no answer before the
// deadline, transport stopped), Errc::limit (too many waiting), Errc::usage (the request cannot be sent).
// Called once.
using OnAnswer = std::function<void(Result<Response>)>;
using Handler = std::function<void(Incoming)>;
// Where callbacks run: given a callable, runs it once, in the order of the calls. Must not block.
using Post = std::function<void(std::function<void()>)>;

inline constexpr std::chrono::milliseconds kDefaultDeadline{8000};  // below the 32 s of RFC 3261 timer F

// A dialog that we start.
struct Opening {
  std::string local_uri;       // From
  std::string remote_uri;      // To; empty = request_uri
  std::string request_uri;     // stays on the wire as it is, whatever next_hop says
  std::string next_hop;        // for example "sip:192.0.2.10:5060;transport=tcp"; empty = request_uri
  std::string contact_user;    // user part of our Contact; serve() must know it for requests to arrive
  bool keep_next_hop = false;  // use next_hop in the dialog too, as long as the peer gives no Record-Route
};

// Thread-safe: each method may be called from any thread, from callbacks too; start and stop from outside
// only.
class Transport {
 public:
  virtual ~Transport() = default;

  // Opens the listeners; when it returns, requests may arrive. Fails with the address that could not be
  // opened.
  [[nodiscard]] virtual Result<void> start() = 0;
  // Ends everything: each request without an answer gets Errc::transport; no callback is posted after it
  // returns.
  virtual void stop() = 0;

  // The addresses really listened at: "sip:127.0.0.1:40001;transport=tcp". Empty before start().
  [[nodiscard]] virtual std::vector<std::string> addresses() const = 0;
  // Contact URI of a local identity at the first address: "sip:bob-1@127.0.0.1:40001;transport=tcp".
  [[nodiscard]] virtual std::string contact(std::string_view user) const = 0;

  // Requests whose Request-URI has this user part (in a dialog: whose local Contact has it) go to `handler`.
  // The empty user takes what no other takes. A second call replaces, an empty handler removes.
  virtual void serve(std::string_view user, Handler handler) = 0;

  // Sends the first request of a new dialog. The dialog stands from now on, so that a NOTIFY that overtakes
  // the 2xx finds it; a final answer other than 2xx, or none, removes it unless the peer has used it already.
  [[nodiscard]] virtual Result<DialogId> open(const Opening& opening, Request request, OnAnswer on_answer,
                                              std::chrono::milliseconds deadline = kDefaultDeadline) = 0;
  // Sends a request in a dialog: the next CSeq, its route set, its remote target.
  virtual void send(const DialogId& dialog, Request request, OnAnswer on_answer,
                    std::chrono::milliseconds deadline = kDefaultDeadline) = 0;
  // Sends a request outside any dialog and makes none (MESSAGE, OPTIONS). Contact only if contact_user is
  // set.
  virtual void send_alone(const Opening& opening, Request request, OnAnswer on_answer,
                          std::chrono::milliseconds deadline = kDefaultDeadline) = 0;

  // Makes the dialog that a 2xx to this out-of-dialog request will confirm; store it, then answer. For a
  // request in a dialog: lets the dialog take its CSeq and target (RFC 3261 12.2.2), as a 2xx does; a refused
  // request changes nothing. Fails when the request has no usable Contact or From tag (Errc::malformed) or is
  // gone (Errc::conflict).
  [[nodiscard]] virtual Result<Dialog> accept_dialog(TransactionId transaction) = 0;
  // The Contact of our dialog is added. Unknown or answered transactions are ignored. A response other than
  // 2xx removes the dialog that accept_dialog made.
  virtual void answer(TransactionId transaction, Response response) = 0;

  // A dialog as it stands now, for storing.
  [[nodiscard]] virtual std::optional<Dialog> dialog(const DialogId& id) const = 0;
  // Puts a stored dialog back (before or after start). Fails on an incomplete one.
  virtual Result<void> restore(Dialog dialog) = 0;
  virtual void forget(const DialogId& id) = 0;
};

}  // namespace regroup::sip
