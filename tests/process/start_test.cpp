// SPDX-License-Identifier: Apache-2.0
// A GMS whose start fails half-way, with flows and dialogs already resumed, ends with the reason: it neither
// crashes (the sanitizers look) nor goes on with a part of its listeners.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "process/traces.hpp"
#include "process/two_systems.hpp"

namespace regroup::process {
namespace {

using testing::HasSubstr;
using testing::Not;

// A port of the loopback that somebody else has.
class Taken {
 public:
  Taken() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
  }
  ~Taken() { close(fd_); }
  Taken(const Taken&) = delete;
  [[nodiscard]] std::string address() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    return "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  }

 private:
  int fd_;
};

class Start : public TwoSystems {
 protected:
  // The first line with that beginning becomes another.
  static std::string with(std::string text, const std::string& beginning, const std::string& line) {
    const std::size_t at = text.find("\n" + beginning) + 1;
    return text.replace(at, text.find('\n', at) - at, line);
  }
};

TEST_F(Start, OfAGmsThatCannotListenEndsWithTheReasonAndTheNextOneGoesOn) {
  const Ending created = create(alpha(), alpha().dispatcher, fire(), alpha().users);
  ASSERT_EQ(created.code, 0) << created.err;
  ASSERT_EQ(alpha().gms->stop(), 0);
  const Taken taken;
  const std::string config = contents(alpha().file("gms.toml"));
  const std::vector<std::pair<std::string, std::string>> changes{
      {"sip = ", "sip = [\"tcp:" + taken.address() + "\"]"},
      {"https = ", "https = { ue = \"" + taken.address() + "\" }"}};
  for (const auto& [key, line] : changes) {
    const std::string file = alpha().file("gms-taken.toml"), log = alpha().file("gms-taken.log");
    std::ofstream(file) << with(config, key, line);
    auto child = Child::start({"gms", "serve", "--config", file}, log);
    ASSERT_TRUE(child.ok()) << child.error().text();
    const auto ended = (*child)->wait_end(60);
    ASSERT_TRUE(ended) << key;
    EXPECT_TRUE(WIFEXITED(*ended) && WEXITSTATUS(*ended) == 1) << *ended;
    EXPECT_THAT(contents(log), HasSubstr(taken.address()));
    EXPECT_THAT(contents(log), Not(HasSubstr("ERROR: AddressSanitizer")));
  }
  const auto again = lab().restart_gms(alpha());
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_TRUE(wait_until([] { return missing(alpha(), fire(), 1, "INSTALLED").empty(); }))
      << missing(alpha(), fire(), 1, "INSTALLED");
}

// PR-39.
TEST_F(Start, OfAGmsWhoseCertificateNamesAnotherEndsAtOnce) {
  const std::string file = alpha().file("gms-other.toml"), log = alpha().file("gms-other.log");
  std::string config =
      with(contents(alpha().file("gms.toml")), "cert = ", "cert = \"" + beta().gms_tls.certificate + "\"");
  std::ofstream(file) << with(config, "key = ", "key = \"" + beta().gms_tls.key + "\"");
  auto child = Child::start({"gms", "serve", "--config", file}, log);
  ASSERT_TRUE(child.ok()) << child.error().text();
  const auto ended = (*child)->wait_end(60);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(WIFEXITED(*ended) && WEXITSTATUS(*ended) == 2) << *ended;
  EXPECT_THAT(contents(log), HasSubstr("tls.cert"));
  EXPECT_THAT(contents(log), HasSubstr("URI:" + alpha().gms_uri));
}

}  // namespace
}  // namespace regroup::process
