// SPDX-License-Identifier: Apache-2.0
#include "app/gms/partner_link.hpp"

#include "app/gms/gmop_codec.hpp"
#include "flow/regroup_multi.hpp"
#include "flow/teardown.hpp"
#include "gms/authority.hpp"
#include "xcap/address.hpp"

namespace regroup::app {

Result<std::unique_ptr<PartnerLink>> PartnerLink::make(const GmsConfig& config, Loop& loop) {
  std::unique_ptr<PartnerLink> link(new PartnerLink(config, loop));
  for (const PartnerAccess& access : config.partners) {
    http::ClientOptions options;
    options.ca_file = access.ca_file;
    options.certificate_file = config.certificate_file;
    options.key_file = config.key_file;
    link->peers_.emplace(access.gms_uri, Peer{access, TRY(http::Client::make(options))});
  }
  return link;
}

void PartnerLink::attach(GmsCore& core) {
  core_ = &core;
  core.ask_partner = [this](const gms::AskPartner& effect) { ask(effect); };
  core.notify_partner = [this](const gms::NotifyPartner& effect) { notify(effect); };
  core.tear_down_partner = [this](const gms::TearDownPartner& effect) { tear_down(effect); };
}

std::string PartnerLink::home_group(const std::string& to, const std::vector<gms::GroupId>& groups) const {
  for (const gms::GroupId& group : groups)
    if (const gms::PartnerSettings* home = gms::home_of(core_->gms().with().settings, group);
        home && home->gms_uri.text() == to)
      return group.text();
  return groups.front().text();
}

void PartnerLink::post(const std::string& to, const std::string& group, Operation operation, std::string body,
                       std::chrono::milliseconds deadline, Done done) {
  const auto found = peers_.find(to);
  if (found == peers_.end())
    return done(fail(Errc::transport, "", "no access to partner " + to + " is configured",
                     "add the partner to [[partner]] of the configuration"));
  const Peer& peer = found->second;
  http::ClientRequest request;
  request.method = "POST";
  request.url = peer.access.xcap_root + xcap::write_address(xcap::group_address(group));
  request.headers.add("Content-Type", std::string(xcap::mime::kGmop));
  request.headers.add("X-3GPP-Asserted-Identity", "\"" + own_uri_ + "\"");
  request.body = to_octets(view(body));
  request.required_san = peer.access.san;
  peer.client->call(
      std::move(request), deadline,
      [this, done, operation = std::move(operation)](Result<http::Response> outcome) {
        Result<gms::Answer> answer = [&]() -> Result<gms::Answer> {
          const http::Response response = TRY(std::move(outcome));
          if (response.status != 200)
            return fail(Errc::transport, "", "the partner answered HTTP " + std::to_string(response.status),
                        "see the log of that GMS; xcap_root of the partner must be its address");
          return answer_of(TRY(xcap::parse_gmop_response(response.body.view())), operation.name, operation.id,
                           operation.seq);
        }();
        auto shared = std::make_shared<Result<gms::Answer>>(std::move(answer));
        loop_.post([done, shared] { done(std::move(*shared)); });
      });
}

void PartnerLink::ask(const gms::AskPartner& effect) {
  xcap::RegroupCreation creation = creation_of(effect.request, own_uri_);
  creation.between_servers = true;
  const std::string to = effect.partner.text();
  post(to, home_group(to, effect.request.constituents), {std::string(creation.kName), creation.id, {}},
       xcap::write_gmop(xcap::GmopRequest(creation)), std::chrono::seconds(5),
       [this, to, effect](Result<gms::Answer> answer) {
         if (answer.ok())
           return core_->carry_out(
               flow::partner_answered(core_->gms(), to, effect.request.id, answer.value()));
         core_->say("C3 to " + to + ": " + answer.error().text());
         // The same id again until T_ask ends the wait.
         const auto regroup = core_->gms().state().regroups.find(effect.request.id);
         if (regroup == core_->gms().state().regroups.end() ||
             regroup->second.state != gms::RegroupState::asking)
           return;
         loop_.post_in(std::chrono::seconds(1), [this, effect] { ask(effect); });
       });
}

void PartnerLink::notify(const gms::NotifyPartner& effect) {
  const std::string to = effect.partner.text();
  const gms::RegroupNotification& n = effect.notification;
  post(to, home_group(to, n.constituents), {std::string(xcap::RegroupNotification::kName), n.id, n.seq},
       xcap::write_gmop(xcap::GmopRequest(notification_for(effect.notification, to))),
       std::chrono::seconds(30),
       [this, to, id = effect.notification.id, seq = effect.notification.seq](Result<gms::Answer> answer) {
         if (answer.ok())
           return core_->carry_out(flow::partner_acknowledged(core_->gms(), to, id, seq, answer.value()));
         core_->say("C9 to " + to + ": " + answer.error().text());
         core_->carry_out(flow::partner_unreachable(core_->gms(), to, id));
       });
}

void PartnerLink::tear_down(const gms::TearDownPartner& effect) {
  xcap::RegroupTeardown down;
  down.id = effect.request.id;
  down.temporary = effect.request.temporary;
  const std::string to = effect.partner.text();
  const auto regroup = core_->gms().state().regroups.find(effect.ref);
  if (regroup == core_->gms().state().regroups.end()) return;
  const std::string group =
      down.temporary.empty() ? home_group(to, regroup->second.constituents) : down.temporary;
  post(to, group, {std::string(down.kName), down.id, {}}, xcap::write_gmop(xcap::GmopRequest(down)),
       std::chrono::seconds(10), [this, to, ref = effect.ref](Result<gms::Answer> answer) {
         if (answer.ok() && answer.value().accepted)
           return core_->carry_out(flow::partner_withdrew(core_->gms(), to, ref));
         core_->say("tear-down at " + to + ": " +
                    (answer.ok() ? answer.value().reason : answer.error().text()));
         core_->carry_out(flow::partner_unreachable(core_->gms(), to, ref));
       });
}

}  // namespace regroup::app
