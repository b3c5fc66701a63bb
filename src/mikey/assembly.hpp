// SPDX-License-Identifier: Apache-2.0
// One I_MESSAGE put together payload by payload: the loop that parse() and explain() share, and the rules
// about the message as a whole (once each, which IDRs, which SPs). Only for the room.
#pragma once

#include "mikey/message.hpp"

namespace regroup::mikey {

class Assembly {
 public:
  // Fills `message` (not its raw octets) from `in`, which tells afterwards whether that failed, why and
  // where.
  Assembly(FieldReader& in, Message& message) : in_(in), message_(message) {}
  void read();

 private:
  void read_payload(PayloadType type);
  void add(Idr idr);
  void add(Sp sp);
  void add(GeneralExt extension);
  void place(Idr& slot, bool& taken, Idr idr);
  void settle_kms_roles();
  void check_nothing_missing();
  void check_policies();
  void once(PayloadType type, bool& seen);
  void reject(Errc errc, ErrorCode code, std::string_view clause, std::string detail, std::string_view cure,
              std::size_t at);

  template <class Payload>
  Payload payload() {
    in_.enter(Payload::kName);
    Payload value;
    Payload::wire(in_, value);
    return value;
  }

  FieldReader& in_;
  Message& message_;
  PayloadType next_ = PayloadType::last;  // named by the payload before
  std::size_t next_at_ = 2;               // the offset of that name: octet 2 of HDR, octet 0 of all others
  std::size_t payload_at_ = 0;
  bool t_ = false, rand_ = false, sakke_ = false;
  bool initiator_ = false, responder_ = false, initiator_kms_ = false, responder_kms_ = false;
  std::vector<Idr> kms_;  // role 3
};

// HDR with data type 6, one ERR, nothing else.
void read_error_message(FieldReader& in, ErrorMessage& message);

}  // namespace regroup::mikey
