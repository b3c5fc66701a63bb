// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/sealed_store.hpp"
#include "app/ue/config.hpp"
#include "app/ue/run.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "http/client.hpp"
#include "xcap/address.hpp"
#include "xcap/gmop.hpp"
#include "xcap/group_document.hpp"

namespace regroup::app {
namespace {

constexpr std::chrono::seconds kDeadline(45);  // above c13_wait of the GMS (gms.md 5.0)

// A dispatcher's client: one configuration, one connection, one token.
struct Desk {
  UeConfig config;
  std::unique_ptr<http::Client> client;
  std::string token;

  static Result<Desk> open(const std::string& config_file) {
    Desk desk;
    desk.config = TRY(read_ue_config(config_file));
    http::ClientOptions options;
    options.ca_file = desk.config.gms_ca_file;
    desk.client = TRY(http::Client::make(options));
    std::ifstream file(desk.config.kms.token_file);
    if (!std::getline(file, desk.token) || desk.token.empty())
      return fail(Errc::usage, "TS 33.180 B.10",
                  "the token file " + desk.config.kms.token_file + " cannot be read");
    return desk;
  }
  [[nodiscard]] Result<http::Response> send(const std::string& method, const std::string& path,
                                            std::string_view type, const std::string& body) const {
    http::ClientRequest request;
    request.method = method;
    request.url = config.xcap_root + path;
    request.headers.add("Authorization", "Bearer " + token);
    if (!type.empty()) request.headers.add("Content-Type", std::string(type));
    request.body = to_octets(view(body));
    return client->call(std::move(request), kDeadline);
  }
};

int report(const Error& error, std::ostream& err) {
  err << "regroup ue group: " << error.text() << std::endl;
  return error.code == Errc::usage || error.code == Errc::malformed ? 2 : 1;
}

// What a refusal by status means, with the XCAP error's words where there are some.
int refused(const http::Response& response, std::ostream& err) {
  std::string why = "HTTP " + std::to_string(response.status);
  if (response.status == 403)
    why += ": not authorised (policy.creators of the GMS, and the scope of the token)";
  if (response.status == 404) why += ": no such group, or it is not known to this identity";
  if (response.status == 409)
    if (const auto error = xcap::XcapError::parse(response.body.view()); error.ok()) {
      why += ": " + printable(error.value().phrase, 300);
      for (const std::string& other : error.value().alternatives)
        why += "; the GMS would accept " + printable(other);
    }
  if (response.status == 503) why += ": the GMS has no keys of its own at present; try again";
  err << "refused: " << why << std::endl;
  return 3;
}

Result<std::optional<xcap::KeyPlan>> plan_of(const UeGroupOptions& options) {
  if (options.floor_key == "none" && options.procedure == "one") return std::optional<xcap::KeyPlan>();
  xcap::KeyPlan plan;
  if (options.floor_key == "gmk")
    plan.floor = xcap::FloorKey::gmk;
  else if (options.floor_key == "mkfc")
    plan.floor = xcap::FloorKey::mkfc;
  else if (options.floor_key != "none")
    return fail(Errc::usage, "PR-27", "--floor-key is none, gmk or mkfc");
  if (options.procedure == "two")
    plan.procedure = xcap::Procedure::two;
  else if (options.procedure != "one")
    return fail(Errc::usage, "PR-27", "--procedure is one or two");
  return std::optional<xcap::KeyPlan>(plan);
}

std::string draw_id() {
  crypto::SystemRandom random;
  return "ue-" + hex(random.octets<8>());
}

int print_answer(const xcap::GmopResponse& answer, bool json, std::ostream& out, std::ostream& err) {
  if (json) {
    nlohmann::json line{{"accepted", answer.accepted},
                        {"reason", answer.reason},
                        {"temporary", answer.temporary},
                        {"constituents", nlohmann::json::array()}};
    for (const auto& one : answer.constituents)
      line["constituents"].push_back({{"uri", one.uri}, {"state", one.state}, {"reason", one.reason}});
    out << line.dump() << std::endl;
  } else if (answer.accepted) {
    out << answer.temporary << std::endl;
    for (const auto& one : answer.constituents)
      err << one.uri << " " << one.state << " " << one.reason << std::endl;
  }
  if (answer.accepted) return 0;
  err << "refused: " << answer.reason << std::endl;
  return 3;
}

int send_gmop(const Desk& desk, const std::string& path, const xcap::GmopRequest& request, bool json,
              std::ostream& out, std::ostream& err) {
  const auto response = desk.send("POST", path, xcap::mime::kGmop, xcap::write_gmop(request));
  if (!response.ok()) return report(response.error(), err);
  if (response.value().status != 200) return refused(response.value(), err);
  const auto answer = xcap::parse_gmop_response(response.value().body.view());
  if (!answer.ok()) return report(answer.error(), err);
  return print_answer(answer.value(), json, out, err);
}

}  // namespace

int run_ue_group_create(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  const auto desk = Desk::open(options.config_file);
  if (!desk.ok()) return report(desk.error(), err);
  const auto plan = plan_of(options);
  if (!plan.ok()) return report(plan.error(), err);
  xcap::GroupDocument document;
  document.uri = options.group;
  document.display_name = options.group;
  document.list.emplace();
  for (const std::string& member : options.members) {
    xcap::Entry entry;
    entry.uri = member;
    document.list->push_back(std::move(entry));
  }
  document.plan = plan.value();
  xcap::Address address;
  address.auid = std::string(xcap::auid::kGroups);
  address.global = false;
  address.xui = desk.value().config.group_creation_xui;
  address.names = {"group.xml"};
  const auto response = desk.value().send("PUT", xcap::write_address(address), xcap::mime::kGroup,
                                          xcap::write_group_document(document));
  if (!response.ok()) return report(response.error(), err);
  if (response.value().status != 201 && response.value().status != 200) return refused(response.value(), err);
  const std::string etag(response.value().headers.find("ETag").value_or(""));
  if (options.json)
    out << nlohmann::json{{"group", options.group},
                          {"created", response.value().status == 201},
                          {"etag", etag}}
               .dump()
        << std::endl;
  else
    out << options.group << (response.value().status == 201 ? " created" : " replaced") << std::endl;
  return 0;
}

int run_ue_group_show(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  const auto desk = Desk::open(options.config_file);
  if (!desk.ok()) return report(desk.error(), err);
  const auto response =
      desk.value().send("GET", xcap::write_address(xcap::group_address(options.group)), {}, {});
  if (!response.ok()) return report(response.error(), err);
  if (response.value().status != 200) return refused(response.value(), err);
  if (!options.json) {
    out << response.value().body.text() << std::endl;
    return 0;
  }
  const auto document = xcap::parse_group_document(response.value().body.view());
  if (!document.ok()) return report(fail(Errc::malformed, "TS 24.481 7.2", document.error().phrase), err);
  nlohmann::json line{{"group", document.value().uri},
                      {"members", nlohmann::json::array()},
                      {"temporary", document.value().temporary.has_value()},
                      {"regrouped_as", nlohmann::json::array()}};
  if (document.value().list)
    for (const auto& entry : *document.value().list) line["members"].push_back(entry.uri);
  for (const auto& one : document.value().regrouped) line["regrouped_as"].push_back(one.temporary);
  out << line.dump() << std::endl;
  return 0;
}

int run_ue_group_regroup(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  const auto desk = Desk::open(options.config_file);
  if (!desk.ok()) return report(desk.error(), err);
  const auto plan = plan_of(options);
  if (!plan.ok()) return report(plan.error(), err);
  xcap::RegroupCreation creation;
  creation.id = options.request_id.empty() ? draw_id() : options.request_id;
  creation.regrouped.requestor = desk.value().config.domain.identity.text();
  creation.regrouped.constituents = options.groups;
  creation.regrouped.plan = plan.value();
  xcap::Address address;
  address.auid = std::string(xcap::auid::kGroups);
  address.global = false;
  address.xui = desk.value().config.group_creation_xui;
  address.collection = true;
  return send_gmop(desk.value(), xcap::write_address(address), xcap::GmopRequest(creation), options.json, out,
                   err);
}

int run_ue_group_teardown(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  const auto desk = Desk::open(options.config_file);
  if (!desk.ok()) return report(desk.error(), err);
  xcap::RegroupTeardown down;
  down.id = options.request_id.empty() ? draw_id() : options.request_id;
  down.temporary = options.group;
  return send_gmop(desk.value(), xcap::write_address(xcap::group_address(options.group)),
                   xcap::GmopRequest(down), options.json, out, err);
}

int run_ue_keys(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  const auto config = read_ue_config(options.config_file);
  if (!config.ok()) return report(config.error(), err);
  crypto::SystemRandom random;
  auto store = SealedStore::open_file(config.value().ring_file, "ue", config.value().passphrase_file, random);
  if (!store.ok()) return report(store.error(), err);
  nlohmann::json keys = nlohmann::json::array();
  const auto loaded = store.value().load({"ring"}, [&](const Record& record) -> Result<void> {
    const auto key = TRY(decode_record<ue::RingKey>(record.value.expose(), "ring"));
    keys.push_back(
        {{"group", key.group},
         {"gmk_id", key.material.id.text()},
         {"guk_id", key.guk_id.text()},
         {"use", std::string(mcx::name_of(key.use))},
         {"state", std::string(ue::name_of(key.state))},
         {"signed_by", key.initiator},
         {"key_fingerprint", key.state == ue::KeyState::active ? mcx::fingerprint(key.material.key) : ""}});
    return {};
  });
  if (!loaded.ok()) return report(loaded.error(), err);
  if (options.json) {
    out << keys.dump() << std::endl;
    return 0;
  }
  for (const auto& key : keys)
    out << key["group"].get<std::string>() << "  GMK-ID " << key["gmk_id"].get<std::string>() << "  GUK-ID "
        << key["guk_id"].get<std::string>() << "  " << key["use"].get<std::string>() << "  "
        << key["state"].get<std::string>() << "  " << key["key_fingerprint"].get<std::string>() << std::endl;
  return 0;
}

}  // namespace regroup::app
