// SPDX-License-Identifier: Apache-2.0
// One SAKKE operation on marked secrets, with one kernel: z, SSV, RSK. Keys are of full length and made up
// here.
#include "crypto/sakke.hpp"
#include "crypto/kernel.hpp"

#include "ct/secret.hpp"

namespace {

using namespace regroup;
using namespace regroup::crypto;

sakke::MasterSecret master_secret() {
  Octets octets(128);
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(17 + 3 * i);
  return sakke::parse_master_secret(octets).value();
}

constexpr Fixed<32> kIdentifier{0x48, 0x63, 0xbe, 0x28, 0xd7, 0xdb};
constexpr Fixed<16> kSsv{0x12, 0x34, 0x56, 0x78};

void run(std::string_view operation) {
  const sakke::MasterSecret z = master_secret();
  const sakke::KmsPublicKey kms = sakke::KmsPublicKey::derive(z);
  const sakke::Recipient to{kIdentifier, &kms};
  const Octets message = sakke::encapsulate(kSsv, {&to, 1}).value().front();
  sakke::Rsk rsk = sakke::extract(z, kIdentifier).value();
  sakke::RskOctets rsk_octets = rsk.octets();

  if (operation == "derive") {
    const auto secret = sakke::parse_master_secret(ct::marked(z.duplicate()).expose());
    ct::require(sakke::KmsPublicKey::derive(secret.value()).octets() == kms.octets(), "Z");
    ct::MarkedRandom random;
    (void)sakke::KmsPublicKey::derive(sakke::make_master_secret(random));
  }
  if (operation == "extract") {
    const auto again = sakke::extract(ct::marked(z.duplicate()), kIdentifier).value().octets();
    ct::require(ct::is_marked(again.expose()), "RSK counts as secret");
    ct::unpoison(again.expose());
    ct::require(ct_equal(again.expose(), rsk_octets.expose()), "RSK");
  }
  if (operation == "parse") {
    const auto again = sakke::Rsk::parse(ct::marked(rsk_octets.duplicate()).expose());
    const auto octets = again.value().duplicate().octets();
    ct::unpoison(octets.expose());
    ct::require(ct_equal(octets.expose(), rsk_octets.expose()), "RSK");
  }
  if (operation == "encapsulate") {
    for (const std::size_t size : {16U, 32U}) {
      SecretOctets ssv(size);
      std::copy(kSsv.begin(), kSsv.end(), ssv.expose_mutable().begin());
      ct::poison(ssv.expose());
      const Fixed<32> other{1};
      const std::array<sakke::Recipient, 2> both{to, sakke::Recipient{other, &kms}};
      const auto out = sakke::encapsulate(ssv.expose(), both).value();
      for (const Octets& each : out) {
        const OctetsView view(each);
        ct::require(ct::is_marked(view.subspan(1, 256)) && ct::is_marked(view.subspan(257)),
                    "the mark reaches R and H");
        ct::unpoison(view);  // they are sent
      }
      ct::require(size == 32 || out.front() == message, "R || H");
    }
  }
  if (operation == "decapsulate") {
    const auto secret = sakke::Rsk::parse(ct::marked(rsk_octets.duplicate()).expose()).value();
    const auto with_lines = sakke::decapsulate(kms, kIdentifier, secret, message);
    sakke::set_line_budget(0);
    const auto other = secret.duplicate();
    const auto without_lines = sakke::decapsulate(kms, kIdentifier, other, message);
    for (const auto* opened : {&with_lines, &without_lines}) {
      ct::require(opened->ok(), "opens");
      ct::require(ct::is_marked(opened->value().expose()), "SSV counts as secret");
      ct::unpoison(opened->value().expose());
      ct::require(ct_equal(opened->value().expose(), kSsv), "SSV");
    }
    Octets changed = message;
    changed.back() ^= 1;
    ct::require(!sakke::decapsulate(kms, kIdentifier, secret, changed).ok(), "refuses");
  }
  if (operation == "verify") {
    const auto secret = sakke::Rsk::parse(ct::marked(rsk_octets.duplicate()).expose()).value();
    ct::require(sakke::verify(kms, kIdentifier, secret).ok(), "verifies");
    ct::require(!sakke::verify(kms, Fixed<32>{1}, secret).ok(), "refuses");
  }
}

}  // namespace

int main(int argc, char** argv) {
  ct::require(argc == 3, "usage: ct_sakke OPERATION KERNEL");
  ct::require(crypto::force_kernel(argv[2]).ok(), "the kernel runs here");
  run(argv[1]);
  return 0;
}
