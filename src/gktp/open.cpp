// SPDX-License-Identifier: Apache-2.0
// Steps 8-10 of docs/wire.md, "Order of checks".
#include "gktp/open.hpp"

#include "base/text.hpp"
#include "gktp/key_parameters.hpp"
#include "gktp/periods.hpp"
#include "gktp/policy.hpp"
#include "mcx/guk_id.hpp"

namespace regroup::gktp {
namespace {

Error not_decapsulated(const Reception& reception, std::int64_t period) {
  return fail(Errc::undecryptable, "RFC 6508 6.2.2",
              "SAKKE does not decapsulate for '" + reception.own_identity.text() + "' of KMS '" +
                  reception.own_kms.text() + "' with the key set of period " + std::to_string(period),
              "compare identity, KMS URI, key period and Z with what the sender encapsulated to");
}

// Step 8: with the RSK of T's period; under the switch also with those beside it.
Result<mcx::Gmk> decapsulate(const Verified& verified, const Reception& reception, Fired& fired) {
  const mcx::KmsCertificate* const kms = reception.domains.find(reception.own_kms, verified.time());
  if (!kms)
    return fail(Errc::undecryptable, "TS 33.180 5.3.1.2",
                "no certificate of '" + reception.own_kms.text() + "' is held",
                "fetch it from the KMS (/init)");
  const mikey::Sakke& sakke = verified.message().sakke;
  const std::int64_t period = kms->periods.number_at(verified.time());
  const bool neighbours = reception.tolerances.allows(Tolerance::accept_neighbour_period);
  for (const std::int64_t number : periods_to_try(period, neighbours)) {
    const mcx::KeySet* const keys = key_set_of(reception, number);
    if (!keys) continue;
    const mcx::KmsCertificate& of_it = *reception.domains.find(kms->kms_uri, kms->periods.start_of(number));
    const auto ssv = crypto::sakke::decapsulate(of_it.z, keys->identifier(), keys->rsk(),
                                                sakke.encapsulated(), sakke.h.size());
    if (!ssv.ok()) continue;
    if (number == period || tolerated(Tolerance::accept_neighbour_period, reception, fired))
      return mcx::Gmk::parse(ssv->expose());
  }
  return not_decapsulated(reception, period);
}

// Step 9: the end-point diversity undone, and the SPI of each crypto session compared with what it must be.
Result<void> check_spi(const mikey::Message& message, OctetsView expected) {
  for (const mikey::GenericIdEntry& entry : message.hdr.map.generic) {
    if (entry.spi.empty() || ct_equal(entry.spi, expected)) continue;
    return fail(Errc::undecryptable, "TS 33.180 E.2",
                "the SPI of crypto session " + std::to_string(entry.cs_id) + " is " + hex(entry.spi) +
                    ", expected " + hex(expected),
                "the sender must salt the URI of this receiver: GMK-ID and GUK-ID follow from key, CSB ID "
                "and own URI");
  }
  return {};
}

Result<mcx::GmkId> identify(const Verified& verified, const Reception& reception, const mcx::Gmk& key) {
  const mikey::Message& message = verified.message();
  const mcx::GukId carried{message.hdr.csb_id};
  const mcx::Purpose purpose = TRY(mcx::purpose_of(carried.tag()));
  if (!mcx::diversified(purpose)) {
    TRY(check_spi(message, carried.octets()));
    return mcx::GmkId{carried.value};
  }
  const mcx::GmkId id = mcx::gmk_id(key.expose(), carried, reception.own_identity.text());
  TRY(check_spi(message, mcx::mki(id, carried)));
  return id;
}

}  // namespace

Result<Opened> open(const Verified& verified, const Reception& reception) {
  const mikey::Message& message = verified.message();
  Fired fired = verified.fired();
  mcx::Gmk key = TRY(decapsulate(verified, reception, fired));
  const mcx::GmkId id = TRY(identify(verified, reception, key));
  const ParameterContext context{key.expose(), message.hdr.csb_id, static_cast<mcx::Purpose>(id.tag()),
                                 verified.time()};
  KeyParameters parameters = TRY(open_key_parameters(message, context, reception, fired));
  return Opened{
      KeyMaterial{std::move(key), id, message.rand.value, std::move(parameters), read_policy(message)},
      mcx::GukId{message.hdr.csb_id},
      verified.initiator(),
      reception.own_identity,
      verified.time(),
      verified.hash(),
      std::move(fired)};
}

}  // namespace regroup::gktp
