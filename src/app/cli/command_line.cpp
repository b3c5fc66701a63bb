// SPDX-License-Identifier: Apache-2.0
#include "app/cli/command_line.hpp"

#include <iostream>

#include "app/cli/info.hpp"
#include "app/spelling.hpp"
#include "base/text.hpp"

namespace regroup::app::cli {
namespace {

// Words before the verb's own arguments: each must be a verb of the noun before it. CLI11 would only say
// which word was not expected.
bool verbs_are_known(const CLI::App& app, int argc, const char* const* argv, std::ostream& err) {
  const CLI::App* noun = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with('-')) continue;
    const std::vector<const CLI::App*> verbs = noun->get_subcommands([](const CLI::App*) { return true; });
    if (verbs.empty()) return true;
    std::vector<std::string> names;
    for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) {
      const std::string_view meant = nearest(word, std::vector<std::string_view>(names.begin(), names.end()));
      err << "regroup: unknown verb `" << printable(word, 40) << "`"
          << (meant.empty() ? "; regroup --help lists them" : ", did you mean `" + std::string(meant) + "`?")
          << "\n";
      return false;
    }
    noun = verbs[static_cast<std::size_t>(found - names.begin())];
  }
  return true;
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
  if (!verbs_are_known(app, argc, argv, err)) return 2;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, err) == 0 ? 0 : 2;
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
