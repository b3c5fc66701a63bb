// SPDX-License-Identifier: Apache-2.0
#include "sip/multipart.hpp"

#include "vectors.hpp"

namespace regroup::sip {
namespace {

Octets octets(std::string_view text) { return to_octets(view(text)); }
Result<std::vector<Part>> parse(std::string_view body, std::string_view boundary = "b1") {
  return parse_multipart("multipart/mixed;boundary=" + std::string(boundary), view(body));
}

TEST(MultipartTest, ReadsPartsWithTheirTypesAndHeaders) {
  const auto parts = parse(
      "preamble\r\n--b1\r\nContent-Type: application/a+xml;charset=utf-8\r\nContent-ID: <1@x>\r\n\r\n<a/>\r\n"
      "--b1  \r\n\r\nplain\r\n--b1--\r\nepilogue");
  ASSERT_TRUE(parts.ok()) << parts.error().text();
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_TRUE(has_type(parts->at(0).content_type, "Application/A+XML"));
  EXPECT_EQ(find(parts->at(0).headers, "content-id"), "<1@x>");
  EXPECT_EQ(text_of(parts->at(0).body), "<a/>");
  EXPECT_EQ(parts->at(1).content_type, "");
  EXPECT_EQ(text_of(parts->at(1).body), "plain");
  EXPECT_EQ(find_part(*parts, "application/a+xml"), &parts->at(0));
  EXPECT_EQ(find_part(*parts, "application/b+xml"), nullptr);
}

TEST(MultipartTest, TheBoundaryInsideALineIsContent) {
  const auto parts = parse("--b1\r\n\r\nx--b1\r\n--b1x\r\n--b\r\n\r\n--b1--");
  ASSERT_TRUE(parts.ok()) << parts.error().text();
  ASSERT_EQ(parts->size(), 1u);
  EXPECT_EQ(text_of(parts->at(0).body), "x--b1\r\n--b1x\r\n--b\r\n");
}

TEST(MultipartTest, AnyOctetsSurviveWritingAndReading) {
  constexpr std::uint64_t seed = 20240607;
  test::SeededRandom random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<Part> parts(1 + random.octets<1>()[0] % 5);
    for (Part& part : parts) {
      part.content_type = random.octets<1>()[0] % 2 ? "application/mikey" : "";
      if (random.octets<1>()[0] % 2) part.headers.push_back({"Content-ID", "<x>"});
      part.body.resize(random.octets<1>()[0]);
      // Few symbols, so that CR LF, dashes and boundary-like runs are frequent.
      for (std::uint8_t& octet : part.body)
        octet = static_cast<std::uint8_t>("\r\n--rg-\0a\xff"[random.octets<1>()[0] % 10]);
    }
    const Multipart written = write_multipart(parts, random).value();
    const auto read = parse_multipart(written.content_type, written.body);
    ASSERT_TRUE(read.ok()) << read.error().text() << " seed " << seed << " round " << round;
    ASSERT_EQ(read->size(), parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(read->at(i).body, parts[i].body) << "seed " << seed << " round " << round;
      EXPECT_EQ(read->at(i).content_type, parts[i].content_type);
      EXPECT_EQ(read->at(i).headers.size(), parts[i].headers.size());
    }
  }
}

TEST(MultipartTest, ABoundaryThatOccursInAPartIsDrawnAgain) {
  const Octets first(12, 0xaa), second(12, 0xbb);
  Octets queue = first;
  append(queue, second);
  test::QueuedRandom random(queue);
  const Multipart written =
      write_multipart({{"", {}, octets("xx rg-aaaaaaaaaaaaaaaaaaaaaaaa xx")}}, random).value();
  EXPECT_THAT(written.content_type, testing::HasSubstr("rg-bbbb"));
}

TEST(MultipartTest, RefusesWhatItCannotReadWithoutDoubt) {
  EXPECT_EQ(parse("--b1\r\n\r\nx").error().code, Errc::malformed);  // no closing boundary
  EXPECT_EQ(parse("--b1--\r\n").error().code, Errc::malformed);     // no part
  EXPECT_EQ(parse("").error().code, Errc::malformed);
  EXPECT_EQ(parse("--b1\r\nContent-Type: a/b\r\n--b1--").error().code, Errc::malformed);  // no empty line
  EXPECT_EQ(parse("--b1\r\nno colon\r\n\r\nx\r\n--b1--").error().code, Errc::malformed);
  EXPECT_EQ(parse("--b1\r\n: empty\r\n\r\nx\r\n--b1--").error().code, Errc::malformed);
  EXPECT_EQ(parse("--b1\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\nx\r\n--b1--").error().code,
            Errc::malformed);
  EXPECT_EQ(parse("--b1\r\nX: a\rb\r\n\r\nx\r\n--b1--").error().code, Errc::malformed);
  EXPECT_EQ(parse("--b1\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b1--").error().code,
            Errc::unsupported);
  EXPECT_TRUE(parse("--b1\r\nContent-Transfer-Encoding: BINARY\r\n\r\nx\r\n--b1--").ok());
}

TEST(MultipartTest, RefusesABoundaryThatIsNone) {
  const Octets body = octets("--x\r\n\r\ny\r\n--x--");
  for (const char* type : {"multipart/mixed", "multipart/mixed;boundary=",
                           "multipart/mixed;boundary=\"a\tb\"", "multipart/mixed;boundary=\"x \""})
    EXPECT_EQ(parse_multipart(type, body).error().code, Errc::malformed) << type;
  EXPECT_EQ(parse_multipart("multipart/mixed;boundary=" + std::string(71, 'x'), body).error().code,
            Errc::malformed);
  EXPECT_EQ(parse_multipart("multipart/related;boundary=x", body).error().code, Errc::unsupported);
  EXPECT_TRUE(parse_multipart("Multipart/Mixed; Boundary=\"x\"", body).ok());
}

TEST(MultipartTest, TheNumberOfPartsAndHeadersIsBounded) {
  const auto body_of = [](std::size_t parts, std::size_t headers, std::size_t width) {
    std::string body;
    for (std::size_t i = 0; i < parts; ++i) {
      body += "--b1\r\n";
      for (std::size_t h = 0; h < headers; ++h) body += "X: " + std::string(width, 'v') + "\r\n";
      body += "\r\nz\r\n";
    }
    return body + "--b1--\r\n";
  };
  EXPECT_TRUE(parse(body_of(kMostParts, kMostPartHeaders, 1)).ok());
  EXPECT_EQ(parse(body_of(kMostParts + 1, 0, 1)).error().code, Errc::limit);
  EXPECT_EQ(parse(body_of(1, kMostPartHeaders + 1, 1)).error().code, Errc::limit);
  EXPECT_EQ(parse(body_of(1, 1, kMostPartHeaderOctets)).error().code, Errc::limit);
  test::SeededRandom random(1);
  EXPECT_EQ(write_multipart(std::vector<Part>(kMostParts + 1), random).error().code, Errc::usage);
  EXPECT_EQ(write_multipart({}, random).error().code, Errc::usage);
  EXPECT_EQ(write_multipart({{"a/b\r\nX: y", {}, {}}}, random).error().code, Errc::usage);
  EXPECT_EQ(write_multipart({{"a/b", {{"X", "a\r\n\r\nb"}}, {}}}, random).error().code, Errc::usage);
}

TEST(MultipartTest, EveryTruncationIsRefusedOrReadInFull) {
  test::SeededRandom random(3);
  const Multipart whole =
      write_multipart({{"a/b", {}, octets("one")}, {"c/d", {}, octets("two")}}, random).value();
  for (std::size_t size = 0; size < whole.body.size(); ++size) {
    const auto parts = parse_multipart(whole.content_type, OctetsView(whole.body).first(size));
    const bool only_last_line_break_missing = size + 2 == whole.body.size();
    EXPECT_EQ(parts.ok(), only_last_line_break_missing) << size;
  }
}

}  // namespace
}  // namespace regroup::sip
