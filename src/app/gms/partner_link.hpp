// SPDX-License-Identifier: Apache-2.0
// The leg to partner GMSs (CSC-7/CSC-16): GMOP over mutually authenticated HTTPS (PR-40). Carries C3, C9 and
// tear-down out and brings the answers back to the loop; repetition and deadlines are flow/regroup_multi's.
#pragma once

#include "app/gms/config.hpp"
#include "app/gms/core.hpp"
#include "http/client.hpp"

namespace regroup::app {

class PartnerLink {
 public:
  [[nodiscard]] static Result<std::unique_ptr<PartnerLink>> make(const GmsConfig& config, Loop& loop);
  // Connects the core's effects to this link.
  void attach(GmsCore& core);

 private:
  struct Peer {
    PartnerAccess access;
    std::unique_ptr<http::Client> client;
  };
  PartnerLink(const GmsConfig& config, Loop& loop) : own_uri_(config.domain.gms_uri.text()), loop_(loop) {}
  using Done = std::function<void(Result<gms::Answer>)>;
  // What a request is, and what its answer must repeat.
  struct Operation {
    std::string name, id;
    std::optional<std::uint32_t> seq;
  };
  void post(const std::string& to, const std::string& group, Operation operation, std::string body,
            std::chrono::milliseconds deadline, Done done);
  void ask(const gms::AskPartner& effect);
  void notify(const gms::NotifyPartner& effect);
  void tear_down(const gms::TearDownPartner& effect);
  // The group whose address carries the request: the first of them that is homed at the partner.
  [[nodiscard]] std::string home_group(const std::string& to, const std::vector<gms::GroupId>& groups) const;

  std::string own_uri_;
  Loop& loop_;
  GmsCore* core_ = nullptr;
  std::map<std::string, Peer> peers_;
};

}  // namespace regroup::app
