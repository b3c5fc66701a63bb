// SPDX-License-Identifier: Apache-2.0
#include "app/kms/transport_ring.hpp"

#include <gtest/gtest.h>

#include "app/kms/worked_keys.hpp"
#include "mcx/ids.hpp"
#include "vectors.hpp"

namespace regroup::app {
namespace {

kms::TransportKeys keys_number(unsigned number) {
  test::SeededRandom random(number);
  return kms::make_transport_keys(mcx::McpttId::parse("sip:bob@mcx.example").value(), random, number);
}
std::vector<std::string> names(const TransportRing& ring) {
  std::vector<std::string> out;
  for (const kms::TransportKeys& one : ring.keys()) out.push_back(one.trk_id.substr(0, 7));
  return out;
}
using Names = std::vector<std::string>;

TEST(TransportRing, HoldsTheKeysOfItsFile) {
  const TransportRing ring(keys_number(1));
  EXPECT_EQ(names(ring), Names{"tk.0001"});
  EXPECT_TRUE(ring.record_after(keys_number(1), {}).empty()) << "nothing is new";
}

TEST(TransportRing, TakesASuccessorWhenItIsStoredAndDropsWhatWasBeforeOnceItWorks) {
  TransportRing ring(keys_number(1));
  const SecretOctets offered = ring.record_after(keys_number(1), keys_number(2));
  ASSERT_FALSE(offered.empty());
  EXPECT_EQ(names(ring), Names{"tk.0001"}) << "stored before used";
  ASSERT_TRUE(ring.take(offered.expose()).ok());
  EXPECT_EQ(names(ring), (Names{"tk.0001", "tk.0002"}));
  EXPECT_TRUE(ct_equal(ring.keys()[1].trk.expose(), keys_number(2).trk.expose()));
  EXPECT_TRUE(ring.record_after(keys_number(1), {}).empty()) << "the KMS did not know the new one: keep both";
  const SecretOctets works = ring.record_after(keys_number(2), {});
  ASSERT_FALSE(works.empty());
  ASSERT_TRUE(ring.take(works.expose()).ok());
  EXPECT_EQ(names(ring), Names{"tk.0002"});
  EXPECT_TRUE(ring.record_after(keys_number(2), {}).empty());
}

TEST(TransportRing, ComesBackAfterARestartUnlessTheFileIsAnother) {
  TransportRing ring(keys_number(1));
  const SecretOctets stored = ring.record_after(keys_number(1), keys_number(2));
  TransportRing again(keys_number(1)), replaced(keys_number(3));
  ASSERT_TRUE(again.take(stored.expose()).ok());
  EXPECT_EQ(names(again), (Names{"tk.0001", "tk.0002"}));
  ASSERT_TRUE(replaced.take(stored.expose()).ok());
  EXPECT_EQ(names(replaced), Names{"tk.0003"}) << "an operator's replacement wins";
}

TEST(TransportRing, RefusesARecordThatIsNone) {
  TransportRing ring(keys_number(1));
  const SecretOctets stored = ring.record_after(keys_number(1), keys_number(2));
  for (std::size_t size = 0; size < stored.size(); ++size)
    EXPECT_FALSE(ring.take(stored.expose().first(size)).ok()) << size;
  EXPECT_EQ(names(ring), Names{"tk.0001"});
}

}  // namespace
}  // namespace regroup::app
