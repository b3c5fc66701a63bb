// SPDX-License-Identifier: Apache-2.0
#include "gktp/seal.hpp"

#include <functional>

#include "base/workers.hpp"
#include "gktp/key_parameters.hpp"
#include "gktp/policy.hpp"
#include "mcx/guk_id.hpp"

namespace regroup::gktp {
namespace {

Result<void> check_sender(const Sender& sender, NtpTime time) {
  const mcx::KmsCertificate& kms = sender.certificate;
  TRY(kms.usable_at(time));
  const std::int64_t period = kms.periods.number_at(time);
  if (sender.keys.kms_uri() != kms.kms_uri || sender.keys.uid() != kms.uid_of(sender.keys.identity(), period))
    return fail(Errc::expired, "TS 33.180 5.2.4",
                "the key set of '" + sender.keys.identity().text() + "' is of period " +
                    std::to_string(sender.keys.period_no()) + " of " + sender.keys.kms_uri().text() +
                    ", the message of period " + std::to_string(period) + " of " + kms.kms_uri.text(),
                "fetch the key set of that period from the KMS (/keyprov)");
  return {};
}

Result<void> check_material(const KeyMaterial& material) {
  const auto usage = [](std::string detail, std::string cure) {
    return fail(Errc::usage, "TS 33.179 E.2", std::move(detail), std::move(cure));
  };
  const mcx::Purpose purpose = TRY(mcx::purpose_of(material.id.tag()));
  if (purpose != mcx::Purpose::gmk && purpose != mcx::Purpose::mkfc)
    return usage("only a GMK or an MKFC is handed out, not a " + std::string(mcx::name_of(purpose)),
                 "choose a key ID of a GMK or an MKFC");
  if (purpose != material.parameters.key_type)
    return usage("the purpose tag of key " + material.id.text() + " contradicts its key type",
                 "give the key an ID of its own type");
  if (material.key.is_long())
    return usage("a key of 32 octets is never sent (TS 33.179 E.1.0)", "give 16 octets");
  if (material.rand.size() < 16 || material.rand.size() > 64)
    return usage("RAND has " + std::to_string(material.rand.size()) + " octets", "give 16 to 64");
  return check_writable(material.parameters);
}

Result<void> check_receiver(const Receiver& receiver, NtpTime time) {
  if (!receiver.certificate)
    return fail(Errc::unknown_kms, "PR-37", "no KMS certificate for '" + receiver.identity.text() + "'",
                "import the certificate of its domain at the own KMS, or add an entry to [kms_of]");
  auto usable = receiver.certificate->usable_at(time);
  if (!usable.ok()) return std::move(usable).error().with("'" + receiver.identity.text() + "'");
  return {};
}

mikey::Idr initiator_of(const Sender& sender, bool hidden) {
  if (hidden) return mikey::Idr::uid(mikey::Role::initiator_uid, sender.keys.uid());
  return mikey::Idr::uri(mikey::Role::initiator, sender.keys.identity().text());
}

mikey::Idr responder_of(const Receiver& receiver, const mcx::Uid& uid, bool hidden) {
  if (hidden) return mikey::Idr::uid(mikey::Role::responder_uid, uid);
  return mikey::Idr::uri(mikey::Role::responder, receiver.identity.text());
}

// What goes into the SPI: the MKI of a diversified key, else the key's own identifier.
Octets spi_of(const KeyMaterial& material, mcx::GukId carried) {
  if (mcx::diversified(material.parameters.key_type)) return to_octets(mcx::mki(material.id, carried));
  return to_octets(material.id.octets());
}

// One distribution: the same key, time and sender for every receiver.
struct Distribution {
  const KeyMaterial& material;
  const Sender& sender;
  NtpTime time;
  const SealOptions& options;
};

Result<mikey::Unsigned> compose(const Distribution& d, const Receiver& receiver, const mcx::Uid& uid,
                                const Fixed<16>& iv, OctetsView encapsulated) {
  const mcx::GukId carried = guk_id_of(d.material.key, d.material.id, receiver.identity);
  mikey::Unsigned message;
  message.hdr.csb_id = carried.value;
  TRY(write_policy(d.material, spi_of(d.material, carried), message));
  message.t.value = d.time.wire();
  message.rand.value = d.material.rand;
  message.initiator = initiator_of(d.sender, d.options.hide_initiator);
  message.responder = responder_of(receiver, uid, d.options.hide_responder);
  message.initiator_kms = mikey::Idr::uri(mikey::Role::initiator_kms, d.sender.certificate.kms_uri.text());
  message.responder_kms = mikey::Idr::uri(mikey::Role::responder_kms, receiver.certificate->kms_uri.text());
  message.sakke = TRY(mikey::Sakke::from_encapsulated(encapsulated));
  const ParameterContext context{d.material.key.expose(), carried.value, d.material.parameters.key_type,
                                 d.time};
  message.extensions.push_back(seal_key_parameters(d.material.parameters, context, iv));
  return message;
}

// work(i) for each receiver, on the threads there are; the first error of a chunk ends that chunk.
Result<void> for_each_receiver(std::size_t count, const std::function<Result<void>(std::size_t)>& work) {
  constexpr std::size_t kChunk = 64;
  std::vector<std::optional<Error>> errors((count + kChunk - 1) / kChunk);
  for_each_chunk(errors.size(), [&](std::size_t chunk) {
    for (std::size_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk) && !errors[chunk]; ++i)
      if (auto done = work(i); !done.ok()) errors[chunk] = std::move(done).error();
  });
  for (std::optional<Error>& error : errors)
    if (error) return std::move(*error);
  return {};
}

// All that is signed of each message.
Result<std::vector<Sealed>> compose_all(const Distribution& d, std::span<const Receiver> receivers,
                                        const std::vector<mcx::Uid>& uids,
                                        const std::vector<Octets>& encapsulated, Random& random) {
  std::vector<Sealed> out;
  for (const Receiver& receiver : receivers) out.push_back({receiver.identity, {}, {}});
  std::vector<Fixed<16>> ivs(receivers.size());
  for (Fixed<16>& iv : ivs) iv = random.octets<16>();
  TRY(for_each_receiver(out.size(), [&](std::size_t i) -> Result<void> {
    const mikey::Unsigned message = TRY(compose(d, receivers[i], uids[i], ivs[i], encapsulated[i]));
    out[i].guk_id = mcx::GukId{message.hdr.csb_id};
    out[i].message = mikey::write_to_sign(message);
    return {};
  }));
  return out;
}

// What leaves has been read and verified as a receiver would.
Result<void> sign_and_check(const Distribution& d, std::vector<Sealed>& all, Random& random) {
  std::vector<OctetsView> unsigned_messages;
  for (const Sealed& one : all) unsigned_messages.push_back(one.message);
  const Octets identifier = d.sender.keys.identifier();
  auto signatures = crypto::eccsi::sign_all(d.sender.keys.signing(), d.sender.certificate.kpak, identifier,
                                            unsigned_messages, random);
  if (!signatures.ok()) return signatures.error();
  return for_each_receiver(all.size(), [&](std::size_t i) -> Result<void> {
    append(all[i].message, (*signatures)[i]);
    const auto parsed = mikey::parse(all[i].message);
    if (!parsed.ok()) return Error(parsed.error()).with("a message just made does not parse");
    return {};
  });
}

}  // namespace

Result<std::vector<Sealed>> seal(const KeyMaterial& material, const Sender& sender,
                                 std::span<const Receiver> receivers, NtpTime time, Random& random,
                                 const SealOptions& options) {
  TRY(check_sender(sender, time));
  TRY(check_material(material));
  for (const Receiver& receiver : receivers) TRY(check_receiver(receiver, time));
  std::vector<mcx::Uid> uids;
  std::vector<Octets> identifiers;
  for (const Receiver& receiver : receivers) {
    uids.push_back(receiver.certificate->uid_at(receiver.identity, time));
    identifiers.push_back(receiver.certificate->identifier(uids.back()));
  }
  std::vector<crypto::sakke::Recipient> recipients;
  for (std::size_t i = 0; i < receivers.size(); ++i)
    recipients.push_back({identifiers[i], &receivers[i].certificate->z});
  const std::vector<Octets> encapsulated = TRY(crypto::sakke::encapsulate(material.key.expose(), recipients));
  const Distribution d{material, sender, time, options};
  std::vector<Sealed> out = TRY(compose_all(d, receivers, uids, encapsulated, random));
  TRY(sign_and_check(d, out, random));
  return out;
}

mcx::GukId guk_id_of(const mcx::Gmk& key, mcx::GmkId id, const mcx::McpttId& receiver) {
  const auto purpose = mcx::purpose_of(id.tag());
  if (!purpose.ok() || !mcx::diversified(*purpose)) return mcx::GukId{id.value};
  return mcx::guk_id(key.expose(), id, receiver.text());
}

}  // namespace regroup::gktp
