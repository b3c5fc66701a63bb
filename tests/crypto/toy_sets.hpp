// SPDX-License-Identifier: Apache-2.0
// Small parameter sets for exhaustive tests (p = 4q - 1, q prime, q = 2 mod 3), and RFC 6508 over them
// written the slow and obvious way, straight from the text: the model that the product is held against.
#pragma once

#include <optional>
#include <vector>

#include "base/text.hpp"
#include "crypto/curve/parameters.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::crypto::toy {

template <Limb Q, Limb X, Limb Y, Limb G, std::size_t Window>
struct ToySet {
  static constexpr Modulus<1> p = make_modulus(Limbs<1>{4 * Q - 1});
  static constexpr Modulus<1> q = make_modulus(Limbs<1>{Q});
  static constexpr Limbs<1> px{X}, py{Y}, g{G};
  static constexpr std::size_t window = Window;
};
using Toy5 = ToySet<5, 1, 13, 2, 2>;
using Toy11 = ToySet<11, 10, 29, 14, 3>;
using Toy17 = ToySet<17, 33, 44, 52, 5>;
using Toy41 = ToySet<41, 43, 117, 124, 4>;

template <class Set>
struct Model {
  static constexpr int p = static_cast<int>(Set::p.m[0]), q = static_cast<int>(Set::q.m[0]);
  struct Pair {
    int x, y;
    bool operator==(const Pair&) const = default;
  };
  using Point = std::optional<Pair>;  // nothing: the neutral element

  static int mod(int a, int m = p) { return (a % m + m) % m; }
  static int inverse(int a, int m = p) {
    for (int i = 1; i < m; ++i)
      if (mod(a * i, m) == 1) return i;
    return 0;
  }
  static bool on_curve(int x, int y) { return mod(y * y) == mod(mod(x * x * x) - 3 * x); }
  static Point add(const Point& a, const Point& b) {
    if (!a) return b;
    if (!b) return a;
    if (a->x == b->x && mod(a->y + b->y) == 0) return std::nullopt;
    const int l = a == b ? mod(mod(3 * a->x * a->x - 3) * inverse(mod(2 * a->y)))
                         : mod((b->y - a->y) * inverse(mod(b->x - a->x)));
    const int x = mod(l * l - a->x - b->x);
    return Pair{x, mod(l * (a->x - x) - a->y)};
  }
  static Point multiple(int k, const Point& a) {
    Point sum;
    for (int i = 0; i < k; ++i) sum = add(sum, a);
    return sum;
  }
  static Point generator() { return Pair{static_cast<int>(Set::px[0]), static_cast<int>(Set::py[0])}; }

  static Pair times(const Pair& a, const Pair& b) {
    return {mod(a.x * b.x - a.y * b.y), mod(a.x * b.y + a.y * b.x)};
  }
  static int class_of(const Pair& f) { return mod(f.y * inverse(f.x)); }
  // g^k in PF_p (RFC 6508 2.1).
  static int power(int t, int k) {
    Pair out{1, 0};
    for (int i = 0; i < k; ++i) out = times(out, {1, t});
    return class_of(out);
  }
  // RFC 6508 3.2, in affine coordinates.
  static int pairing(const Pair& a, const Pair& b) {
    Pair f{1, 0};
    Pair c = a;
    int top = 0;
    while ((q - 1) >> (top + 1)) ++top;
    for (int i = top; i-- > 0;) {
      int l = mod(mod(3 * c.x * c.x - 3) * inverse(mod(2 * c.y)));
      f = times(times(f, f), {mod(l * (b.x + c.x) - c.y), b.y});
      c = *add(c, c);
      if (((q - 1) >> i & 1) == 0) continue;
      l = mod((a.y - c.y) * inverse(mod(a.x - c.x)));
      f = times(f, {mod(l * (b.x + c.x) - c.y), b.y});
      c = *add(c, a);
    }
    f = times(f, f);
    return class_of(times(f, f));
  }

  static Fixed<32> block(OctetsView s) {  // v_1 of RFC 6508 5.1
    const Fixed<32> h1 = sha256(Fixed<32>{}), a = sha256(s);
    return sha256({h1, a});
  }
  static int hash_to_q(OctetsView s) {
    int value = 0;
    for (const std::uint8_t octet : block(s)) value = (value * 256 + octet) % q;
    return value;
  }
  static Octets encode(const Pair& a) {
    return {0x04, static_cast<std::uint8_t>(a.x), static_cast<std::uint8_t>(a.y)};
  }
  // RFC 6508 6.2.1 for a two-octet SSV; nothing when R is neutral.
  static std::optional<Octets> encapsulate(const Fixed<2>& ssv, int b, const Point& z) {
    const int r = hash_to_q(Octets{ssv[0], ssv[1], static_cast<std::uint8_t>(b)});
    const Point point = multiple(r, add(multiple(b, generator()), z));
    if (!point) return std::nullopt;
    const std::uint8_t w = static_cast<std::uint8_t>(power(static_cast<int>(Set::g[0]), r));
    const Fixed<32> mask = block(OctetsView(&w, 1));
    Octets out = encode(*point);
    out.push_back(ssv[0] ^ mask[30]);
    out.push_back(ssv[1] ^ mask[31]);
    return out;
  }
};

}  // namespace regroup::crypto::toy
