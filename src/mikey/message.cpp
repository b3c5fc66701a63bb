// SPDX-License-Identifier: Apache-2.0
#include "mikey/message.hpp"

#include "mikey/assembly.hpp"

namespace regroup::mikey {

namespace {

template <class Payload>
void add(FieldWriter& out, PayloadType type, const Payload& payload) {
  out.follow_with(type);
  Payload::wire(out, payload);
}

// HDR to the last payload before SIGN, each naming its follower.
FieldWriter write_unsigned(const Unsigned& message) {
  FieldWriter out;
  Hdr::wire(out, message.hdr);
  add(out, PayloadType::t, message.t);
  add(out, PayloadType::rand, message.rand);
  for (const Idr* idr :
       {&message.initiator, &message.responder, &message.initiator_kms, &message.responder_kms})
    add(out, PayloadType::idr, *idr);
  for (const Sp& sp : message.policies) add(out, PayloadType::sp, sp);
  add(out, PayloadType::sakke, message.sakke);
  for (const GeneralExt& extension : message.extensions) add(out, PayloadType::general_ext, extension);
  out.follow_with(PayloadType::sign);
  return out;
}

Error wrong_size(std::size_t size) {
  return refuse(size < kSmallestMessage ? Errc::malformed : Errc::limit, ErrorCode::unspecified,
                "TS 33.179 E.2", "the message has " + std::to_string(size) + " octets, expected 300 to 16384",
                "check that the whole message, and nothing else, was passed on");
}

}  // namespace

const GeneralExt* Unsigned::extension(ExtType type) const {
  for (const GeneralExt& extension : extensions)
    if (extension.type == type) return &extension;
  return nullptr;
}

const Sp* Unsigned::policy_of(std::uint8_t cs_id) const {
  for (const GenericIdEntry& entry : hdr.map.generic) {
    if (entry.cs_id != cs_id || entry.policies.empty()) continue;
    for (const Sp& sp : policies)
      if (sp.policy == entry.policies.front()) return &sp;
  }
  return policies.size() == 1 ? &policies.front() : nullptr;
}

Result<Message> parse(OctetsView octets) {
  if (octets.size() < kSmallestMessage || octets.size() > kLargestMessage) return wrong_size(octets.size());
  FieldReader in(octets);
  Message message;
  Assembly(in, message).read();
  if (in.failed()) return in.take_error();
  message.raw = to_octets(octets);
  return message;
}

Octets write_to_sign(const Unsigned& message) {
  FieldWriter out = write_unsigned(message);
  const Sign header;
  Sign::header(out, header);
  return std::move(out).octets();
}

Octets write(const Message& message) {
  FieldWriter out = write_unsigned(message);
  Sign::wire(out, message.sign);
  return std::move(out).octets();
}

Result<ErrorMessage> parse_error_message(OctetsView octets) {
  FieldReader in(octets);
  ErrorMessage message;
  read_error_message(in, message);
  if (in.failed()) return in.take_error();
  return message;
}

}  // namespace regroup::mikey
