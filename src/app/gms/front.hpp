// SPDX-License-Identifier: Apache-2.0
// The GMS's HTTP side as one function from request to answer: XCAP on group documents and key documents, GMOP
// operations, key receipts, the operator's ledger (TS 24.481 6.3, 7.2, 7.3, 7.7; RFC 4825). Knows no sockets;
// runs on the loop.
#pragma once

#include "app/gms/core.hpp"
#include "app/gms/documents.hpp"
#include "app/gms/identity.hpp"
#include "http/server.hpp"
#include "http/target.hpp"

namespace regroup::app {

class GmsFront {
 public:
  // `root_path`: the path of the XCAP root, with both slashes. `keyed`: a key set of the present period is
  // held; without one, who may sign nothing forms, passes on and withdraws nothing (503).
  GmsFront(
      GmsCore& core, std::string root_path, http::TokenPolicy policy, std::function<http::Jwks()> jwks,
      const Clock& clock, std::function<bool()> keyed = [] { return true; })
      : core_(core),
        documents_(core.gms()),
        root_path_(std::move(root_path)),
        policy_(std::move(policy)),
        jwks_(std::move(jwks)),
        clock_(clock),
        keyed_(std::move(keyed)) {}

  // The response that refuses a request by its head alone: nobody's, or without authority (PR-11, PR-32).
  // Thread-safe; the rest runs on the loop.
  [[nodiscard]] std::optional<http::Response> refusal(const http::Request& head) const;
  using Answer = std::function<void(http::Response)>;
  // `answer` is called once, now or later.
  void handle(const http::Request& request, Answer answer);

 private:
  struct Call {
    const http::Request& request;
    const Requester& from;
    std::vector<std::string> path;  // decoded, below the AUID
  };
  http::Response groups(const Call& call);
  http::Response keys(const Call& call);
  http::Response put_group(const Call& call);
  http::Response receipt(const Call& call, const std::string& group);
  void gmop(const Call& call, Answer answer);
  void gmop_of_client(const Requester& from, const std::string& operation, Answer answer, const Octets& body);
  void gmop_of_partner(const Requester& from, Answer answer, const Octets& body);
  [[nodiscard]] std::variant<Requester, http::Response> requester(const http::Request& request) const;
  [[nodiscard]] bool operates(const http::Request& request) const;
  http::Response ledger(const http::Request& request);

  GmsCore& core_;
  Documents documents_;
  std::string root_path_;
  http::TokenPolicy policy_;
  std::function<http::Jwks()> jwks_;
  const Clock& clock_;
  std::function<bool()> keyed_;
};

// The operator's view of a group: keys, ledger rows, regroup and partners, as one JSON object. No key, no
// secret.
[[nodiscard]] std::string ledger_json(const gms::Gms& gms, const std::string& group);

}  // namespace regroup::app
