// SPDX-License-Identifier: Apache-2.0
// The command line itself: every option explained, mistakes named with their cure.
#include "app/cli/command_line.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;

struct Ending {
  int code;
  std::string err, out;
};
Ending run(std::vector<const char*> words) {
  words.insert(words.begin(), "regroup");
  std::ostringstream err;
  testing::internal::CaptureStdout();
  const int code = run_command_line(static_cast<int>(words.size()), words.data(), err);
  return {code, err.str(), testing::internal::GetCapturedStdout()};
}

template <class Look>
void for_each_verb(const CLI::App& app, const Look& look) {
  look(app);
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    for_each_verb(*verb, look);
}

TEST(CommandLine, EveryVerbAndEveryOptionHasAHelpText) {
  int result = 0;
  CLI::App app("regroup");
  add_lab_verbs(app, result);
  add_role_verbs(app, result);
  int verbs = 0, times = 0;
  for_each_verb(app, [&](const CLI::App& verb) {
    ++verbs;
    EXPECT_FALSE(verb.get_description().empty()) << verb.get_name();
    for (const CLI::Option* option : verb.get_options()) {
      EXPECT_FALSE(option->get_description().empty()) << verb.get_name() << " " << option->get_name();
      if (option->get_name() != "--at") continue;
      ++times;
      EXPECT_THAT(option->get_description(), HasSubstr("UTC unless it names a zone"));
    }
  });
  EXPECT_GT(verbs, 20);
  EXPECT_EQ(times, 2) << "of open and of seal";
}

TEST(CommandLine, AMisspeltVerbIsNamedWithTheOneThatIsNear) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"inspekt", "message.bin"},
       "regroup: usage: unknown verb `inspekt` [docs/operations.md]; did you mean `inspect`? regroup --help"},
      {{"kms", "lsit", "--dir", "kms"},
       "regroup kms: usage: unknown verb `lsit` [docs/operations.md]; did you mean `list`? regroup kms "
       "--help"},
      {{"ue", "group", "creat"},
       "regroup ue group: usage: unknown verb `creat` [docs/operations.md]; did you mean `create`?"},
      {{"frobnicate"}, "unknown verb `frobnicate` [docs/operations.md]; regroup --help lists them"}};
  for (const auto& [words, said] : cases) {
    const Ending ending = run(words);
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr(said));
  }
}

TEST(CommandLine, AnUnknownOptionIsNamedBeforeAMissingOne) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"kms", "list", "--dri", "d"},
       "regroup kms list: usage: unknown option `--dri` [docs/operations.md]; did you mean `--dir`? "},
      {{"kms", "list", "-dir", "d"}, "unknown option `-dir` [docs/operations.md]; did you mean `--dir`? "},
      {{"kms", "list", "--dri=d"}, "unknown option `--dri` "},
      {{"kms", "list", "--sesame"},
       "unknown option `--sesame` [docs/operations.md]; regroup kms list --help lists them"},
      {{"gms", "serve", "--cofnig", "x"},
       "regroup gms serve: usage: unknown option `--cofnig` [docs/operations.md]; did you mean `--config`? "},
      {{"--jsno", "info"}, "regroup: usage: unknown option `--jsno` "}};
  for (const auto& [words, said] : cases) {
    const Ending ending = run(words);
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr(said));
    EXPECT_THAT(ending.err, HasSubstr("--help"));
    EXPECT_EQ(ending.out, "");
  }
}

TEST(CommandLine, WhatTheParserRefusesNamesTheVerbAndItsHelp) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"kms", "list"}, "--dir is required"},
      {{"kms", "list", "--dir"}, "--dir"},
      {{"kms", "init", "--dir", "d", "--kms-uri", "k", "--passphrase-file", "p", "--period", "x"},
       "--period"},
      {{"inspect", "a", "b"}, "not expected: b"},
      {{"bench", "fanout", "--members", "0"}, "--members"},
      {{"kms"}, "subcommand"}};
  for (const auto& [words, said] : cases) {
    const Ending ending = run(words);
    EXPECT_EQ(ending.code, 2) << said;
    EXPECT_THAT(ending.err, testing::StartsWith(std::string("regroup ") + words.front()));
    EXPECT_THAT(ending.err, HasSubstr(": usage: "));
    EXPECT_THAT(ending.err, HasSubstr(said));
    EXPECT_THAT(ending.err, testing::EndsWith(" --help\n"));
  }
}

TEST(CommandLine, WithJsonAMistakeIsAnObjectToo) {
  for (const std::vector<const char*>& words : {std::vector<const char*>{"kms", "list", "--json"},
                                                {"kms", "list", "--json", "--dri", "d"},
                                                {"--json", "kms", "list", "--dir", "d"},
                                                {"kms", "lsit", "--json"},
                                                {"info", "--json", "x"}}) {
    const Ending ending = run(words);
    EXPECT_EQ(ending.code, 2);
    const auto said = nlohmann::json::parse(ending.out, nullptr, false);
    ASSERT_TRUE(said.is_object()) << ending.out << ending.err;
    ASSERT_EQ(said.size(), 1u);
    const nlohmann::json& error = said["error"];
    ASSERT_EQ(error.size(), 4u) << ending.out;
    EXPECT_EQ(error["code"], "usage");
    EXPECT_EQ(error["clause"], "docs/operations.md");
    EXPECT_NE(error["detail"], "");
    EXPECT_THAT(error["cure"].get<std::string>(), HasSubstr("--help"));
  }
  EXPECT_EQ(run({"demo", "--json", "report.json", "--member", "3"}).out, "") << "there it names a file";
}

TEST(CommandLine, AValueMayBeginWithADash) {
  const Ending ending = run({"ue", "group", "show", "--config", "/nowhere", "--timeout", "-5", "sip:a@b"});
  EXPECT_EQ(ending.err, "") << "the verb itself judges it";
}

TEST(CommandLine, WordsBehindAVerbAreItsArguments) {
  const Ending ending = run({"inspect", "/nowhere/inspekt"});
  EXPECT_EQ(ending.code, 2);
}

// A reader who follows the README in a clone does not commit keys.
TEST(CommandLine, WhatTheReadmeWritesIsIgnoredByGit) {
  const auto text_of = [](const char* name) {
    std::ifstream file(std::string(REGROUP_TEST_DIR) + "/../" + name);
    EXPECT_TRUE(file.is_open()) << name;
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string readme = text_of("README.md"), ignored = "\n" + text_of(".gitignore");
  const std::pair<const char*, const char*> written[] = {{"--json report.json", "/report.json"},
                                                         {"--evidence evidence", "/evidence/"},
                                                         {"> message.txt", "/message.txt"},
                                                         {"> kms.pass", "*.pass"},
                                                         {"--dir kms", "/kms/"}};
  for (const auto& [command, line] : written) {
    EXPECT_THAT(readme, HasSubstr(command)) << "or this test looks for what is gone";
    EXPECT_THAT(ignored, HasSubstr("\n" + std::string(line) + "\n"));
  }
}

TEST(CommandLine, TheMessageOfOpenMayStandAnywhere) {
  const std::vector<const char*> words{"--certificate", "/nowhere/c.xml", "--key-set", "/nowhere/k.xml",
                                       "--tolerate",    "accept_ssv32",   "--json"};
  for (std::size_t at = 0; at <= words.size(); at += at == 6 ? 1 : 2) {
    std::vector<const char*> line{"open"};
    line.insert(line.end(), words.begin(), words.end());
    line.insert(line.begin() + 1 + static_cast<std::ptrdiff_t>(at), "/nowhere/m.bin");
    testing::internal::CaptureStderr();
    const Ending ending = run(line);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(ending.code, 2);
    EXPECT_EQ(ending.err, "") << at;
    EXPECT_THAT(said, HasSubstr("cannot read /nowhere/m.bin")) << at;
  }
}

TEST(CommandLine, AFileThatServeNeedsIsNamedWithItsOption) {
  for (const char* missing : {"--tls-cert", "--tls-key", "--client-ca", "--jwks"}) {
    std::vector<const char*> words = {"kms",      "serve",       "--dir",    "d",
                                      "--listen", "127.0.0.1:0", "--issuer", "i"};
    for (const char* option : {"--tls-cert", "--tls-key", "--client-ca", "--jwks"})
      words.insert(words.end(), {option, option == missing ? "/nowhere/x.pem" : "/dev/null"});
    const Ending ending = run(words);
    EXPECT_EQ(ending.code, 2) << missing;
    EXPECT_THAT(ending.err, HasSubstr(missing));
    EXPECT_THAT(ending.err, HasSubstr("/nowhere/x.pem"));
  }
}

}  // namespace
}  // namespace regroup::app::cli
