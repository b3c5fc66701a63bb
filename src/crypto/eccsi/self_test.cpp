// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "crypto/eccsi.hpp"

namespace regroup::crypto::eccsi {
namespace {

// RFC 6507 Appendix A.
constexpr std::string_view kSampleKpak =
    "0450d4670bde75244f28d2838a0d25558a7a72686d4522d4c8273fb6442aebfa93"
    "dbdd37551afd263b5dfd617f3960c65a8c298850ff99f20366dce7d4367217f4";
constexpr std::string_view kSampleId = "323031312d30320074656c3a2b34343737303039303031323300";
constexpr std::string_view kSampleSignature =
    "269d4c8fdeb66a74e4ef8c0d5dcc597ddfe6029c2affc4936008cd2cc1045d81"
    "e09b528d0ef8d6df1aa3ecbf80110cfcec9fc68252cebb679f4134846940ccfd"
    "04758a142779be89e829e71984cb40ef758cc4ad775fc5b9a3e1c8ed52f6fa36d9"
    "a79d247692f4eda3a6bdab77d6aa6474a464ae4934663c5265ba7018ba091f79";

}  // namespace

Result<void> self_test() {
  const Octets point = TRY(from_hex(kSampleKpak));
  const Kpak kpak = TRY(Kpak::parse(point));
  const Octets id = TRY(from_hex(kSampleId));
  Octets message = to_octets(view(std::string_view("message\0", 8)));
  const Octets signature = TRY(from_hex(kSampleSignature));
  const bool accepts = verify(kpak, id, message, signature).ok();
  message[0] ^= 1;
  if (accepts && !verify(kpak, id, message, signature).ok()) return {};
  return fail(Errc::internal, "RFC 6507 Appendix A", "the ECCSI self-test failed",
              "reinstall OpenSSL and this program");
}

}  // namespace regroup::crypto::eccsi
