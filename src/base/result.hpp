// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. Errors are sorted by what the caller can do about them; `clause` names the
// rule that failed, so that a log line is half an explanation; `cure` tells a person what to do next.
// An Error never contains key material. Exceptions do not cross rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace regroup {

enum class Errc {
  malformed,       // the octets cannot be read
  unsupported,     // readable, but not something this system does
  bad_signature,   // a signature or MAC does not verify
  undecryptable,   // a key does not decapsulate or a ciphertext does not open
  not_for_me,      // addressed to somebody else
  not_authorised,  // the sender may not do this
  expired,         // too old, or past its period
  not_yet_valid,   // from the future
  replayed,        // seen before
  revoked,         // withdrawn by its owner
  unknown_group,   // no such group, member or key
  unknown_kms,     // no certificate of that security domain
  conflict,        // contradicts what is stored
  limit,           // more than this system takes
  usage,           // wrong arguments or configuration
  storage,         // the disk said no
  transport,       // the network said no
  internal,        // our own fault
};
[[nodiscard]] std::string_view name_of(Errc code) noexcept;

struct Error {
  Errc code = Errc::internal;
  std::string clause;  // for example "TS 33.179 E.2"; empty when no clause applies
  std::string detail;  // names the field and what is wrong with it
  std::string cure;    // what to do, as an order to whoever reads it (tools/cures wants one at each fail())

  // "bad_signature: SIGN does not verify ... [TS 33.180 E.1.2]; cure"
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Error with(std::string_view context) && {
    detail = std::string(context) + ": " + detail;
    return std::move(*this);
  }
};

// A fault of our own has one cure, which needs no repeating: it is to be reported.
[[nodiscard]] Error fail(Errc code, std::string_view clause, std::string detail, std::string cure = {});

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] Error& error() & { return std::get<1>(state_); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  void value() const noexcept {}
  [[nodiscard]] Error& error() & { return *error_; }
  [[nodiscard]] const Error& error() const& { return *error_; }
  [[nodiscard]] Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

// auto x = TRY(expression): the value, or return the error to the caller. Not twice in one braced list: GCC
// 12 does not destroy what stands in it already when a later one returns.
#define TRY(expression) RG_TRY_NAMED(expression, __COUNTER__)
#define RG_TRY_NAMED(expression, number) RG_TRY_WITH(expression, number)
#define RG_TRY_WITH(expression, number)                                                           \
  ({                                                                                              \
    auto&& rg_result_##number = (expression);                                                     \
    if (!rg_result_##number.ok()) return ::regroup::Error(std::move(rg_result_##number).error()); \
    std::move(rg_result_##number).value();                                                        \
  })

// Ends the process: what follows could only do damage.
[[noreturn]] void broken_invariant(const char* what, const char* file, int line) noexcept;
// An invariant of ours. Checked wherever REGROUP_CHECKED is defined (every build but Release).
#ifdef REGROUP_CHECKED
#define RG_ASSERT(condition) \
  ((condition) ? void(0) : ::regroup::broken_invariant(#condition, __FILE__, __LINE__))
#else
#define RG_ASSERT(condition) void(0)
#endif

}  // namespace regroup
