// SPDX-License-Identifier: Apache-2.0
#include "crypto/field/hash_to_range.hpp"

#include "base/result.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::crypto {
namespace {

// h_1 .. h_4: h_0 is 32 zero octets, h_i = SHA-256(h_(i-1)). They depend on no input, so they are made once.
const std::array<Fixed<32>, kMostHashBlocks>& chain() {
  static const auto made = [] {
    std::array<Fixed<32>, kMostHashBlocks> h{};
    Fixed<32> previous{};
    for (Fixed<32>& each : h) each = previous = sha256(previous);
    return h;
  }();
  return made;
}

}  // namespace

void hash_blocks(std::initializer_list<OctetsView> parts, std::span<std::uint8_t> out) {
  RG_ASSERT(!out.empty() && out.size() % 32 == 0 && out.size() / 32 <= kMostHashBlocks);
  Sha256 hash;
  for (const OctetsView part : parts) hash.update(part);
  Secret<32> a;
  hash.finish(a.expose_mutable());
  for (std::size_t i = 0; i < out.size() / 32; ++i)
    hash.update(chain()[i]).update(a.expose()).finish(out.subspan(32 * i).first<32>());
}

}  // namespace regroup::crypto
