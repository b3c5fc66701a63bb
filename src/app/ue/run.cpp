// SPDX-License-Identifier: Apache-2.0
#include "app/ue/run.hpp"
#include "app/cli/key_files.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/process.hpp"
#include "app/ue/agent.hpp"
#include "crypto/random.hpp"
#include "sip/sofia.hpp"

namespace regroup::app {
namespace {

std::string event_line(const ue::KeyEvent& event, const std::string& identity, bool json, bool several) {
  if (json) {
    nlohmann::json line{{"event", event.event},
                        {"group", event.group},
                        {"gmk_id", event.gmk_id},
                        {"guk_id", event.guk_id},
                        {"key_fingerprint", event.key_fingerprint},
                        {"use", event.use}};
    if (!event.reason.empty()) line["reason"] = event.reason;
    if (several) line["mcptt_id"] = identity;
    return line.dump();
  }
  std::string line = identity + ": " + event.event + " " + event.group;
  if (!event.gmk_id.empty())
    line += " GMK-ID " + event.gmk_id + " GUK-ID " + event.guk_id + " use " + event.use;
  if (!event.key_fingerprint.empty()) line += " fingerprint " + event.key_fingerprint;
  if (!event.reason.empty()) line += " (" + event.reason + ")";
  return line;
}

struct Clients {
  crypto::SystemRandom random;
  SystemClock clock;
  Loop loop;
  std::unique_ptr<sip::Transport> transport;
  std::vector<std::unique_ptr<UeAgent>> agents;
};

Result<void> run(const std::vector<UeConfig>& configs, const UeRunOptions& options, std::ostream& out,
                 std::ostream& err) {
  Clients all;
  sip::SofiaOptions sip_options;
  sip_options.listen = {"tcp:" + configs.front().sip_contact};
  sip_options.methods = {"SUBSCRIBE", "NOTIFY"};
  sip_options.post = [&all](std::function<void()> task) { all.loop.post(std::move(task)); };
  all.transport = sip::make_sofia(sip_options, all.random);
  const bool several = configs.size() > 1;
  for (const UeConfig& config : configs) {
    const std::string identity = config.domain.identity.text();
    all.agents.push_back(std::make_unique<UeAgent>(
        config, *all.transport, all.loop, all.random, all.clock,
        [&err, identity](const std::string& line) { err << identity + ": " + line + "\n"
                                                        << std::flush; },
        [&out, identity, json = options.json, several](const ue::KeyEvent& event) {
          out << event_line(event, identity, json, several) + "\n" << std::flush;
        }));
    auto prepared = all.agents.back()->prepare();
    if (!prepared.ok()) return std::move(prepared).error().with(identity);
  }
  TRY(all.transport->start());
  auto waiting = std::make_shared<std::size_t>(all.agents.size());
  all.loop.run([&] {
    for (const auto& agent : all.agents)
      agent->start([waiting, json = options.json, count = all.agents.size()] {
        if (--*waiting != 0) return;
        if (json) return say_ready_json({{"ready", count}});
        say_ready(std::to_string(count) + (count == 1 ? " client" : " clients"));
      });
  });
  wait_for_stop_signal();
  all.loop.run([&] {
    for (const auto& agent : all.agents) agent->stop();
  });
  all.transport->stop();
  all.loop.stop();
  return {};
}

}  // namespace

int run_ue(const UeRunOptions& options, std::ostream& out, std::ostream& err, const Clock& clock) {
  block_stop_signals();
  harden_process();
  if (const auto judged = check_clock(clock); !judged.ok()) {
    err << "regroup ue: " << judged.error().text() << std::endl;
    return 1;
  }
  std::vector<UeConfig> configs;
  for (const std::string& file : options.config_files) {
    auto config = read_ue_config(file);
    if (!config.ok()) {
      err << "regroup ue: " << config.error().text() << std::endl;
      return 2;
    }
    configs.push_back(std::move(config).value());
  }
  if (configs.empty()) return 2;
  const auto done = run(configs, options, out, err);
  if (done.ok()) return 0;
  err << "regroup ue: " << done.error().text() << std::endl;
  return cli::exit_of_role(done.error());
}

}  // namespace regroup::app
