// SPDX-License-Identifier: Apache-2.0
// Input: the Content-Type value, a line feed, the body. What can be read can be written, and reads the same
// again.
#include <algorithm>

#include "expect.hpp"
#include "sip/multipart.hpp"
namespace {

class Counting final : public regroup::Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regroup;
  const OctetsView input(data, size);
  const std::string_view text = text_of(input);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::size_t body = std::min(line + 1, text.size());
  const auto parts = sip::parse_multipart(text.substr(0, line), input.subspan(body));
  if (!parts) return 0;
  FUZZ_EXPECT(!parts->empty() && parts->size() <= sip::kMostParts);

  Counting random;
  const auto written = sip::write_multipart(*parts, random);
  FUZZ_EXPECT(written.ok());
  const auto again = sip::parse_multipart(written->content_type, written->body);
  FUZZ_EXPECT(again.ok() && again->size() == parts->size());
  for (std::size_t i = 0; i < parts->size(); ++i) {
    FUZZ_EXPECT((*again)[i].body == (*parts)[i].body);
    FUZZ_EXPECT((*again)[i].content_type == (*parts)[i].content_type);
    FUZZ_EXPECT((*again)[i].headers.size() == (*parts)[i].headers.size());
  }
  return 0;
}
