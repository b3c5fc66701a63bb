// SPDX-License-Identifier: Apache-2.0
#include "app/cli/info.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "crypto/kernel.hpp"

namespace regroup::app::cli {

int run_info(bool json, std::ostream& out) {
  nlohmann::json kernels = nlohmann::json::array();
  for (const crypto::Kernel kernel : crypto::kKernels)
    kernels.push_back({{"name", crypto::name_of(kernel)},
                       {"runs_here", crypto::runs_here(kernel)},
                       {"active", kernel == crypto::active_kernel()}});
  if (json) {
    out << nlohmann::json{{"version", kVersion}, {"kernels", kernels}}.dump(2) << std::endl;
    return 0;
  }
  out << "regroup " << kVersion << "\n";
  for (const auto& one : kernels)
    out << "kernel " << one["name"].get<std::string>()
        << (one["active"]      ? ": active"
            : one["runs_here"] ? ""
                               : ": not on this processor")
        << "\n";
  return 0;
}

}  // namespace regroup::app::cli
