// SPDX-License-Identifier: Apache-2.0
#include "crypto/kernel.hpp"

#include <atomic>

#include "base/text.hpp"
#include "crypto/adx/arithmetic.hpp"
#include "crypto/field/kernel.hpp"
#include "crypto/ifma/fan_out.hpp"

namespace regroup::crypto {
namespace {

Kernel best() noexcept {
  if (runs_here(Kernel::ifma)) return Kernel::ifma;
  return runs_here(Kernel::adx) ? Kernel::adx : Kernel::portable;
}

std::atomic<Kernel>& chosen() {
  static std::atomic<Kernel> kernel{best()};
  return kernel;
}

}  // namespace

std::string_view name_of(Kernel kernel) noexcept {
  switch (kernel) {
    case Kernel::adx:
      return "adx";
    case Kernel::ifma:
      return "ifma";
    case Kernel::portable:
      break;
  }
  return "portable";
}

bool runs_here(Kernel kernel) noexcept {
  switch (kernel) {
    case Kernel::adx:
      return adx::supported();
    case Kernel::ifma:
      return ifma::supported();
    case Kernel::portable:
      break;
  }
  return true;
}

Kernel active_kernel() noexcept { return chosen().load(std::memory_order_relaxed); }

Result<void> force_kernel(std::string_view name) {
  for (const Kernel kernel : kKernels) {
    if (name_of(kernel) != name) continue;
    if (!runs_here(kernel))
      return fail(Errc::usage, "docs/operations.md, Kernels",
                  "REGROUP_KERNEL: this processor cannot run the kernel " + std::string(name),
                  "unset it, or choose one that `regroup info` lists as available");
    chosen().store(kernel, std::memory_order_relaxed);
    kernel::use_adx(kernel != Kernel::portable);
    return {};
  }
  return fail(Errc::usage, "docs/operations.md, Kernels",
              "REGROUP_KERNEL: there is no kernel " + printable(name, 40), "choose portable, adx or ifma");
}

}  // namespace regroup::crypto
