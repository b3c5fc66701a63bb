// SPDX-License-Identifier: Apache-2.0
// The kernel `ifma` against the portable one (and `adx` where both run): products of operands at their
// bounds, multiples on P-256 against OpenSSL, and the verbs of SAKKE octet for octet. The first octet says
// which. On a processor without the instructions it says so, once, and compares nothing.
#include <algorithm>

#include "choices.hpp"
#include "crypto/eccsi/batch.hpp"
#include "crypto/ifma/fan_out.hpp"
#include "crypto/ifma/limbs52.hpp"
#include "crypto/kernel.hpp"
#include "crypto/sakke.hpp"
#include "expect.hpp"

using namespace regroup;
using namespace regroup::crypto;

namespace {

using Set = ifma::Set;
using F = FieldOf<Set>;

bool runs_here() {
  static const bool answer = [] {
    if (!ifma::supported()) std::fprintf(stderr, "this processor has no AVX-512 IFMA: nothing is compared\n");
    return ifma::supported();
  }();
  return answer;
}

void force(Kernel kernel) { FUZZ_EXPECT(force_kernel(name_of(kernel)).ok()); }

// The residue and how often p was added: 0, 1, p - 1, p, 2p - 1 and the bounds written in src/crypto/ifma.
struct Operand {
  std::size_t multiple;
  F value;
};
Operand put_operand(Choices& choices, ifma::Residue8& to, std::size_t lane) {
  static constexpr std::size_t kMultiples[] = {0, 1, 2, 3, 4, 5, 9, 10, 459};
  const std::size_t multiple = kMultiples[choices.below(std::size(kMultiples))];
  const Limbs<16> rest = choices.residue(Set::p);
  Limbs<17> sum{};
  std::copy(rest.begin(), rest.end(), sum.begin());
  Limbs<17> p{};
  std::copy(Set::p.m.begin(), Set::p.m.end(), p.begin());
  for (std::size_t i = 0; i < multiple; ++i) add(sum, sum, p);
  std::uint64_t limbs[ifma::kLimbs + 1];
  ifma::split52(sum, limbs);
  for (std::size_t j = 0; j < ifma::kLimbs; ++j) to.limb[j].lane[lane] = limbs[j];
  return {multiple, F::of(rest)};
}

// A result below p + p / 8, where the operands allow that bound.
void expect_product(const ifma::Residue8& got, std::size_t lane, const Operand& a, const Operand& b) {
  static const F inverse_r = [] {
    F r = F::one();
    for (int i = 0; i < 1040; ++i) r = r.twice();
    return r.inverse();
  }();
  std::uint64_t limbs[ifma::kLimbs];
  for (std::size_t j = 0; j < ifma::kLimbs; ++j) {
    limbs[j] = got.limb[j].lane[lane];
    FUZZ_EXPECT(limbs[j] <= ifma::kLow52);
  }
  if ((a.multiple + 1) * (b.multiple + 1) > 109312 / 8) return;
  const Limbs<16> value = ifma::join52<16>(limbs);
  Limbs<16> bound{}, eighth = Set::p.m;
  for (int i = 0; i < 3; ++i) eighth = halved(eighth);
  const Limb over = add(bound, Set::p.m, eighth);
  FUZZ_EXPECT(over == 0 && mask_if_less(value, bound));
  FUZZ_EXPECT(F::equal(F::of(reduced(value, Set::p)), a.value * b.value * inverse_r));
}

void products(Choices& choices) {
  ifma::Residue8 a{}, b{}, out{};
  std::vector<Operand> of_a, of_b;
  for (std::size_t lane = 0; lane < ifma::kLanes; ++lane) {
    of_a.push_back(put_operand(choices, a, lane));
    of_b.push_back(put_operand(choices, b, lane));
  }
  ifma::product(out, a, b, ifma::field());
  for (std::size_t lane = 0; lane < ifma::kLanes; ++lane) expect_product(out, lane, of_a[lane], of_b[lane]);
}

// 0, 1, q - 1 and their like; x of each multiple as OpenSSL has it, and nothing when one is neutral.
eccsi::Scalar scalar(Choices& choices) {
  static constexpr Modulus<4> kOrder = make_modulus(
      limbs_from_hex<4>("ffffffff 00000000 ffffffff ffffffff bce6faad a7179e84 f3b9cac2 fc632551"));
  Fixed<32> octets{};
  write_octets(choices.residue(kOrder), octets);
  return eccsi::Scalar::reduce(octets);
}
void multiples(Choices& choices) {
  static const eccsi::PointOctets base =
      eccsi::times_generator(eccsi::Scalar::reduce(Fixed<32>{0x5a, 0x17, 0x23}));
  static const eccsi::FixedBase table(base);
  const std::size_t count = 1 + choices.below(9);
  const bool two = choices.below(2) == 0;
  std::vector<eccsi::Scalar> a, b;
  std::vector<Fixed<32>> expected;
  bool neutral = false;
  const eccsi::Scalar zero;
  for (std::size_t i = 0; i < count; ++i) {
    a.push_back(scalar(choices));
    b.push_back(two ? scalar(choices) : eccsi::Scalar());
    const auto point = eccsi::combine_vartime(a[i], {&b[i], &base}, {&zero, &base});
    neutral |= !point;
    expected.emplace_back();
    if (point) std::copy_n(point->begin() + 1, 32, expected.back().begin());
  }
  const auto got = two ? eccsi::x_of_multiples(a, b, &table) : eccsi::x_of_multiples(a);
  FUZZ_EXPECT(got.has_value() == !neutral);
  if (got) FUZZ_EXPECT(*got == expected);
}

// Two KMSs; z of the first is 5, so that an identifier can be its opposite.
struct Kmss {
  std::vector<sakke::MasterSecret> z;
  std::vector<sakke::KmsPublicKey> key;
  Octets minus_z = Octets(128);
  Kmss() {
    for (const Octets& octets : {Octets{5}, Octets(127, 0x3c)}) {
      z.push_back(sakke::parse_master_secret(octets).value());
      key.push_back(sakke::KmsPublicKey::derive(z.back()));
    }
    (ScalarOf<Set>() - ScalarOf<Set>::of(5)).write(minus_z);
  }
  static const Kmss& get() {
    static const Kmss made;
    return made;
  }
};

std::vector<Octets> some_identifiers(Choices& choices) {
  std::vector<Octets> out;
  const std::size_t count = 1 + choices.below(9);
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(choices.octet() == 0xff ? Kmss::get().minus_z : to_octets(choices.octets<32>()));
  return out;
}

// What each kernel answers must be the same.
template <class Act>
void same_by_all(const Act& act) {
  force(Kernel::portable);
  const auto expected = act();
  for (const Kernel kernel : {Kernel::adx, Kernel::ifma}) {
    if (!crypto::runs_here(kernel)) continue;
    force(kernel);
    FUZZ_EXPECT(act() == expected);
  }
}

using Answers = std::vector<Octets>;  // an error is its code

template <class T>
Octets code_of(const Result<T>& refused) {
  return {static_cast<std::uint8_t>(refused.error().code)};
}

void encapsulations(Choices& choices) {
  const Fixed<16> ssv = choices.octets<16>();
  const std::vector<Octets> identifiers = some_identifiers(choices);
  std::vector<sakke::Recipient> to;
  for (const Octets& one : identifiers) to.push_back({one, &Kmss::get().key[choices.below(2)]});
  same_by_all([&]() -> Answers {
    const auto out = sakke::encapsulate(ssv, to);
    return out.ok() ? *out : Answers{code_of(out)};
  });
}

void receiver_keys(Choices& choices) {
  const sakke::MasterSecret& z = Kmss::get().z[choices.below(2)];
  const std::vector<Octets> identifiers = some_identifiers(choices);
  const std::vector<OctetsView> views(identifiers.begin(), identifiers.end());
  same_by_all([&]() -> Answers {
    const auto made = sakke::extract_all(z, views);
    if (!made.ok()) return {code_of(made)};
    Answers out;
    for (const sakke::RskOctets& one : *made) out.push_back(to_octets(one.expose()));
    return out;
  });
}

// Messages, some with a wrong octet, under keys that fit or do not.
void openings(Choices& choices) {
  static constexpr std::size_t kKeys = 3;
  static const auto identifier = [](std::size_t i) { return Octets(32, static_cast<std::uint8_t>(i + 1)); };
  static const auto keys = [] {
    std::vector<sakke::Rsk> out;
    for (std::size_t i = 0; i < kKeys; ++i)
      out.push_back(sakke::extract(Kmss::get().z[i % 2], identifier(i)).value());
    return out;
  }();
  static const std::vector<Octets> identifiers{identifier(0), identifier(1), identifier(2)};
  std::vector<Octets> texts;
  std::vector<sakke::Sealed> messages;
  const std::size_t count = 1 + choices.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t to = choices.below(kKeys), key = choices.below(8) == 0 ? choices.below(kKeys) : to;
    const sakke::KmsPublicKey& kms = Kmss::get().key[to % 2];
    const sakke::Recipient recipient{identifiers[to], &kms};
    texts.push_back(sakke::encapsulate(choices.octets<16>(), {&recipient, 1})->front());
    if (choices.below(4) == 0) texts.back()[choices.octet()] ^= choices.octet();
    messages.push_back({&kms, identifiers[to], &keys[key], {}});
  }
  for (std::size_t i = 0; i < count; ++i) messages[i].encapsulated = texts[i];
  same_by_all([&]() -> Answers {
    Answers out;
    for (const auto& one : sakke::decapsulate_all(messages))
      out.push_back(one.ok() ? to_octets(one->expose()) : code_of(one));
    return out;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!runs_here()) return 0;
  force(Kernel::portable);
  Choices choices({data, size});
  switch (choices.below(8)) {
    case 0:
      encapsulations(choices);
      break;
    case 1:
      receiver_keys(choices);
      break;
    case 2:
      openings(choices);
      break;
    case 3:
    case 4:
      multiples(choices);
      break;
    default:
      products(choices);
  }
  return 0;
}
