// SPDX-License-Identifier: Apache-2.0
// Work in chunks on a few threads: for arithmetic only, never for anything that waits. The threads live for
// one call; a chunk takes milliseconds, a thread some microseconds.
#pragma once

#include <cstddef>
#include <functional>

namespace regroup {

// How many threads for_each_chunk() may use, the caller's among them; 1 at start, at least 1.
void set_worker_threads(unsigned threads) noexcept;
[[nodiscard]] unsigned worker_threads() noexcept;

// work(0) ... work(chunks - 1), each once, in no order; returns when all have. `work` does not throw.
void for_each_chunk(std::size_t chunks, const std::function<void(std::size_t)>& work);

}  // namespace regroup
