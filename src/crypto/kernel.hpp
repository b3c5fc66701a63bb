// SPDX-License-Identifier: Apache-2.0
// Which implementation of the group arithmetic runs. `portable` is the reference and runs everywhere; `adx`
// multiplies with MULX, ADCX and ADOX; `ifma` works on eight members or messages at once with AVX-512 IFMA,
// and on single ones as `adx` does. All give the same octets. The best one for this processor is taken unless
// another is forced (REGROUP_KERNEL) before the first use.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace regroup::crypto {

enum class Kernel : std::uint8_t { portable, adx, ifma };
inline constexpr Kernel kKernels[] = {Kernel::portable, Kernel::adx, Kernel::ifma};
[[nodiscard]] std::string_view name_of(Kernel kernel) noexcept;
[[nodiscard]] bool runs_here(Kernel kernel) noexcept;

[[nodiscard]] Kernel active_kernel() noexcept;
// Errc::usage: no kernel of that name, or not on this processor.
[[nodiscard]] Result<void> force_kernel(std::string_view name);

}  // namespace regroup::crypto
