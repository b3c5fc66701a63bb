// SPDX-License-Identifier: Apache-2.0
// Receiving group keys, with the published secrets of tests/vectors/worked-imessage.json, whose messages
// carry one known key. Input: two octets, the low 13 bits of which are the tolerances and the high three how
// to proceed:
//   0  a message as it came off the wire
//   1  its content signed by the GMS itself: a sender that may key the group but deviates at will
//   2  a good message whose key parameters are the rest of the input, protected under the right key
// Whatever is changed and tolerated, what opens has the key that was encapsulated, and no other.
#include "base/text.hpp"
#include "crypto/aead.hpp"
#include "gktp/open.hpp"
#include "gktp/seal.hpp"
#include "mcx/srtp_keys.hpp"
#include "refusal.hpp"

using namespace regroup;

namespace {

constexpr std::string_view kMasterSecret = "aff429d35f84b110d094803b3595a6e2998bc99f";  // RFC 6508 Appendix A
constexpr std::string_view kKsak = "012345";                                            // RFC 6507 Appendix A
constexpr std::string_view kKey = "00112233445566778899aabbccddeeff";
constexpr std::string_view kGroup = "sip:tgroup.7@mcptt.example.org";
constexpr NtpTime kNow{3'973'622'400, 0};

class Counting final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = static_cast<std::uint8_t>(state_ = state_ * 5 + 17);
  }

 private:
  std::uint32_t state_ = 1;
};

mcx::McpttId identity(std::string_view text) { return mcx::McpttId::parse(text).value(); }

struct World {
  crypto::sakke::MasterSecret z = crypto::sakke::parse_master_secret(from_hex(kMasterSecret).value()).value();
  crypto::eccsi::Ksak ksak = crypto::eccsi::parse_ksak(from_hex(kKsak).value()).value();
  mcx::KmsCertificate certificate{mcx::KmsUri::parse("kms.example.org").value(),
                                  "cert1.kms.example.org",
                                  mcx::KeyPeriods::make(2'592'000, 0).value(),
                                  crypto::sakke::KmsPublicKey::derive(z),
                                  crypto::eccsi::Kpak::derive(ksak),
                                  {"mcptt.example.org"},
                                  {},
                                  {},
                                  false};
  mcx::Domains domains;
  std::vector<mcx::KeySet> user, gms;
  Octets good;  // as the GMS seals it

  World() {
    FUZZ_EXPECT(domains.add(certificate).ok());
    for (const std::int64_t period : {1532, 1533, 1534})
      user.push_back(issue("sip:user.001@mcptt.example.org", period));
    gms.push_back(issue("sip:gms1@mcptt.example.org", 1533));
    good = seal();
  }
  [[nodiscard]] mcx::KeySet issue(std::string_view who, std::int64_t period) const {
    Counting random;
    const mcx::Uid uid = certificate.uid_of(identity(who), period);
    const auto signing = crypto::eccsi::UserKey::make(ksak, certificate.kpak, uid, random);
    return mcx::KeySet::validate(certificate, identity(who), period,
                                 crypto::sakke::extract(z, uid).value().octets().expose(),
                                 signing.ssk().duplicate(), signing.pvt())
        .value();
  }
  [[nodiscard]] Octets seal() const {
    Counting random;
    gktp::KeyMaterial material;
    material.key = mcx::Gmk::parse(from_hex(kKey).value()).value();
    material.id = mcx::GmkId{0x0abcdef1};
    material.rand = Octets(16, 0xa0);
    material.parameters.groups = {std::string(kGroup)};
    const std::vector<gktp::Receiver> to{{user.front().identity(), &certificate}};
    return gktp::seal(material, {certificate, gms.front()}, to, kNow, random).value().front().message;
  }
};

const World& world() {
  static const World one;
  return one;
}

gktp::Reception reception(unsigned tolerances) {
  gktp::Reception out{world().user.front().identity(), world().certificate.kms_uri, world().domains,
                      world().user};
  out.authorised_initiators = {world().gms.front().identity()};
  out.group = std::string(kGroup);
  out.now = kNow;
  for (unsigned i = 0; i < gktp::kTolerances; ++i)
    if (tolerances >> i & 1) out.tolerances.allow(static_cast<gktp::Tolerance>(i));
  return out;
}

Octets signed_by_gms(const mikey::Unsigned& content) {
  Counting random;
  Octets out = mikey::write_to_sign(content);
  append(out, crypto::eccsi::sign(world().gms.front().signing(), out, random));
  return out;
}

// The key parameters of the good message replaced, under the key that protects them.
std::optional<Octets> with_parameters(OctetsView plaintext) {
  if (plaintext.size() > 4096) return std::nullopt;
  mikey::Unsigned content = mikey::parse(world().good).value();
  for (mikey::GeneralExt& extension : content.extensions) {
    auto frame = mikey::parse_as<mikey::ProtectedPayload>(extension.data).value();
    const mcx::Dpck key = mcx::dpck(from_hex(kKey).value(), frame.dppk_id);
    const Octets sealed = crypto::gcm_seal(key.expose(), frame.iv, frame.associated_data(), plaintext);
    frame.ciphertext.assign(sealed.begin(), sealed.end() - crypto::kGcmTag);
    std::copy(sealed.end() - crypto::kGcmTag, sealed.end(), frame.tag.begin());
    extension.data = mikey::write(frame);
  }
  return signed_by_gms(content);
}

std::optional<Octets> message_of(unsigned mode, OctetsView rest) {
  if (mode == 0) return to_octets(rest);
  if (mode == 2) return with_parameters(rest);
  const auto content = mikey::parse(rest);
  if (!content.ok()) return std::nullopt;
  return signed_by_gms(*content);
}

void expect_right_key(const gktp::Opened& opened, const gktp::Reception& with) {
  FUZZ_EXPECT(ct_equal(opened.material.key.expose(), from_hex(kKey).value()));
  FUZZ_EXPECT(opened.responder == with.own_identity && opened.initiator == world().gms.front().identity());
  const auto& groups = opened.material.parameters.groups;
  FUZZ_EXPECT(groups.empty() || std::find(groups.begin(), groups.end(), with.group) != groups.end());
  for (const gktp::Tolerance fired : opened.fired) FUZZ_EXPECT(with.tolerances.allows(fired));
  const gktp::KeyParameters& p = opened.material.parameters;
  FUZZ_EXPECT(p.revoked || p.expiry == 0 || p.expiry > with.now.unix_seconds());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned choice = static_cast<unsigned>(data[0]) << 8 | data[1], mode = choice >> 13;
  if (mode > 2) return 0;
  const gktp::Reception with = reception(choice);
  const auto message = message_of(mode, OctetsView(data, size).subspan(2));
  if (!message) return 0;
  const auto verified = gktp::verify(*message, with);
  if (!verified.ok()) {
    expect_refusal(verified.error());
    return 0;
  }
  FUZZ_EXPECT(verified->initiator() == world().gms.front().identity());
  const auto opened = gktp::open(*verified, with);
  if (!opened.ok()) {
    expect_refusal(opened.error());
    FUZZ_EXPECT(gktp::outward(opened.error()) == "undecryptable");
    return 0;
  }
  expect_right_key(*opened, with);
  return 0;
}
