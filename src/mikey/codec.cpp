// SPDX-License-Identifier: Apache-2.0
#include "mikey/codec.hpp"

namespace regroup::mikey {

namespace {

std::string_view clause_of(const Field& field) { return field.clause.empty() ? "RFC 3830 6" : field.clause; }

}  // namespace

void FieldReader::enter(std::string_view payload) {
  payload_ = payload;
  if (observer_ && !failed()) observer_->enter(payload);
}

void FieldReader::reject(Error error, std::size_t at) {
  if (failed()) return;
  error_ = std::move(error);
  broken_at_ = at;
}

OctetsView FieldReader::take(std::size_t count, const Field& field) {
  if (failed()) return {};
  if (count > remaining()) {
    short_of(count, field);
    return {};
  }
  last_field_ = field.name;
  last_clause_ = clause_of(field);
  last_at_ = offset();
  last_size_ = count;
  last_value_.reset();
  const OctetsView out = input_.subspan(at_, count);
  at_ += count;
  return out;
}

OctetsView FieldReader::taken(std::size_t count, const Field& field) {
  const std::size_t at = offset();
  const OctetsView out = take(count, field);
  if (observer_ && !failed()) observer_->data(at, out, field);
  return out;
}

void FieldReader::all_but(std::size_t keep, const Field& field, Octets& value) {
  if (!failed() && keep > remaining()) short_of(keep, field);
  if (!failed()) value = to_octets(taken(remaining() - keep, field));
}

void FieldReader::short_of(std::size_t count, const Field& field) {
  reject(refuse(Errc::malformed, ErrorCode::unspecified, clause_of(field),
                std::string(payload_) + " " + std::string(field.name) + " at offset " +
                    std::to_string(offset()) + " needs " + std::to_string(count) + " octets, " +
                    std::to_string(remaining()) + " remain",
                "the octets are cut short or a length before them is wrong"),
         offset());
}

void FieldReader::end() {
  if (failed() || remaining() == 0) return;
  reject(refuse(Errc::malformed, ErrorCode::unspecified, last_clause_.empty() ? "RFC 3830 6" : last_clause_,
                std::to_string(remaining()) + " octets left over behind " + std::string(payload_) + " " +
                    std::string(last_field_) + " at offset " + std::to_string(offset()),
                "remove them, or correct the length before them"),
         offset());
}

Result<void> FieldReader::finish() {
  end();
  if (error_) return *error_;
  return {};
}

void FieldReader::require(bool holds, Errc errc, ErrorCode code, std::string_view expected,
                          std::string_view cure) {
  if (holds || failed()) return;
  const std::string found =
      last_value_ ? " is " + std::to_string(*last_value_) : " has " + std::to_string(last_size_) + " octets";
  reject(refuse(errc, code, last_clause_,
                std::string(payload_) + " " + std::string(last_field_) + " at offset " +
                    std::to_string(last_at_) + found + ", expected " + std::string(expected),
                std::string(cure)),
         last_at_);
}

}  // namespace regroup::mikey
