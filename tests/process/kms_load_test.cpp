// SPDX-License-Identifier: Apache-2.0
// Many clients at once: each gets its own keys, every time, in memory that does not grow. How fast, and how
// long the slowest wait, is printed and judged by nobody: it depends on the machine (docs/performance.md).
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "app/kms/front.hpp"
#include "http/bearer.hpp"
#include "http/client.hpp"
#include "process/kms_process.hpp"

namespace regroup::process {
namespace {

constexpr int kClients = 200;  // at once, each with a connection that it keeps

class KmsLoad : public testing::Test {
 protected:
  KmsLoad() {
    // What the sanitizer keeps of freed memory is not the server's.
    setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1);
    kms.add_users(kClients);
    kms.serve({"--rate", "0"});
    unsetenv("ASAN_OPTIONS");
    http::ClientOptions options;
    options.ca_file = kms.ca_file();
    options.idle_connections = kClients;
    client = http::Client::make(options).value();
    for (int i = 0; i < kClients; ++i) tokens.push_back(kms.token(KmsProcess::user(i)));
  }
  [[nodiscard]] http::ClientRequest keyprov(int user) const {
    http::ClientRequest out;
    out.method = "POST";
    out.url = kms.url() + std::string(app::kKmsRoot) + "/keyprov";
    http::add_bearer(out.headers, view(tokens[static_cast<std::size_t>(user)]));
    return out;
  }
  // One client: asks so many times, and looks at each answer.
  void run_client(int user, int requests, RightKeys& right) {
    for (int i = 0; i < requests; ++i) {
      const auto from = std::chrono::steady_clock::now();
      const auto answer = client->call(keyprov(user), std::chrono::seconds(120));
      const auto took = std::chrono::steady_clock::now() - from;
      std::string fault = !answer.ok()            ? answer.error().text()
                          : answer->status != 200 ? "HTTP " + std::to_string(answer->status)
                                                  : right.fault_in(answer->body.view(), user);
      const std::lock_guard lock(mutex);
      if (!fault.empty()) faults.push_back(KmsProcess::user(user) + ": " + fault);
      waits.push_back(std::chrono::duration<double, std::milli>(took).count());
      if (waits.size() == static_cast<std::size_t>(kClients) * static_cast<std::size_t>(requests) / 4)
        quarter_kib = resident_kib(kms.server().pid());
    }
  }

  KmsProcess kms;
  std::unique_ptr<http::Client> client;
  std::vector<std::string> tokens;
  std::mutex mutex;
  std::vector<double> waits;  // milliseconds
  std::vector<std::string> faults;
  std::int64_t quarter_kib = 0;
};

TEST_F(KmsLoad, TwoHundredClientsAtOnceEachGetTheirOwnKeysAndMemoryStaysFlat) {
  ASSERT_FALSE(HasFatalFailure());
  const int requests = samples(5, 125);  // two key sets each: 2,000 or 50,000
  RightKeys right(kms, kClients);
  const auto from = std::chrono::steady_clock::now();
  std::vector<std::thread> clients;
  for (int user = 0; user < kClients; ++user)
    clients.emplace_back([&, user] { run_client(user, requests, right); });
  for (std::thread& one : clients) one.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  const std::int64_t whole_kib = resident_kib(kms.server().pid());

  EXPECT_THAT(faults, testing::IsEmpty());
  ASSERT_EQ(waits.size(), static_cast<std::size_t>(kClients) * static_cast<std::size_t>(requests));
  EXPECT_GT(quarter_kib, 0);
  EXPECT_LT(whole_kib, quarter_kib + quarter_kib / 4 + 8 * 1024);
  std::sort(waits.begin(), waits.end());
  std::cout << "KMS under load: " << 2 * waits.size() << " key sets for " << kClients << " clients in "
            << took.count() << " s, " << 2.0 * static_cast<double>(waits.size()) / took.count()
            << " key sets a second; an answer takes " << waits[waits.size() / 2] << " ms, p99 "
            << waits[waits.size() * 99 / 100] << " ms; resident " << quarter_kib << " KiB after a quarter, "
            << whole_kib << " KiB at the end" << std::endl;
  EXPECT_TRUE(ended_with(kms.server().stop(), 0));
}

}  // namespace
}  // namespace regroup::process
