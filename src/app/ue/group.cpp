// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "app/ue/agent_ring.hpp"
#include "app/ue/group_desk.hpp"
#include "app/ue/run.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "xcap/address.hpp"
#include "xcap/group_document.hpp"

namespace regroup::app {
namespace {

using nlohmann::json;

Result<std::optional<xcap::KeyPlan>> plan_of(const UeGroupOptions& options) {
  xcap::KeyPlan plan;
  if (options.floor_key == "gmk")
    plan.floor = xcap::FloorKey::gmk;
  else if (options.floor_key == "mkfc")
    plan.floor = xcap::FloorKey::mkfc;
  else if (options.floor_key != "none")
    return fail(Errc::usage, "PR-27", "--floor-key: " + printable(options.floor_key, 40) + " is no key plan",
                "choose none, gmk or mkfc");
  if (options.procedure == "two")
    plan.procedure = xcap::Procedure::two;
  else if (options.procedure != "one")
    return fail(Errc::usage, "PR-27",
                "--procedure: " + printable(options.procedure, 40) + " is no number of procedures",
                "choose one or two");
  if (plan == xcap::KeyPlan{}) return std::optional<xcap::KeyPlan>();
  return std::optional<xcap::KeyPlan>(plan);
}

std::string id_of(const UeGroupOptions& options) {
  if (!options.request_id.empty()) return options.request_id;
  crypto::SystemRandom random;
  return "ue-" + hex(random.octets<8>());
}

// One deadline for the whole command, token included. Where the GMS may have to wait for partner systems
// (its t_ask and c13_wait, PR-28) the usual one is longer.
enum class Waits { no_partner, partners };
Result<Desk> open_desk(const UeGroupOptions& options, Waits waits = Waits::no_partner) {
  constexpr std::int64_t kUsual = 15, kWithPartners = 45, kLongest = 3600;
  const std::int64_t seconds = options.timeout.value_or(waits == Waits::partners ? kWithPartners : kUsual);
  if (seconds < 1 || seconds > kLongest)
    return fail(Errc::usage, "docs/operations.md",
                "--timeout: " + std::to_string(seconds) + " is no number of seconds from 1 to " +
                    std::to_string(kLongest),
                "leave it out for the usual time");
  return Desk::open(options.config_file, std::chrono::seconds(seconds));
}

// What a verb comes to: the text to print, or why not.
struct Answer {
  json object;
  std::string text, note;           // for people: on stdout, on stderr
  std::string hint;                 // on stderr, with --json too
  std::optional<Failure> rejected;  // the object is printed all the same, with the error in it
};
template <class Ask>
int answer(const UeGroupOptions& options, std::ostream& out, std::ostream& err, Ask ask) {
  std::optional<Failure> failed;
  auto got = ask(failed);
  if (failed) return tell(*failed, options.json, out, err);
  if (!got.ok()) return tell(Failure(got.error()), options.json, out, err);
  Answer& what = got.value();
  if (what.rejected) {
    tell(*what.rejected, false, out, err);
    what.object["error"] = json_of(what.rejected->error);
  }
  if (options.json) out << what.object.dump() << std::endl;
  if (!options.json && !what.text.empty()) out << what.text << std::endl;
  if (!options.json && !what.note.empty()) err << what.note << std::flush;
  if (!what.hint.empty()) err << "regroup ue: " << what.hint << std::endl;
  return what.rejected ? what.rejected->exit : 0;
}

// An answer of the GMS that cannot be read is its fault, not a matter of usage.
Error unreadable(const Error& error) {
  return fail(Errc::unsupported, error.clause, "the answer of the GMS cannot be read: " + error.detail,
              "see whether xcap_root is the address of a GMS");
}

Answer answer_of(const xcap::GmopResponse& response) {
  Answer out;
  out.object = {{"accepted", response.accepted},
                {"reason", response.reason},
                {"temporary", response.temporary},
                {"constituents", json::array()}};
  for (const auto& one : response.constituents) {
    out.object["constituents"].push_back({{"uri", one.uri}, {"state", one.state}, {"reason", one.reason}});
    out.note += printable(one.uri) + " " + printable(one.state) + " " + printable(one.reason) + "\n";
  }
  if (response.accepted)
    out.text = printable(response.temporary);
  else
    out.rejected = refusal_of(response);
  return out;
}

Result<Answer> send_gmop(const Desk& desk, const std::string& path, const xcap::GmopRequest& request,
                         const std::string& repeat, std::optional<Failure>& failed) {
  auto outcome = desk.send("POST", path, xcap::mime::kGmop, xcap::write_gmop(request));
  if (!outcome.ok() && outcome.error().code == Errc::transport)  // it may have been carried out
    outcome.error().cure += "; then repeat the command" + repeat;
  const http::Response response = TRY(std::move(outcome));
  if (response.status != 200) {
    failed = refusal_of(response);
    return Answer{};
  }
  const auto parsed = xcap::parse_gmop_response(response.body.view());
  if (!parsed.ok()) return unreadable(parsed.error());
  return answer_of(parsed.value());
}

// Where a group is created, and regroups are asked for.
xcap::Address creation_address(const UeConfig& config) {
  xcap::Address out;
  out.auid = std::string(xcap::auid::kGroups);
  out.global = false;
  out.xui = config.group_creation_xui;
  return out;
}

Result<Answer> create(const UeGroupOptions& options, std::optional<Failure>& failed) {
  TRY(check_uri("GROUP", options.group));
  TRY(check_uris("MEMBER", options.members, 1));
  xcap::GroupDocument document;
  document.plan = TRY(plan_of(options));
  const Desk desk = TRY(open_desk(options));
  document.uri = document.display_name = options.group;
  document.list.emplace();
  for (const std::string& member : options.members) {
    document.list->emplace_back();
    document.list->back().uri = member;
  }
  xcap::Address address = creation_address(desk.config());
  address.names = {"group.xml"};
  const http::Response response = TRY(desk.send("PUT", xcap::write_address(address), xcap::mime::kGroup,
                                                xcap::write_group_document(document)));
  const bool created = response.status == 201;
  if (!created && response.status != 200) failed = refusal_of(response);
  Answer out;
  out.object = {{"group", options.group},
                {"created", created},
                {"etag", std::string(response.headers.find("ETag").value_or(""))}};
  out.text = options.group + (created ? " created" : " replaced");
  return out;
}

Result<Answer> show(const UeGroupOptions& options, std::optional<Failure>& failed) {
  TRY(check_uri("GROUP", options.group));
  const Desk desk = TRY(open_desk(options));
  const http::Response response =
      TRY(desk.send("GET", xcap::write_address(xcap::group_address(options.group)), {}, {}));
  Answer out;
  if (response.status != 200) {
    failed = refusal_of(response);
    return out;
  }
  out.text = std::string(response.body.text());
  const auto document = xcap::parse_group_document(response.body.view());
  if (!document.ok())
    return unreadable(
        fail(Errc::malformed, "TS 24.481 7.2", document.error().phrase, "see the log of the GMS"));
  out.object = {{"group", document.value().uri},
                {"members", json::array()},
                {"temporary", document.value().temporary.has_value()},
                {"regrouped_as", json::array()}};
  if (document.value().list)
    for (const auto& entry : *document.value().list) out.object["members"].push_back(entry.uri);
  for (const auto& one : document.value().regrouped) out.object["regrouped_as"].push_back(one.temporary);
  return out;
}

// An id that was used is answered as at first, whatever is asked now (PR-25). So what it formed is looked at.
void compare_with_first(const Desk& desk, const UeGroupOptions& options, Answer& answer) {
  const std::string id = "--id: " + options.request_id, group = answer.object.value("temporary", "");
  const auto response = desk.send("GET", xcap::write_address(xcap::group_address(group)), {}, {});
  const bool shown = response.ok() && response.value().status == 200;
  const auto document = xcap::parse_group_document(shown ? response.value().body.view() : OctetsView());
  if (!shown || !document.ok() || !document.value().temporary) {
    answer.hint = id + " may have been asked before, with other groups: " + printable(group) +
                  " cannot be looked at [PR-25]; leave --id out for a new request";
    return;
  }
  const auto& formed = document.value().temporary->constituents;
  if (std::set<std::string>(formed.begin(), formed.end()) ==
      std::set<std::string>(options.groups.begin(), options.groups.end()))
    return;
  std::string others;
  for (const std::string& one : formed) others += (others.empty() ? "" : ", ") + printable(one);
  answer.rejected =
      Failure(fail(Errc::conflict, "PR-25",
                   id + " was asked before with other groups, which form " + printable(group) + ": " + others,
                   "leave --id out for a new request"),
              3);
}

Result<Answer> regroup(const UeGroupOptions& options, std::optional<Failure>& failed) {
  TRY(check_uris("GROUP", options.groups, 2));
  TRY(check_request_id(options.request_id));
  xcap::RegroupCreation creation;
  creation.regrouped.plan = TRY(plan_of(options));
  const Desk desk = TRY(open_desk(options, Waits::partners));
  creation.id = id_of(options);
  creation.regrouped.requestor = desk.config().domain.identity.text();
  creation.regrouped.constituents = options.groups;
  xcap::Address address = creation_address(desk.config());
  address.collection = true;
  Answer out = TRY(send_gmop(desk, xcap::write_address(address), xcap::GmopRequest(creation),
                             " with --id " + creation.id + ": the same answer, never a second key", failed));
  if (options.request_id.empty() || failed) return out;
  if (out.rejected)
    out.rejected->error.cure +=
        "; an --id that was used gets its first answer: leave it out for a new request";
  else
    compare_with_first(desk, options, out);
  return out;
}

Result<Answer> teardown(const UeGroupOptions& options, std::optional<Failure>& failed) {
  TRY(check_uri("GROUP", options.group));
  TRY(check_request_id(options.request_id));
  const Desk desk = TRY(open_desk(options, Waits::partners));
  xcap::RegroupTeardown down;
  down.id = id_of(options);
  down.temporary = options.group;
  return send_gmop(desk, xcap::write_address(xcap::group_address(options.group)), xcap::GmopRequest(down), "",
                   failed);
}

// One line of text for each key, as the columns of a table for people.
Result<Answer> keys(const UeGroupOptions& options) {
  const UeConfig config = TRY(read_ue_config(options.config_file));
  crypto::SystemRandom random;
  OpenedRing ring = TRY(look_into_ring(config, random));
  Answer out;
  out.object = json::array();
  TRY(ring.store.load({"ring"}, [&](const Record& record) -> Result<void> {
    const auto key = TRY(decode_record<ue::RingKey>(record.value.expose(), "ring"));
    const std::string use(mcx::name_of(key.use)), state(ue::name_of(key.state)),
        print = key.state == ue::KeyState::active ? mcx::fingerprint(key.material.key) : std::string();
    out.object.push_back({{"group", key.group},
                          {"gmk_id", key.material.id.text()},
                          {"guk_id", key.guk_id.text()},
                          {"use", use},
                          {"state", state},
                          {"signed_by", key.initiator},
                          {"key_fingerprint", print}});
    out.text += (out.text.empty() ? "" : "\n") + key.group + "  GMK-ID " + key.material.id.text() +
                "  GUK-ID " + key.guk_id.text() + "  " + use + "  " + state + "  " + print;
    return {};
  }));
  return out;
}

}  // namespace

int run_ue_group_create(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  return answer(options, out, err, [&](auto& failed) { return create(options, failed); });
}
int run_ue_group_show(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  return answer(options, out, err, [&](auto& failed) { return show(options, failed); });
}
int run_ue_group_regroup(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  return answer(options, out, err, [&](auto& failed) { return regroup(options, failed); });
}
int run_ue_group_teardown(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  return answer(options, out, err, [&](auto& failed) { return teardown(options, failed); });
}
int run_ue_keys(const UeGroupOptions& options, std::ostream& out, std::ostream& err) {
  return answer(options, out, err, [&](auto&) { return keys(options); });
}

}  // namespace regroup::app
