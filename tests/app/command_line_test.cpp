// SPDX-License-Identifier: Apache-2.0
// The command line itself: every option explained, mistakes named with their cure.
#include "app/cli/command_line.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;

struct Ending {
  int code;
  std::string err;
};
Ending run(std::vector<const char*> words) {
  words.insert(words.begin(), "regroup");
  std::ostringstream err;
  const int code = run_command_line(static_cast<int>(words.size()), words.data(), err);
  return {code, err.str()};
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
      {{"inspekt", "message.bin"}, "unknown verb `inspekt`, did you mean `inspect`?"},
      {{"kms", "lsit", "--dir", "kms"}, "unknown verb `lsit`, did you mean `list`?"},
      {{"ue", "group", "creat"}, "unknown verb `creat`, did you mean `create`?"},
      {{"frobnicate"}, "unknown verb `frobnicate`; regroup --help lists them"}};
  for (const auto& [words, said] : cases) {
    const Ending ending = run(words);
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr(said));
  }
}

TEST(CommandLine, WordsBehindAVerbAreItsArguments) {
  const Ending ending = run({"inspect", "/nowhere/inspekt"});
  EXPECT_EQ(ending.code, 2);
}

TEST(CommandLine, TheMessageOfOpenMayStandAnywhere) {
  const std::vector<const char*> words{"--certificate", "/nowhere/c.xml", "--key-set", "/nowhere/k.xml",
                                       "--tolerate",    "accept_ssv32",   "--json"};
  for (std::size_t at = 0; at <= words.size(); at += at == 6 ? 1 : 2) {
    std::vector<const char*> line{"open"};
    line.insert(line.end(), words.begin(), words.end());
    line.insert(line.begin() + 1 + static_cast<std::ptrdiff_t>(at), "/nowhere/m.bin");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const Ending ending = run(line);
    const std::string said = testing::internal::GetCapturedStderr();
    testing::internal::GetCapturedStdout();
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
