// SPDX-License-Identifier: Apache-2.0
#include "mikey/explain.hpp"

#include "base/text.hpp"
#include "mikey/assembly.hpp"

namespace regroup::mikey {

namespace {

constexpr std::size_t kShownWhole = 32;  // an opaque field of more octets is counted instead

std::string value_of(const Field& field, OctetsView octets) {
  if (field.data) return field.data(octets);
  return octets.size() <= kShownWhole ? hex(octets) : std::to_string(octets.size()) + " octets";
}

// Turns what a FieldReader sees into lines.
class Explainer final : public Observer {
 public:
  explicit Explainer(Explanation& out) : out_(out) {}

  void enter(std::string_view payload) override { payload_ = payload; }

  void number(std::size_t offset, OctetsView octets, const Field& field, std::uint64_t value) override {
    add(offset, octets, field, field.hexadecimal ? hex(octets) : std::to_string(value),
        field.number ? field.number(value) : "");
  }

  // Two values in the same octets are two lines.
  void bits(std::size_t offset, OctetsView octets, const Field& high, std::uint64_t high_value,
            const Field& low, std::uint64_t low_value) override {
    number(offset, octets, high, high_value);
    number(offset, octets, low, low_value);
  }

  void data(std::size_t offset, OctetsView octets, const Field& field) override {
    if (field.name == kSpValue.name) return parameter(octets);
    if (field.name == kExtData.name && payload_ == GeneralExt::kName) return extension(offset, octets, field);
    if (!octets.empty()) add(offset, octets, field, value_of(field, octets), {});
  }

 private:
  void add(std::size_t offset, OctetsView octets, const Field& field, std::string value,
           std::string meaning) {
    if (out_.error) return;  // an extension broke: nothing behind it is explained
    out_.lines.push_back(Line{offset, to_octets(octets), std::string(payload_), std::string(field.name),
                              std::move(value), std::move(meaning), std::string(field.clause)});
  }

  // Type, length and value of an SP parameter are one line: "encryption algorithm 6 = AES-GCM".
  void parameter(OctetsView value) {
    if (out_.error) return;
    out_.lines.pop_back();  // the length
    Line& line = out_.lines.back();
    const std::uint8_t type = line.octets.front();
    line.octets.push_back(static_cast<std::uint8_t>(value.size()));
    append(line.octets, value);
    line.field = names::sp_parameter(type);
    std::uint64_t number = 0;
    for (const std::uint8_t octet : value) number = number << 8 | octet;
    line.value = value.size() <= 8 ? std::to_string(number) : hex(value);
    line.meaning = value.size() <= 8 ? names::sp_value(type, number) : "";
  }

  // Extensions 6 and 7 are opened up; the line of the type stands before the line of the length.
  void extension(std::size_t offset, OctetsView octets, const Field& field) {
    if (out_.error) return;
    const auto type = static_cast<ExtType>(out_.lines[out_.lines.size() - 2].octets.front());
    if (type == ExtType::sakke_to_self) return content<Sakke>(offset, octets, "SAKKE-to-self");
    if (type == ExtType::key_parameters && starts_legacy_key_parameters(octets))
      return content<LegacyKeyParameters>(offset, octets, LegacyKeyParameters::kName);
    if (type == ExtType::key_parameters)
      return content<ProtectedPayload>(offset, octets, ProtectedPayload::kName);
    if (!octets.empty()) add(offset, octets, field, value_of(field, octets), {});
  }

  template <class Content>
  void content(std::size_t offset, OctetsView octets, std::string_view name) {
    FieldReader in(octets, this, offset);
    in.enter(name);
    Content ignored;
    Content::wire(in, ignored);
    in.end();
    payload_ = GeneralExt::kName;
    if (!in.failed()) return;
    out_.breaks_at = in.broken_at();
    out_.error = in.take_error();
  }

  Explanation& out_;
  std::string_view payload_;
};

bool is_error_message(OctetsView octets) { return octets.size() > 1 && octets[1] == kDataTypeError; }

}  // namespace

Explanation explain(OctetsView octets) {
  Explanation out;
  Explainer explainer(out);
  FieldReader in(octets.first(std::min(octets.size(), kLargestMessage)), &explainer);
  if (is_error_message(octets)) {
    ErrorMessage message;
    read_error_message(in, message);
  } else {
    Message message;
    Assembly(in, message).read();
  }
  if (!out.error && in.failed()) {
    out.breaks_at = in.broken_at();
    out.error = in.take_error();
  }
  if (octets.size() <= kLargestMessage) return out;
  out.breaks_at = kLargestMessage;
  out.error = refuse(Errc::limit, ErrorCode::unspecified, "TS 33.179 E.2",
                     "the message has " + std::to_string(octets.size()) + " octets, at most 16384 are read",
                     "give one message alone");
  return out;
}

}  // namespace regroup::mikey
