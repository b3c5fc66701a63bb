// SPDX-License-Identifier: Apache-2.0
#include "app/kms/audit.hpp"

#include <unistd.h>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::app {

nlohmann::json audit_record(const KmsAnswer& answer, const http::Peer& peer, const kms::Kms& kms) {
  nlohmann::json out{{"peer", printable(peer.address)},
                     {"resource", answer.resource},
                     {"status", answer.response.status},
                     {"reason", answer.reason},
                     {"cache_num", kms.registry().cache_num()},
                     {"sha256", hex(crypto::sha256(answer.response.body.view()))}};
  if (!answer.identity.empty()) out["identity"] = answer.identity;
  if (!answer.detail.empty()) out["detail"] = answer.detail;
  if (!answer.periods.empty()) out["periods"] = answer.periods;
  if (peer.certificate.presented) out["certificate"] = printable(peer.certificate.subject, 400);
  if (const kms::ClientKeys* keys = kms.transport_keys().find(answer.identity)) {
    const kms::TransportKeys* next = answer.uses_successor ? keys->successor() : nullptr;
    const kms::TransportKeys& used = next ? *next : keys->present();
    out["trk_id"] = used.trk_id;
    if (keys->signs) out["signature_id"] = used.signing_id();
  }
  return out;
}

Result<void> audit(kms::AuditLog& log, std::string_view event, nlohmann::json record, NtpTime now) {
  record["event"] = event;
  record["time"] = date_time(now);
  TRY(log.append(record.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)));
  return {};
}

Result<void> audit_command(const std::string& directory, std::string_view event, nlohmann::json record) {
  const auto log = TRY(kms::AuditLog::open(directory));
  record["uid"] = ::getuid();
  return audit(*log, event, std::move(record), SystemClock().now());
}

}  // namespace regroup::app
