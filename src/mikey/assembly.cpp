// SPDX-License-Identifier: Apache-2.0
#include "mikey/assembly.hpp"

#include <algorithm>

namespace regroup::mikey {

namespace {

constexpr std::string_view kShape = "RFC 6509 2.1";
constexpr std::size_t kMapOffset = 10;

std::string numbered(PayloadType type) {
  return std::to_string(static_cast<unsigned>(type)) + " (" +
         names::payload(static_cast<std::uint64_t>(type)) + ")";
}
std::string described(Role role) {
  return "IDR role " + std::to_string(static_cast<unsigned>(role)) + " (" +
         names::role(static_cast<std::uint64_t>(role)) + ")";
}

}  // namespace

void Assembly::reject(Errc errc, ErrorCode code, std::string_view clause, std::string detail,
                      std::string_view cure, std::size_t at) {
  in_.reject(refuse(errc, code, clause, std::move(detail), std::string(cure)), at);
}

void Assembly::read() {
  message_.hdr = payload<Hdr>();
  if (!in_.failed() && message_.hdr.data_type != kDataTypeSakke)
    reject(Errc::unsupported, ErrorCode::invalid_data_type, "RFC 6509 4.1",
           "HDR data type at offset 1 is " + std::to_string(message_.hdr.data_type) +
               ", expected 26 (SAKKE message)",
           "give a SAKKE message: an error message carries no key", 1);
  next_ = message_.hdr.next;
  while (!in_.failed() && next_ != PayloadType::sign) {
    payload_at_ = in_.offset();
    read_payload(next_);
    next_at_ = payload_at_;
  }
  if (!in_.failed()) message_.sign = payload<Sign>();
  in_.end();
  settle_kms_roles();
  check_nothing_missing();
  check_policies();
}

void Assembly::read_payload(PayloadType type) {
  const auto keep = [this](auto value) {
    next_ = value.next;
    return value;
  };
  switch (type) {
    case PayloadType::t:
      once(type, t_);
      message_.t = keep(payload<T>());
      return;
    case PayloadType::rand:
      once(type, rand_);
      message_.rand = keep(payload<Rand>());
      return;
    case PayloadType::sakke:
      once(type, sakke_);
      message_.sakke = keep(payload<Sakke>());
      return;
    case PayloadType::idr:
      return add(keep(payload<Idr>()));
    case PayloadType::sp:
      return add(keep(payload<Sp>()));
    case PayloadType::general_ext:
      return add(keep(payload<GeneralExt>()));
    case PayloadType::cert:
      keep(payload<Cert>());
      return;
    case PayloadType::last:
      return reject(
          Errc::malformed, ErrorCode::unspecified, kShape,
          "next payload at offset " + std::to_string(next_at_) + " is 0: the message ends without SIGN",
          "the sender must sign each I_MESSAGE", next_at_);
    default:
      return reject(Errc::unsupported, ErrorCode::unspecified, kShape,
                    "next payload at offset " + std::to_string(next_at_) + " is " + numbered(type) +
                        ", which has no place in a MIKEY-SAKKE I_MESSAGE",
                    "a payload of unknown length cannot be skipped; the sender must leave it out", next_at_);
  }
}

void Assembly::once(PayloadType type, bool& seen) {
  if (seen)
    reject(Errc::malformed, ErrorCode::unspecified, kShape,
           "payload " + numbered(type) + " stands a second time at offset " + std::to_string(payload_at_),
           "the sender must send each mandatory payload once", payload_at_);
  seen = true;
}

void Assembly::place(Idr& slot, bool& taken, Idr idr) {
  if (taken)
    return reject(Errc::malformed, ErrorCode::invalid_id, "RFC 6043 6.6",
                  described(idr.role) + " at offset " + std::to_string(payload_at_) + " stands beside " +
                      described(slot.role),
                  "the sender must give one IDR for each of initiator, responder and their KMSs",
                  payload_at_);
  taken = true;
  slot = std::move(idr);
}

void Assembly::add(Idr idr) {
  if (in_.failed()) return;
  switch (idr.role) {
    case Role::initiator:
    case Role::initiator_uid:
      return place(message_.initiator, initiator_, std::move(idr));
    case Role::responder:
    case Role::responder_uid:
      return place(message_.responder, responder_, std::move(idr));
    case Role::initiator_kms:
      return place(message_.initiator_kms, initiator_kms_, std::move(idr));
    case Role::responder_kms:
      return place(message_.responder_kms, responder_kms_, std::move(idr));
    case Role::kms:
      kms_.push_back(std::move(idr));
      return;
    case Role::psk:
    case Role::application:
      return;  // nothing to MIKEY-SAKKE
  }
}

void Assembly::add(Sp sp) {
  if (in_.failed()) return;
  for (const Sp& other : message_.policies)
    if (other.policy == sp.policy)
      return reject(Errc::malformed, ErrorCode::invalid_policy, "RFC 3830 6.10",
                    "SP at offset " + std::to_string(payload_at_) + " has policy number " +
                        std::to_string(sp.policy) + " again",
                    "the sender must send one SP per policy number", payload_at_);
  message_.policies.push_back(std::move(sp));
}

void Assembly::add(GeneralExt extension) {
  if (in_.failed()) return;
  const bool single = extension.type == ExtType::sakke_to_self || extension.type == ExtType::key_parameters;
  if (single && message_.extension(extension.type))
    return reject(Errc::malformed, ErrorCode::unspecified, "TS 33.180 E.6",
                  "general extension type " + std::to_string(static_cast<unsigned>(extension.type)) +
                      " stands a second time at offset " + std::to_string(payload_at_),
                  "the sender must send at most one of type 6 and one of type 7", payload_at_);
  message_.extensions.push_back(std::move(extension));
}

// KMSs named by role 3 only: one for both, or the initiator's and then the responder's. The opener judges.
void Assembly::settle_kms_roles() {
  if (in_.failed() || initiator_kms_ || responder_kms_ || kms_.empty() || kms_.size() > 2) return;
  message_.initiator_kms = kms_.front();
  message_.responder_kms = kms_.back();
  initiator_kms_ = responder_kms_ = true;
}

void Assembly::check_nothing_missing() {
  if (in_.failed()) return;
  std::string missing;
  const auto need = [&missing](bool there, std::string_view what) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(what);
  };
  need(t_, "T");
  need(rand_, "RAND");
  need(initiator_, "IDRi");
  need(responder_, "IDRr");
  need(initiator_kms_, "IDRkmsi");
  need(responder_kms_, "IDRkmsr");
  need(sakke_, "SAKKE");
  if (!missing.empty())
    reject(Errc::malformed,
           initiator_ && responder_ && initiator_kms_ && responder_kms_ ? ErrorCode::unspecified
                                                                        : ErrorCode::invalid_id,
           "TS 33.179 E.2", "the message lacks " + missing, "the sender must add what is mandatory",
           in_.offset());
}

// Which SP governs which session must be certain (RFC 3830 6.10; RFC 6043 6.1.1).
void Assembly::check_policies() {
  if (in_.failed() || message_.policies.empty()) return;
  const bool several = message_.policies.size() > 1;
  const auto refuse_map = [this](const std::string& detail, std::string_view cure) {
    reject(Errc::malformed, ErrorCode::invalid_policy, "RFC 6043 6.1.1", detail, cure, kMapOffset);
  };
  if (message_.hdr.map.type != MapType::generic_id) {
    if (several)
      refuse_map("several SPs and no GENERIC-ID map that assigns them", "send one SP, or a GENERIC-ID map");
    return;
  }
  for (const GenericIdEntry& entry : message_.hdr.map.generic) {
    const std::string session = "crypto session " + std::to_string(entry.cs_id);
    if (entry.policies.empty() && several)
      refuse_map(session + " names none of several SPs", "name the policy");
    for (const std::uint8_t policy : entry.policies)
      if (std::none_of(message_.policies.begin(), message_.policies.end(),
                       [policy](const Sp& sp) { return sp.policy == policy; }))
        refuse_map(session + " names policy " + std::to_string(policy) + ", which no SP has",
                   "send the SP with that number");
  }
}

void read_error_message(FieldReader& in, ErrorMessage& message) {
  in.enter(Hdr::kName);
  Hdr::wire(in, message.hdr);
  if (!in.failed() && (message.hdr.data_type != kDataTypeError || message.hdr.next != PayloadType::err))
    in.reject(
        refuse(Errc::malformed, ErrorCode::invalid_data_type, "RFC 3830 6.12",
               "an error message has data type 6 and next payload 12 (ERR)", "the sender must write them so"),
        1);
  in.enter(Err::kName);
  Err::wire(in, message.err);
  in.end();
}

}  // namespace regroup::mikey
