// SPDX-License-Identifier: Apache-2.0
#include "base/secret.hpp"

#include <string.h>

namespace regroup {

void wipe(void* data, std::size_t size) noexcept {
  if (size) explicit_bzero(data, size);
}

bool ct_equal(OctetsView a, OctetsView b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  // The barrier keeps the compiler from leaving the loop at the first difference.
  __asm__ volatile("" : "+r"(difference));
  return difference == 0;
}

void SecretOctets::append(OctetsView more) {
  SecretOctets grown(size_ + more.size());
  if (size_) std::memcpy(grown.data_.get(), data_.get(), size_);
  if (!more.empty()) std::memcpy(grown.data_.get() + size_, more.data(), more.size());
  *this = std::move(grown);
}

}  // namespace regroup
