// SPDX-License-Identifier: Apache-2.0
#include "app/kms/watch.hpp"

#include <gmock/gmock.h>

#include "base/text.hpp"

namespace regroup::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class KmsWatched : public testing::Test {
 protected:
  std::string get(const std::string& target, unsigned status = 200) {
    http::Request request;
    request.method = "GET";
    request.target = target;
    const http::Response response = watch.answer(request);
    EXPECT_EQ(response.status, status) << target;
    return std::string(text_of(response.body.view()));
  }
  static KmsAnswer answer(const std::string& resource, unsigned status,
                          std::vector<std::int64_t> periods = {}) {
    KmsAnswer out;
    out.response.status = status;
    out.identity = "sip:bob@mcx.example";
    out.resource = resource;
    out.periods = std::move(periods);
    return out;
  }

  KmsWatch::State state{7, 3, {}};
  KmsWatch watch{[this] { return state; }};
};

TEST_F(KmsWatched, CountsAnswersAndKeySets) {
  using std::chrono::milliseconds;
  watch.answered(answer("/keymanagement/identity/v1/keyprov", 200, {4, 5}), milliseconds(3));
  watch.answered(answer("/keymanagement/identity/v1/keyprov/sip%3Abob", 403), milliseconds(1));
  watch.turned_away();
  const std::string text = get("/metrics");
  for (const char* line : {"regroup_kms_requests_total{resource=\"keyprov\",status=\"200\"} 1\n",
                           "regroup_kms_requests_total{resource=\"keyprov\",status=\"403\"} 1\n",
                           "regroup_kms_key_sets_total 2\n", "regroup_kms_turned_away_total 1\n",
                           "regroup_kms_answer_seconds_count 2\n", "regroup_kms_cache_number 7\n",
                           "regroup_kms_identities 3\n", "regroup_kms_ready 1\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("bob")));
}

TEST_F(KmsWatched, NoLabelIsTheClientsToChoose) {
  for (int i = 0; i < 100; ++i)
    watch.answered(answer("/keymanagement/identity/v1/init" + std::to_string(i), 404),
                   std::chrono::seconds(0));
  const std::string text = get("/metrics");
  EXPECT_THAT(text, HasSubstr("{resource=\"other\",status=\"404\"} 100\n"));
  EXPECT_THAT(text, Not(HasSubstr("init1")));
}

TEST_F(KmsWatched, IsReadyUnlessItSaysWhyNot) {
  EXPECT_EQ(get("/ready"), "ready\n");
  watch.trouble("audit", "the disk is full");
  state.trouble = "the token keys are too old";
  EXPECT_EQ(get("/ready", 503), "the token keys are too old; the disk is full\n");
  EXPECT_THAT(get("/metrics"), HasSubstr("regroup_kms_ready 0\n"));
  EXPECT_EQ(get("/health"), "alive\n");
  watch.trouble("audit", "");
  state.trouble.clear();
  EXPECT_EQ(get("/ready"), "ready\n");
  get("/metrics/", 404);
}

}  // namespace
}  // namespace regroup::app
