// SPDX-License-Identifier: Apache-2.0
// SAKKE parameter set 1 (RFC 6509 Appendix A): E: y^2 = x^3 - 3x over F_p with p + 1 = 4q points, P of order
// q, g = <P,P>. A parameter set is a type with these members; the arithmetic is written over any of them, and
// the tests walk small ones exhaustively. A set needs p = 4q - 1, q prime, q = 2 mod 3
// (performance-design 2.1).
#pragma once

#include "crypto/field/residue.hpp"

namespace regroup::crypto {

struct ParameterSet1 {
  static constexpr Modulus<16> p = make_modulus(
      limbs_from_hex<16>("997abb1f 0a563fda 65c61198 dad0657a 416c0ce1 9cb48261 be9ae358 b3e01a2e"
                         "f40aab27 e2fc0f1b 228730d5 31a59cb0 e791b39f f7c88a19 356d27f4 a666a6d0"
                         "e26c6487 326b4cd4 512ac5cd 65681ce1 b6aff4a8 31852a82 a7cf3c52 1c3c09aa"
                         "9f94d6af 56971f1f fce3e823 89857db0 80c5df10 ac7ace87 666d807a fea85feb"));
  static constexpr Modulus<16> q = make_modulus(
      limbs_from_hex<16>("265eaec7 c2958ff6 99718466 36b4195e 905b0338 672d2098 6fa6b8d6 2cf8068b"
                         "bd02aac9 f8bf03c6 c8a1cc35 4c69672c 39e46ce7 fdf22286 4d5b49fd 2999a9b4"
                         "389b1921 cc9ad335 144ab173 595a0738 6dabfd2a 0c614aa0 a9f3cf14 870f026a"
                         "a7e535ab d5a5c7c7 ff38fa08 e2615f6c 203177c4 2b1eb3a1 d99b601e bfaa17fb"));
  static constexpr Limbs<16> px = limbs_from_hex<16>(
      "53fc09ee 332c29ad 0a799005 3ed9b52a 2b1a2fd6 0aec69c6 98b2f204 b6ff7cbf"
      "b5edb6c0 f6ce2308 ab10db90 30b09e10 43d5f22c db9dfa55 718bd9e7 406ce890"
      "9760af76 5dd5bccb 337c8654 8b72f2e1 a702c339 7a60de74 a7c1514d ba66910d"
      "d5cfb4cc 80728d87 ee9163a5 b63f73ec 80ec46c4 967e0979 880dc8ab eae63895");
  static constexpr Limbs<16> py = limbs_from_hex<16>(
      "0a824906 3f6009f1 f9f1f053 3634a135 d3e82016 02990696 3d778d82 1e141178"
      "f5ea69f4 654ec2b9 e7f7f5e5 f0de55f6 6b598ccf 9a140b2e 416cff0c a9e032b9"
      "70dae117 ad547c6c cad696b5 b7652fe0 ac6f1e80 164aa989 492d979f c5a4d5f2"
      "13515ad7 e9cb99a9 80bdad5a d5bb4636 adb9b570 6a67dcde 75573fd7 1bef16d7");
  static constexpr Limbs<16> g = limbs_from_hex<16>(
      "66fc2a43 2b6ea392 148f1586 7d623068 c6a87bd1 fb94c41e 27fabe65 8e015a87"
      "371e9474 4c96feda 449ae956 3f8bc446 cbfda85d 5d00ef57 7072da8f 541721be"
      "ee0faed1 828eab90 b99dfb01 38c78433 55df0460 b4a9fd74 b4f1a32b cafa1ffa"
      "d682c033 a7942bcc e3720f20 b9b7b040 3c8cae87 b7a0042a cde0fab3 6461ea46");
  // Bits per digit of the fixed-base tables (curve/fixed_base.hpp); measured, see there.
  static constexpr std::size_t window = 7;
};

template <class Set>
using FieldOf = Residue<Set::p>;  // F_p
template <class Set>
using ScalarOf = Residue<Set::q>;

}  // namespace regroup::crypto
