// SPDX-License-Identifier: Apache-2.0
#include "app/spelling.hpp"

#include <algorithm>
#include <vector>

namespace regroup::app {
namespace {

// Steps from one word to the other: a letter changed, left out, added, or two neighbours exchanged.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = last;
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> list) {
  constexpr std::size_t kLongest = 64;  // nobody misspells more
  std::size_t most = word.size() <= 3 ? 1 : 2;
  std::string_view found;
  if (word.size() > kLongest) return found;
  for (const std::string_view one : list) {
    const std::size_t steps = distance(word, one);
    if (steps > most || (steps == most && !found.empty())) continue;
    most = steps;
    found = one;
  }
  return found;
}

}  // namespace regroup::app
