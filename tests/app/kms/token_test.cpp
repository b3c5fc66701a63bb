// SPDX-License-Identifier: Apache-2.0
// Where an access token comes from: a file nobody else can read, or a command that ends soon and says little.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {  // the header of glibc 2.36 forgets it
#include <sys/pidfd.h>
}

#include <fstream>

#include "app/kms/access.hpp"
#include "app/kms/kms_lab.hpp"
#include "crypto/secret_file.hpp"

namespace regroup::app {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* kToken = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln-_";

std::string text(const Result<SecretOctets>& token) {
  return token.ok() ? std::string(text_of(token->expose())) : token.error().text();
}

class Token : public testing::Test {
 protected:
  [[nodiscard]] std::string write(const std::string& text, mode_t mode = 0600) const {
    const std::string path = directory.path + "/token";
    ::unlink(path.c_str());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  void expect_refused(const Result<SecretOctets>& token, const std::string& says) const {
    ASSERT_FALSE(token.ok()) << says;
    EXPECT_EQ(token.error().code, Errc::usage);
    EXPECT_THAT(token.error().text(), HasSubstr(says));
    EXPECT_FALSE(token.error().cure.empty());
    EXPECT_THAT(token.error().text(), Not(HasSubstr("eyJ"))) << "never the token itself";
  }
  test::TemporaryDirectory directory;
};

TEST_F(Token, OfAFileIsItsFirstLine) {
  EXPECT_EQ(text(read_token_file(write(std::string(kToken) + "\nmore\n"))), kToken);
  EXPECT_EQ(text(read_token_file(write(std::string(kToken) + "\r\n"))), kToken);
  EXPECT_EQ(text(read_token_file(write(kToken))), kToken);
}

TEST_F(Token, FileThatOthersCanReachIsRefusedWithTheCure) {
  for (const mode_t mode : {0644u, 0640u, 0620u, 0604u, 0601u}) {
    const std::string path = write(std::string(kToken) + "\n", mode);
    expect_refused(read_token_file(path), "chmod 600 " + path);
  }
}

TEST_F(Token, FileThatIsNoFileOrHoldsNoTokenIsRefused) {
  expect_refused(read_token_file(directory.path + "/nothing"), "cannot be opened");
  expect_refused(read_token_file(directory.path), "regular file");
  expect_refused(read_token_file(write("")), "empty first line");
  expect_refused(read_token_file(write("\n" + std::string(kToken))), "empty first line");
  expect_refused(read_token_file(write("Bearer " + std::string(kToken))), "without 'Bearer'");
  expect_refused(read_token_file(write(std::string(kToken) + "\x01")), "no access token");
  expect_refused(read_token_file(write(std::string(20'000, 'e'))), "octets");
}

TEST_F(Token, OfACommandIsTheFirstLineItPrints) {
  EXPECT_EQ(text(run_token_command("echo " + std::string(kToken) + "; echo more")), kToken);
  EXPECT_EQ(text(run_token_command("printf %s '" + std::string(kToken) + "'")), kToken);
}

TEST_F(Token, CommandThatFailsSaysNothingOrTooMuchIsRefused) {
  expect_refused(run_token_command("echo " + std::string(kToken) + "; exit 3"), "status 3");
  expect_refused(run_token_command("true"), "no access token");
  expect_refused(run_token_command("echo two words"), "no access token");
  expect_refused(run_token_command("exec /nowhere/at/all 2>/dev/null"), "status 127");
  expect_refused(run_token_command("kill -9 $$"), "signal");
  expect_refused(run_token_command("yes eyJ"), "printed more than");
}

TEST_F(Token, CommandThatDoesNotEndIsEndedWithAllItStarted) {
  const std::string pid_file = directory.path + "/pid";
  const auto from = std::chrono::steady_clock::now();
  expect_refused(run_token_command("sleep 300 & echo $! > " + pid_file + "; wait", {500ms, {}}),
                 "did not end in time");
  EXPECT_LT(std::chrono::steady_clock::now() - from, 60s);
  pid_t child = 0;
  std::ifstream(pid_file) >> child;
  ASSERT_GT(child, 1);
  // Killed; whoever inherited it may still have to collect it.
  const int handle = ::pidfd_open(child, 0);
  if (handle < 0) return;  // gone and collected
  pollfd over{handle, POLLIN, 0};
  EXPECT_EQ(::poll(&over, 1, 30'000), 1) << "what the command started still runs";
  ::close(handle);
}

TEST_F(Token, CommandThatRunsIsEndedByAStop) {
  std::stop_source stop;
  Result<SecretOctets> answer = Error{};
  const auto from = std::chrono::steady_clock::now();
  std::thread running([&] { answer = run_token_command("sleep 300", {600s, stop.get_token()}); });
  stop.request_stop();
  running.join();
  EXPECT_LT(std::chrono::steady_clock::now() - from, 60s);
  EXPECT_EQ(answer.error().code, Errc::transport);
}

TEST_F(Token, CommandGetsNeitherOurFilesNorOurSignalMask) {
  const int fd = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(fd, 3);
  expect_refused(run_token_command("if [ -e /proc/self/fd/" + std::to_string(fd) + " ]; then echo open; fi"),
                 "no access token");
  sigset_t before, blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  expect_refused(run_token_command("kill -TERM $$; echo " + std::string(kToken)), "signal");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(fd);
}

TEST_F(Token, SourceIsReadAnewEachTime) {
  KmsAccess access;
  access.token_file = write("first\n");
  EXPECT_EQ(text(read_token(access)), "first");
  EXPECT_EQ(write("second\n"), access.token_file);
  EXPECT_EQ(text(read_token(access)), "second");
  access.token_command = "echo third";
  EXPECT_EQ(text(read_token(access)), "third");
  EXPECT_EQ(text(read_token(KmsAccess{})), "");
}

TEST_F(Token, SecretFilesAreReadWholeUpToTheirLimit) {
  const std::string path = write("0123456789");
  EXPECT_EQ(text_of(crypto::read_secret_file(path, "key set", 10, "name one").value().expose()),
            "0123456789");
  const auto longer = crypto::read_secret_file(path, "key set", 9, "name one");
  ASSERT_FALSE(longer.ok());
  EXPECT_THAT(longer.error().text(), HasSubstr("key set " + path + " has more than 9 octets"));
}

}  // namespace
}  // namespace regroup::app
