// SPDX-License-Identifier: Apache-2.0
#include "app/demo/refusals.hpp"

#include <ostream>

#include "base/text.hpp"
#include "crypto/random.hpp"
#include "gktp/seal.hpp"
#include "http/target.hpp"
#include "ue/ue.hpp"
#include "xcap/address.hpp"
#include "xcap/group_document.hpp"

namespace regroup::app::demo {
namespace {

// A client in this process, with the keys its KMS gives it.
struct Client {
  ue::Settings settings;
  Provisioned keys;
  SystemClock clock;
  std::unique_ptr<ue::Ue> ue;

  static Result<std::unique_ptr<Client>> make(const System& system, const std::string& identity) {
    auto client = std::make_unique<Client>();
    client->settings.identity = TRY(mcx::McpttId::parse(identity));
    client->settings.kms_uri = TRY(mcx::KmsUri::parse(system.kms_uri));
    client->settings.gms_authorised = {TRY(mcx::McpttId::parse(system.gms_uri))};
    const KmsAnswers answers = TRY(fetch_keys(system.kms_access(identity), identity));
    client->keys = TRY(read_keys(answers, identity, system.kms_uri, client->clock.now()));
    client->ue = std::make_unique<ue::Ue>(
        ue::Surroundings{client->settings, client->keys.domains, client->keys.key_sets, client->clock});
    return client;
  }
  // Whether anything was installed, and the precise reason if not.
  std::pair<bool, std::string> offer(const std::string& group, const Octets& message) {
    const ue::Received received = ue->document(group, {{message, {}, false}});
    bool installed = false;
    for (const ue::KeyEvent& event : received.events) installed = installed || event.event == "installed";
    return {installed, received.why.empty() ? "" : received.why.front().text()};
  }
};

// A key message of the creation of `group`'s key to `to`.
Result<Octets> message_to(const Report& report, const std::string& flow, const std::string& to) {
  for (const json& line : report.messages)
    if (line.value("flow", "") == flow && line.value("to", "") == to)
      return from_base64(line.value("message", ""));
  return fail(Errc::internal, "", "no key message to " + to + " was kept");
}

class Refusals {
 public:
  Refusals(Lab& lab, Report& report, std::ostream& out)
      : lab_(lab), report_(report), out_(out), alpha_(lab.alpha()) {}

  // Nothing is shown to who is no member, and another's payload does not open with his keys.
  Result<void> not_a_member() {
    const auto answer = TRY(lab_.as_client(alpha_, alpha_.outsider, "GET",
                                           xcap::write_address(xcap::gktp_address(alpha_.group("fire")))));
    const auto outsider = TRY(Client::make(alpha_, alpha_.outsider));
    const auto [installed, why] =
        outsider->offer(alpha_.group("fire"), TRY(message_to(report_, "group_creation", alpha_.users[0])));
    note("a client that is not a member", answer.status == 404 && !installed,
         "the key document is answered " + std::to_string(answer.status) + "; another's payload: " + why);
    return {};
  }

  // An identity with good keys of its own but not on any list: neither the GMS nor a client takes a key from
  // it.
  Result<void> no_authority() {
    const auto rogue = TRY(Client::make(alpha_, alpha_.rogue));
    const auto victim = TRY(Client::make(alpha_, alpha_.users[0]));
    crypto::SystemRandom random;
    gktp::KeyMaterial material;
    random.fill(material.key.expose_mutable());
    material.id = mcx::GmkId{load_be32(random.octets<4>()) & 0x0fffffff};
    material.rand.assign(16, 0);
    random.fill(material.rand);
    material.parameters.groups = {alpha_.group("fire")};
    const mcx::KmsCertificate& certificate = rogue->keys.domains.all().front();
    const NtpTime now = rogue->clock.now();
    for (const mcx::KeySet& keys : rogue->keys.key_sets) {
      if (keys.period_no() != certificate.periods.number_at(now)) continue;
      const gktp::Receiver receiver{victim->settings.identity, &certificate};
      const auto sealed =
          TRY(gktp::seal(material, gktp::Sender{certificate, keys}, std::span(&receiver, 1), now, random));
      const auto [installed, why] = victim->offer(alpha_.group("fire"), sealed.front().message);
      xcap::GroupDocument document;
      document.uri = alpha_.group("rogue-group");
      document.list.emplace();
      xcap::Address address;
      address.auid = std::string(xcap::auid::kGroups);
      address.global = false;
      address.xui = alpha_.rogue;
      address.names = {"group.xml"};
      const auto put =
          TRY(lab_.as_client(alpha_, alpha_.rogue, "PUT", xcap::write_address(address),
                             std::string(xcap::mime::kGroup), xcap::write_group_document(document)));
      note("a GMS identity without authority", !installed && put.status == 403,
           why + "; the GMS answers its request to create a group " + std::to_string(put.status));
    }
    return {};
  }

  // The partner GMS's own payload: good, of the right GMS, for the right group.
  Result<void> for_someone_else() {
    const auto client = TRY(Client::make(alpha_, alpha_.users[0]));
    const auto [installed, why] = client->offer(
        group_of("regroup_multi"), TRY(message_to(report_, "regroup_multi", lab_.beta().gms_uri)));
    note("a message for someone else", !installed, why);
    return {};
  }

  Result<void> tampered() {
    const auto client = TRY(Client::make(alpha_, alpha_.users[0]));
    Octets message = TRY(message_to(report_, "group_creation", alpha_.users[0]));
    message[message.size() / 2] = static_cast<std::uint8_t>(message[message.size() / 2] ^ 1);
    const auto [installed, why] = client->offer(alpha_.group("fire"), message);
    note("a tampered octet", !installed, why);
    return {};
  }

  Result<void> old_payload() {
    const auto client = TRY(Client::make(alpha_, alpha_.users[0]));
    const Octets message = TRY(message_to(report_, "regroup_multi", alpha_.users[0]));
    const std::string group = group_of("regroup_multi");
    const Octets fresh = TRY(sealed_anew(*client, message));
    const bool first = client->offer(group, message).first;
    (void)client->ue->document(group, {});  // torn down: the payload is gone from the key document
    const bool again = client->offer(group, message).first;
    const auto [anew, why] = client->offer(group, fresh);
    bool active = false;
    for (const auto& [id, key] : client->ue->ring().keys())
      active = active || key.state == ue::KeyState::active;
    note("the old payload of a torn-down key offered again",
         first && !again && !anew && !active && !why.empty(),
         "the same octets, and the key sealed anew by its GMS: " + why);
    return {};
  }

 private:
  [[nodiscard]] std::string group_of(const char* flow) const {
    return report_.flows.value(flow, json::object()).value("group", "");
  }
  // The key of a message, with its GMK-ID, sealed to the same client at a later T with the key set of alpha's
  // GMS: nothing is wrong with it but that the key is torn down.
  Result<Octets> sealed_anew(const Client& client, const Octets& message) {
    gktp::Reception reception{client.settings.identity, client.settings.kms_uri, client.keys.domains,
                              client.keys.key_sets};
    reception.authorised_initiators = client.settings.gms_authorised;
    reception.now = client.clock.now();
    const gktp::Opened opened = TRY(gktp::open(TRY(gktp::verify(message, reception)), reception));
    const auto gms = TRY(Client::make(alpha_, alpha_.gms_uri));
    const mcx::KmsCertificate& certificate = gms->keys.domains.all().front();
    crypto::SystemRandom random;
    const gktp::Receiver receiver{client.settings.identity, &certificate};
    for (const mcx::KeySet& keys : gms->keys.key_sets)
      if (keys.period_no() == certificate.periods.number_at(reception.now))
        return TRY(gktp::seal(opened.material, gktp::Sender{certificate, keys}, std::span(&receiver, 1),
                              reception.now, random))
            .front()
            .message;
    return fail(Errc::expired, "TS 33.180 F.2.1", "the GMS holds no key set of this period",
                "compare the clock with the KMS of the demo");
  }
  void note(const std::string& what, bool refused, const std::string& reason) {
    report_.refusals.push_back({{"case", what}, {"refused", refused}, {"reason", reason}});
    out_ << (refused ? "  refused  " : "  ACCEPTED ") << what << "\n           " << reason << "\n"
         << std::flush;
  }
  Lab& lab_;
  Report& report_;
  std::ostream& out_;
  System& alpha_;
};

}  // namespace

Result<void> try_refusals(Lab& lab, Report& report, std::ostream& out) {
  Refusals refusals(lab, report, out);
  TRY(refusals.not_a_member());
  TRY(refusals.no_authority());
  TRY(refusals.for_someone_else());
  TRY(refusals.tampered());
  return refusals.old_payload();
}

}  // namespace regroup::app::demo
