// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi/p256.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/text.hpp"
#include "crypto/ct.hpp"

namespace regroup::crypto::eccsi {
namespace {

constexpr std::string_view kAskAgain =
    "ask its sender for the key again; it was damaged or made for another curve";

// What fails here is memory or a broken library: there is nothing safe to continue with.
void require(bool ok) {
  if (!ok) std::abort();
}

struct Free {
  void operator()(BIGNUM* p) const { BN_clear_free(p); }
  void operator()(BN_CTX* p) const { BN_CTX_free(p); }
  void operator()(EC_POINT* p) const { EC_POINT_clear_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const EC_GROUP* curve() {
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  require(group != nullptr);
  return group;
}

Owned<EC_POINT> new_point() {
  Owned<EC_POINT> point(EC_POINT_new(curve()));
  require(point != nullptr);
  return point;
}

Owned<BN_CTX> new_context() {
  Owned<BN_CTX> context(BN_CTX_secure_new());
  require(context != nullptr);
  return context;
}

Owned<BIGNUM> number(const Scalar& scalar) {
  const Secret<32> octets = scalar.octets();
  ct::unpoison(octets.expose());  // the boundary: from here on OpenSSL's constant-time path is trusted
  Owned<BIGNUM> n(BN_secure_new());
  require(n != nullptr);
  BN_set_flags(n.get(), BN_FLG_CONSTTIME);
  require(BN_bin2bn(octets.expose().data(), 32, n.get()) != nullptr);
  return n;
}

Owned<EC_POINT> decode(const PointOctets& octets, BN_CTX* context) {
  Owned<EC_POINT> point = new_point();
  require(EC_POINT_oct2point(curve(), point.get(), octets.data(), octets.size(), context) == 1);
  return point;
}

std::optional<PointOctets> encode(const EC_POINT* point, BN_CTX* context) {
  if (EC_POINT_is_at_infinity(curve(), point) == 1) return std::nullopt;
  PointOctets out;
  require(EC_POINT_point2oct(curve(), point, POINT_CONVERSION_UNCOMPRESSED, out.data(), out.size(),
                             context) == kPoint);
  return out;
}

// p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
constexpr Fixed<32> kPrime = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    1,    0,    0,    0,
                              0,    0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

bool below_prime(OctetsView x) {
  return std::lexicographical_compare(x.begin(), x.end(), kPrime.begin(), kPrime.end());
}

}  // namespace

const PointOctets& generator() {
  static const PointOctets octets = *encode(EC_GROUP_get0_generator(curve()), nullptr);
  return octets;
}

Result<PointOctets> parse_point(OctetsView octets, std::string_view what, std::string_view clause) {
  const std::string name(what);
  if (octets.size() != kPoint)
    return fail(Errc::malformed, clause, name + " has " + std::to_string(octets.size()) + " octets, not 65",
                "send the uncompressed form 04 || x || y");
  if (octets[0] != 0x04)
    return fail(Errc::malformed, clause, name + " begins with " + hex(octets.first(1)) + ", not 04",
                "send the uncompressed form 04 || x || y");
  if (!below_prime(octets.subspan(1, 32)) || !below_prime(octets.subspan(33, 32)))
    return fail(Errc::malformed, clause, name + " has a coordinate that is not below p",
                std::string(kAskAgain));
  PointOctets out;
  std::copy(octets.begin(), octets.end(), out.begin());
  const Owned<EC_POINT> point = new_point();
  if (EC_POINT_oct2point(curve(), point.get(), out.data(), out.size(), nullptr) != 1) {
    ERR_clear_error();
    return fail(Errc::malformed, clause, name + " is not a point of P-256", std::string(kAskAgain));
  }
  return out;
}

PointOctets times_generator(const Scalar& k) {
  const Owned<BN_CTX> context = new_context();
  const Owned<BIGNUM> n = number(k);
  const Owned<EC_POINT> point = new_point();
  require(EC_POINT_mul(curve(), point.get(), n.get(), nullptr, nullptr, context.get()) == 1);
  const std::optional<PointOctets> out = encode(point.get(), context.get());
  require(out.has_value());
  return *out;
}

std::optional<PointOctets> combine_vartime(const Scalar& g, Term a, Term b) {
  const Owned<BN_CTX> context = new_context();
  const Owned<EC_POINT> p = decode(*a.point, context.get());
  const Owned<EC_POINT> q = decode(*b.point, context.get());
  const Owned<EC_POINT> sum = new_point();
  const Owned<EC_POINT> more = new_point();
  require(EC_POINT_mul(curve(), sum.get(), number(g).get(), p.get(), number(*a.factor).get(),
                       context.get()) == 1);
  require(EC_POINT_mul(curve(), more.get(), nullptr, q.get(), number(*b.factor).get(), context.get()) == 1);
  require(EC_POINT_add(curve(), sum.get(), sum.get(), more.get(), context.get()) == 1);
  return encode(sum.get(), context.get());
}

std::vector<PointOctets> odd_multiples(const PointOctets& base, std::size_t windows, std::size_t bits) {
  const Owned<BN_CTX> context = new_context();
  const Owned<EC_POINT> first = decode(base, context.get());
  const Owned<EC_POINT> twice = new_point(), multiple = new_point();
  std::vector<PointOctets> out;
  for (std::size_t window = 0; window < windows; ++window) {
    require(EC_POINT_dbl(curve(), twice.get(), first.get(), context.get()) == 1);
    require(EC_POINT_copy(multiple.get(), first.get()) == 1);
    for (std::size_t i = 0; i < std::size_t{1} << (bits - 1); ++i) {
      out.push_back(*encode(multiple.get(), context.get()));
      require(EC_POINT_add(curve(), multiple.get(), multiple.get(), twice.get(), context.get()) == 1);
    }
    for (std::size_t i = 0; i < bits; ++i)
      require(EC_POINT_dbl(curve(), first.get(), first.get(), context.get()) == 1);
  }
  return out;
}

bool is_field_unit(OctetsView x) {
  return x.size() == 32 && below_prime(x) &&
         std::any_of(x.begin(), x.end(), [](std::uint8_t o) { return o != 0; });
}

}  // namespace regroup::crypto::eccsi
