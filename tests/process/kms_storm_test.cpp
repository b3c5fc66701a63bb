// SPDX-License-Identifier: Apache-2.0
// Everybody starts at once, far more than a KMS can answer: each client, from an address of its own in
// 127.0.0.0/8 and with a connection for its one request, gets its own keys or a polite refusal that says when
// to come back (503 overloaded), or no connection; nobody gets anything else, and afterwards all is as
// before.
#include <gmock/gmock.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "app/kms/client.hpp"
#include "app/kms/front.hpp"
#include "kmsxml/documents.hpp"
#include "process/kms_process.hpp"
#include "process/one_shot.hpp"

namespace regroup::process {
namespace {

class KmsStorm : public testing::Test {
 protected:
  static constexpr int kUsers = 500;  // the clients are so many users, again and again

  KmsStorm() {
    setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1);
    kms.add_users(kUsers);
    kms.serve({"--rate", "0", "--waiting", "16"});
    unsetenv("ASAN_OPTIONS");
    for (int i = 0; i < kUsers; ++i) requests.push_back(request_of(KmsProcess::user(i)));
  }
  [[nodiscard]] std::string request_of(const std::string& identity) const {
    return "POST " + std::string(app::kKmsRoot) +
           "/keyprov HTTP/1.1\r\nHost: localhost:" + std::to_string(kms.port()) +
           "\r\nAuthorization: Bearer " + kms.token(identity) +
           "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  }
  // Empty for a refusal as it must be.
  static std::string fault_in_refusal(const OneAnswer& answer) {
    const std::string after = answer.field("Retry-After");
    const int seconds = std::atoi(after.c_str());
    if (answer.status != 503 || seconds < 5 || seconds > 60)
      return "HTTP " + std::to_string(answer.status) + ", Retry-After '" + after + "'";
    const auto response = kmsxml::parse_response(view(answer.body));
    const auto* error = response.ok() ? std::get_if<kmsxml::KmsError>(&response->content) : nullptr;
    return error && error->message.rfind("overloaded: ", 0) == 0 ? "" : "503 without its KmsError";
  }
  // 127.1.0.1 and up, never the last octet 0 or 255.
  static std::uint32_t address_of(int client) {
    const auto n = static_cast<std::uint32_t>(client);
    return 0x7F010000 + (n / 250) * 256 + 1 + n % 250;
  }
  void run_client(const OneShot& shot, int client, RightKeys& right) {
    const int user = client % kUsers;
    const OneAnswer answer = shot.ask(address_of(client), requests[static_cast<std::size_t>(user)], 60);
    std::string fault;
    if (answer.end != OneAnswer::End::answered) {
      ++(answer.end == OneAnswer::End::cut ? cut : not_connected);
    } else if (answer.status == 200) {
      ++served;
      fault = right.fault_in(view(answer.body), user);
    } else {
      ++refused;
      fault = fault_in_refusal(answer);
    }
    if (fault.empty()) return;
    const std::lock_guard lock(mutex);
    faults.push_back(KmsProcess::user(user) + ": " + fault);
  }

  KmsProcess kms;
  std::vector<std::string> requests;
  std::atomic<int> served = 0, refused = 0, cut = 0, not_connected = 0;
  std::mutex mutex;
  std::vector<std::string> faults;
};

TEST_F(KmsStorm, IsShedPolitelyAndNobodyIsServedWrongly) {
  ASSERT_FALSE(HasFatalFailure());
  const int clients = samples(2'000, 100'000), at_once = samples(300, 1'500);
  RightKeys right(kms, kUsers);
  const OneShot shot(kms.ca_file(), kms.port());
  std::atomic<int> next = 0;
  const auto from = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < at_once; ++i)
    threads.emplace_back([&] {
      for (int client; (client = next++) < clients;) run_client(shot, client, right);
    });
  for (std::thread& one : threads) one.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  std::cout << "KMS in a storm: " << clients << " clients, " << at_once << " at once, in " << took.count()
            << " s: " << served << " served, " << refused << " told to come back, " << cut << " cut, "
            << not_connected << " without a connection; resident " << resident_kib(kms.server().pid())
            << " KiB" << std::endl;

  EXPECT_THAT(faults, testing::IsEmpty());
  EXPECT_EQ(served + refused + cut + not_connected, clients);
  EXPECT_GT(served, 0);
  EXPECT_GT(refused, clients / 2);  // the rule, not the exception, and not a cut
  EXPECT_THAT(kms.log(), testing::HasSubstr(" overloaded: 503 to "));

  const std::string someone = KmsProcess::user(7);
  const auto answers = app::fetch_keys(kms.access(someone), someone);
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  const auto keys = app::read_keys(*answers, someone, KmsProcess::kUri, SystemClock().now());
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_EQ(keys->key_sets.size(), 2U);
  EXPECT_TRUE(ended_with(kms.server().stop(), 0));
}

}  // namespace
}  // namespace regroup::process
