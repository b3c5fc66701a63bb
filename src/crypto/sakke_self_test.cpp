// SPDX-License-Identifier: Apache-2.0
// Known answers of RFC 6508 Appendix A and the relations of RFC 6509 Appendix A, checked at process
// start. The keys below are published test values.
#include "base/text.hpp"
#include "crypto/curve/scheme.hpp"
#include "crypto/sakke.hpp"

namespace regroup::crypto::sakke {
namespace {

using Set = ParameterSet1;

constexpr std::string_view kZ =
    "045958ef1b1679bf099b3a030df255aa6a23c1d8f143d4d23f753e69bd27a832f38cb4ad53ddef4260b0fe8bb45c4c1f"
    "f510effe300367a37b61f701d914aef09724825fa0707d61a6dff4fbd7273566cdde352a0b04b7c16a78309be640697d"
    "e747613a5fc195e8b9f328852a579db8f99b1d0034479ea9c5595f47c4b2f54ff21508d37514dcf7a8e143a6058c09a6"
    "bf2c9858ca37c258065ae6bf7532bc8b5b63383866e0753c5ac0e72709f8445f2e6178e065857e0eda10f68206b63505"
    "ed87e534fb2831ff957fb7dc619dae61301eeacc2fda3680ea4999258a833cea8fc67c6d19487fb449059f26cc8aab65"
    "5ab58b7cc796e24e9a394095754f5f8bae";
constexpr std::string_view kRsk =
    "0493af67e5007ba6e6a80da793da300fa4b52d0a74e25e6e7b2b3d6ee9d18a9b5c5023597bd82d8062d34019563ba1d2"
    "5c0dc56b7b979d74aa50f29fbf11cc2c93f5dfca615e609279f6175ceadb00b58c6bee1e7a2a47c4f0c456f05259a6fa"
    "94a634a40dae1df593d4fecf688d5fc678be7efc6df3d6835325b83b2c6e69036b155f0a27241094b04bfb0bdfac6c67"
    "0a65c325d39a069f03659d44ca27d3be8df311172b554160181cbe94a2a783320ced590bc42644702cf371271e496bf2"
    "0f588b78a1bc01ecbb6559934bdd2fb65d2884318a33d1a42adf5e33cc5800280b28356497f87135bab9612a17260424"
    "409ac15fee996b744c332151235decb0f5";
constexpr std::string_view kEncapsulated =
    "0444e8ad44ab8592a6a5a3ddca5cf896c718043606a01d650def37a01f37c228c332fc317354e2c274d4daf8ad001054"
    "c76ce57971c6f4486d5723043261c506ebf5be438f53de04f067c776e0dd3b71a6290133283725a532f21af145126dc1"
    "d777ecc27be50835bd28098b8a73d9f801d893793a41ff5c49b87e79f2be4d56ce557e134ad85bb1d4b9ce4f8be4b08a"
    "12babf55b1d6f1d7a638019ea28e15ab1c9f76375fdd1210d4f4351b9a009486b7f3ed46c965ded2d80dade4f38c6721"
    "d52c3ad103a10ebd2959248b4ef006836bf097448e6107c9edee9fb704823df199f832c905ae45f8a247a072d8ef729e"
    "abc5e27574b07739b34be74a532f747b8689e0bc661aa1e91638e6acc84e496507";
constexpr std::string_view kIdentifier = "323031312d30320074656c3a2b34343737303039303031323300";
constexpr std::string_view kSsv = "123456789abcdef0123456789abcdef0";

// p + 1 = 4q; P is on the curve and of order q; <P,P> = g.
bool relations_hold() {
  Limbs<16> one{}, p_plus_one{}, four_q{};
  one[0] = 1;
  add(p_plus_one, Set::p.m, one);
  add(four_q, Set::q.m, Set::q.m);
  add(four_q, four_q, four_q);
  const auto p = Affine<Set>::generator();
  return p_plus_one == four_q && p.on_curve() && order_q(p) &&
         pairing(p, p).represents(FieldOf<Set>::of(Set::g));
}

Result<void> opens_the_published_message() {
  const KmsPublicKey kms = TRY(KmsPublicKey::parse(TRY(from_hex(kZ))));
  const Rsk rsk = TRY(Rsk::parse(TRY(from_hex(kRsk))));
  const Octets identifier = TRY(from_hex(kIdentifier));
  Octets encapsulated = TRY(from_hex(kEncapsulated));
  const SecretOctets ssv = TRY(decapsulate(kms, identifier, rsk, encapsulated));
  if (!ct_equal(ssv.expose(), TRY(from_hex(kSsv))))
    return fail(Errc::internal, "RFC 6508 Appendix A", "another SSV");
  encapsulated.back() ^= 1;
  if (decapsulate(kms, identifier, rsk, encapsulated).ok())
    return fail(Errc::internal, "RFC 6508 6.2.2", "a changed message opens");
  return {};
}

}  // namespace

Result<void> self_test() {
  constexpr std::string_view kCure =
      "do not use this program on this machine; report the processor and the build";
  if (!relations_hold())
    return fail(Errc::internal, "RFC 6509 Appendix A", "self-test: SAKKE parameter set 1 does not hold",
                std::string(kCure));
  if (auto opened = opens_the_published_message(); !opened.ok())
    return fail(Errc::internal, "RFC 6508 Appendix A", "self-test: " + opened.error().detail,
                std::string(kCure));
  return {};
}

}  // namespace regroup::crypto::sakke
