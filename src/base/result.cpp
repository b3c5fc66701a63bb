// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace regroup {

std::string_view name_of(Errc code) noexcept {
  switch (code) {
    case Errc::malformed:
      return "malformed";
    case Errc::unsupported:
      return "unsupported";
    case Errc::bad_signature:
      return "bad_signature";
    case Errc::undecryptable:
      return "undecryptable";
    case Errc::not_for_me:
      return "not_for_me";
    case Errc::not_authorised:
      return "not_authorised";
    case Errc::expired:
      return "expired";
    case Errc::not_yet_valid:
      return "not_yet_valid";
    case Errc::replayed:
      return "replayed";
    case Errc::revoked:
      return "revoked";
    case Errc::unknown_group:
      return "unknown_group";
    case Errc::unknown_kms:
      return "unknown_kms";
    case Errc::conflict:
      return "conflict";
    case Errc::limit:
      return "limit";
    case Errc::usage:
      return "usage";
    case Errc::storage:
      return "storage";
    case Errc::transport:
      return "transport";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

Error fail(Errc code, std::string_view clause, std::string detail, std::string cure) {
  if (code == Errc::internal && cure.empty()) cure = "a fault of regroup itself: report it with this line";
  return Error{code, std::string(clause), std::move(detail), std::move(cure)};
}

std::string Error::text() const {
  std::string out(name_of(code));
  out += ": " + detail;
  if (!clause.empty()) out += " [" + clause + "]";
  if (!cure.empty()) out += "; " + cure;
  return out;
}

void broken_invariant(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "broken invariant: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace regroup
