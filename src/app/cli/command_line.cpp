// SPDX-License-Identifier: Apache-2.0
#include "app/cli/command_line.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "app/cli/info.hpp"
#include "app/cli/key_files.hpp"
#include "app/spelling.hpp"
#include "base/text.hpp"

namespace regroup::app::cli {
namespace {

constexpr std::string_view kClause = "docs/operations.md";

// The line up to its verb, and the first word that is no verb or no option there. CLI11 would only say that a
// word was not expected, and of a missing option before an unknown one.
struct Line {
  const CLI::App* verb = nullptr;
  std::string command;  // "regroup kms list"
  std::optional<Error> mistake;
};

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names,
                         std::string_view dashes, const std::string& command) {
  const std::string_view meant = nearest(word, std::vector<std::string_view>(names.begin(), names.end()));
  const std::string listed = command + " --help lists them";
  return meant.empty() ? listed
                       : "did you mean `" + std::string(dashes) + std::string(meant) + "`? " + listed;
}

Error unknown_verb(const Line& line, std::string_view word, const std::vector<std::string>& names) {
  return fail(Errc::usage, kClause, "unknown verb `" + printable(word, 40) + "`",
              did_you_mean(word, names, "", line.command));
}

Error unknown_option(const Line& line, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : line.verb->get_options())
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  const std::string_view bare = word.substr(word.find_first_not_of('-'));
  return fail(Errc::usage, kClause, "unknown option `" + printable(word, 40) + "`",
              did_you_mean(bare, names, "--", line.command));
}

bool is_option(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return false;
  return word[1] != '-' ? word[1] < '0' || word[1] > '9' : word.size() > 2;  // -5 is a value
}

void take_verb(Line& line, const std::string& word) {
  const std::vector<const CLI::App*> verbs = line.verb->get_subcommands([](const CLI::App*) { return true; });
  if (verbs.empty()) return;
  std::vector<std::string> names;
  for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) {
    line.mistake = unknown_verb(line, word, names);
    return;
  }
  line.verb = verbs[static_cast<std::size_t>(found - names.begin())];
  line.command += " " + word;
}

Line read_line(const CLI::App& app, std::span<const char* const> words) {
  Line line{&app, "regroup", {}};
  for (std::size_t i = 0; i < words.size() && !line.mistake; ++i) {
    const std::string word = words[i];
    if (word == "--") break;
    if (!is_option(word)) {
      take_verb(line, word);
      continue;
    }
    const std::string name = word.substr(0, word.find('='));
    const CLI::Option* const option = line.verb->get_option_no_throw(name);
    if (!option)
      line.mistake = unknown_option(line, name);
    else if (name == word)
      i +=
          static_cast<std::size_t>(option->get_items_expected_min());  // its values, whatever they begin with
  }
  return line;
}

// `--json` of the demo names a file; everywhere else it asks for an object on stdout.
bool wants_json(const Line& line, std::span<const char* const> words) {
  const CLI::Option* const option = line.verb->get_option_no_throw("--json");
  return (!option || option->get_items_expected_min() == 0) &&
         std::find(words.begin(), words.end(), std::string_view("--json")) != words.end();
}

int refuse(const Line& line, const Error& error, bool json, std::ostream& out, std::ostream& err) {
  err << line.command << ": " << error.text() << std::endl;
  if (json) out << nlohmann::json{{"error", error_json(error)}}.dump() << std::endl;
  return 2;
}

}  // namespace

int run_command_line(int argc, const char* const* argv, std::ostream& err) {
  int result = 0;
  CLI::App app{"regroup: group key management for mission-critical push-to-talk (TS 33.179 7.3.4, 7.3.5)",
               "regroup"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("regroup ") + kVersion);
  add_lab_verbs(app, result);
  add_role_verbs(app, result);
  const auto words = std::span(argv, static_cast<std::size_t>(argc)).subspan(1);
  const Line line = read_line(app, words);
  const bool json = wants_json(line, words);
  if (line.mistake) return refuse(line, *line.mistake, json, std::cout, err);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, err);  // help, version
    return refuse(line,
                  fail(Errc::usage, kClause, printable(error.what(), 400),
                       "correct the command line; see " + line.command + " --help"),
                  json, std::cout, err);
  }
  std::cout.flush();
  if (!std::cout) {
    err << "regroup: storage: standard output cannot be written; free space, or choose another file"
        << std::endl;
    if (result == 0) return 1;
  }
  return result;
}

}  // namespace regroup::app::cli
