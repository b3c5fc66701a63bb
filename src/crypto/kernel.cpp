// SPDX-License-Identifier: Apache-2.0
#include "crypto/kernel.hpp"

#include <atomic>

#include "base/text.hpp"
#include "crypto/ifma/fan_out.hpp"

namespace regroup::crypto {
namespace {

std::atomic<Kernel>& chosen() {
  static std::atomic<Kernel> kernel{runs_here(Kernel::ifma) ? Kernel::ifma : Kernel::portable};
  return kernel;
}

}  // namespace

std::string_view name_of(Kernel kernel) noexcept { return kernel == Kernel::ifma ? "ifma" : "portable"; }

bool runs_here(Kernel kernel) noexcept { return kernel == Kernel::portable || ifma::supported(); }

Kernel active_kernel() noexcept { return chosen().load(std::memory_order_relaxed); }

Result<void> force_kernel(std::string_view name) {
  for (const Kernel kernel : kKernels) {
    if (name_of(kernel) != name) continue;
    if (!runs_here(kernel))
      return fail(Errc::usage, "docs/operations.md, Kernels",
                  "REGROUP_KERNEL: this processor cannot run the kernel " + std::string(name),
                  "unset it, or choose portable");
    chosen().store(kernel, std::memory_order_relaxed);
    return {};
  }
  return fail(Errc::usage, "docs/operations.md, Kernels",
              "REGROUP_KERNEL: there is no kernel " + printable(name, 40), "choose portable or ifma");
}

}  // namespace regroup::crypto
