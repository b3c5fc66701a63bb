// SPDX-License-Identifier: Apache-2.0
// The tables themselves, and docs/flows.md, whose tables and diagrams are drawn from them.
// REGROUP_WRITE_DOCS=1 rewrites the drawn part.
#include "flow/procedure.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "flow/lab.hpp"

namespace regroup::flow {
namespace {

constexpr std::string_view kBegin = "<!-- drawn from src/flow: begin -->\n";
constexpr std::string_view kEnd = "<!-- drawn from src/flow: end -->\n";

std::vector<Row> rows_of(gms::RegroupRole role) {
  std::vector<Row> out;
  for (const std::span<const Row> table : {regroup_multi_table(), teardown_table()})
    for (const Row& row : table)
      if (row.role == role) out.push_back(row);
  return out;
}

// The states a row leads to: "asking, active" are two.
std::vector<std::string> targets_of(const Row& row) {
  std::vector<std::string> out;
  std::istringstream in{std::string(row.to)};
  for (std::string one; std::getline(in, one, ',');) out.push_back(one.substr(one.find_first_not_of(' ')));
  return out;
}

std::string in_diagram(std::string_view stage) { return stage == "none" ? "[*]" : std::string(stage); }

// Steps that change the state; those that stay are in the table.
std::string diagram(const std::vector<Row>& rows) {
  std::set<std::string> lines;
  for (const Row& row : rows)
    for (const std::string& to : targets_of(row))
      if (to != name_of(row.from))
        lines.insert("  " + in_diagram(name_of(row.from)) + " --> " + to + ": " +
                     std::string(name_of(row.event)) + "\n");
  std::string out = "```mermaid\nstateDiagram-v2\n";
  for (const std::string& line : lines) out += line;
  return out + "```\n";
}

std::string table(const std::vector<Row>& rows) {
  std::string out = "| state | event | step | leads to | clause |\n| --- | --- | --- | --- | --- |\n";
  for (const Row& row : rows)
    out += "| " + std::string(name_of(row.from)) + " | " + std::string(name_of(row.event)) + " | " +
           std::string(row.does) + " | " + std::string(row.to) + " | " + std::string(row.clause) + " |\n";
  return out;
}

std::string drawn() {
  const auto primary = rows_of(gms::RegroupRole::primary), partner = rows_of(gms::RegroupRole::partner);
  return std::string(kBegin) + "\n### Primary GMS\n\n" + diagram(primary) + "\n" + table(primary) +
         "\n### Partner GMS\n\n" + diagram(partner) + "\n" + table(partner) + "\n" + std::string(kEnd);
}

TEST(Procedures, HaveOneStepForAStateAndAnEvent) {
  for (const auto role : {gms::RegroupRole::primary, gms::RegroupRole::partner}) {
    std::set<std::pair<Stage, Event>> seen;
    for (const Row& row : rows_of(role))
      EXPECT_TRUE(seen.emplace(row.from, row.event).second) << name_of(row.from) << " " << name_of(row.event);
  }
}

TEST(Procedures, LeadToStatesThatExistAndCanBeReached) {
  for (const auto role : {gms::RegroupRole::primary, gms::RegroupRole::partner}) {
    std::set<std::string> reached{"none"}, left;
    for (const Row& row : rows_of(role)) {
      left.insert(std::string(name_of(row.from)));
      for (const std::string& to : targets_of(row)) reached.insert(to);
    }
    for (const std::string& stage : left) EXPECT_TRUE(reached.count(stage)) << stage << " is never reached";
  }
}

TEST(Procedures, AnEventWithoutARowHasNoEffect) {
  test::LabNetwork net(1);
  gms::Regroup regroup;
  regroup.role = gms::RegroupRole::partner;
  const auto out = advance(*net.a->gms, Stage::none, regroup, {Event::holds_key, net.b->gms_uri});
  EXPECT_TRUE(out.writes.empty() && out.effects.empty());
  EXPECT_TRUE(net.a->gms->state().regroups.empty());
}

TEST(Procedures, AreWhatTheDocumentationShows) {
  const std::string path = REGROUP_TEST_DIR "/../docs/flows.md";
  std::ifstream in(path);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::size_t from = text.find(kBegin), to = text.find(kEnd);
  ASSERT_NE(from, std::string::npos) << path << " has lost its marks";
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("REGROUP_WRITE_DOCS")) {
    text.replace(from, to + kEnd.size() - from, drawn());
    std::ofstream(path, std::ios::trunc) << text;
    return;
  }
  EXPECT_EQ(text.substr(from, to + kEnd.size() - from), drawn())
      << "draw it again: REGROUP_WRITE_DOCS=1 ./test flow";
}

}  // namespace
}  // namespace regroup::flow
