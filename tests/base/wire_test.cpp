// SPDX-License-Identifier: Apache-2.0
#include "base/wire.hpp"

#include <gtest/gtest.h>

namespace regroup {
namespace {

struct Sample {
  std::uint16_t number = 0;
  std::string name;
  std::vector<Octets> parts;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(2, "number", self.number);
    io.counted(1, "name", self.name);
    io.list(1, "parts", self.parts, [](auto& inner, auto& part) { inner.counted(2, "part", part); });
  }
};

TEST(Wire, WhatIsWrittenIsReadBack) {
  const Sample sample{513, "abc", {{1}, {}, {2, 3}}};
  Writer out;
  Sample::wire(out, sample);
  Reader in(out.octets());
  Sample back;
  Sample::wire(in, back);
  ASSERT_TRUE(in.finish().ok());
  EXPECT_EQ(back.number, 513);
  EXPECT_EQ(back.name, "abc");
  EXPECT_EQ(back.parts, sample.parts);
}

TEST(Wire, EveryCutIsRefusedAndSoIsEveryOctetTooMany) {
  Writer out;
  const Sample sample{1, "abc", {{1, 2}, {3}}};
  Sample::wire(out, sample);
  for (std::size_t size = 0; size < out.octets().size(); ++size) {
    Reader in(OctetsView(out.octets()).first(size));
    Sample back;
    Sample::wire(in, back);
    EXPECT_FALSE(in.finish().ok()) << size;
  }
  Octets longer = out.octets();
  longer.push_back(0);
  Reader in(longer);
  Sample back;
  Sample::wire(in, back);
  EXPECT_FALSE(in.finish().ok());
}

TEST(Wire, TheFirstFailureIsTheOneReported) {
  Reader in(Octets{1});
  in.take(2, "first");
  in.take(9, "second");
  EXPECT_NE(in.finish().error().detail.find("first"), std::string::npos);
}

}  // namespace
}  // namespace regroup
