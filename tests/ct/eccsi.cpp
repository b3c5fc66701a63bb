// SPDX-License-Identifier: Apache-2.0
// One ECCSI operation on marked secrets: KSAK, SSK, the randomness behind v and j.
#include "crypto/eccsi.hpp"

#include "ct/secret.hpp"

namespace {

using namespace regroup;
using namespace regroup::crypto;

constexpr Fixed<32> kIdentifier{0x48, 0x63, 0xbe, 0x28, 0xd7, 0xdb};

void run(std::string_view operation) {
  Fixed<32> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(17 + 3 * i);
  const eccsi::Ksak ksak = eccsi::parse_ksak(octets).value();
  const eccsi::Kpak kpak = eccsi::Kpak::derive(ksak);
  ct::MarkedRandom random;
  eccsi::UserKey key = eccsi::UserKey::make(ct::marked(ksak.duplicate()), kpak, kIdentifier, random);
  ct::unpoison(key.pvt());
  ct::unpoison(key.hs());

  if (operation == "derive") {
    const auto secret = eccsi::parse_ksak(ct::marked(ksak.duplicate()).expose());
    ct::require(eccsi::Kpak::derive(secret.value()) == kpak, "KPAK");
    (void)eccsi::Kpak::derive(eccsi::make_ksak(random));
  }
  if (operation == "make") ct::require(ct::is_marked(key.ssk().expose()), "SSK counts as secret");
  if (operation == "validate") {
    const auto valid =
        eccsi::UserKey::validate(kpak, kIdentifier, ct::marked(key.ssk().duplicate()), key.pvt());
    ct::require(valid.ok(), "validates");
    ct::require(
        !eccsi::UserKey::validate(kpak, Fixed<32>{1}, ct::marked(key.ssk().duplicate()), key.pvt()).ok(),
        "refuses");
  }
  if (operation == "sign") {
    ct::poison(key.ssk().expose());
    const auto signature = eccsi::sign(key, view("message"), random);
    ct::unpoison(signature);
    ct::require(eccsi::verify(kpak, kIdentifier, view("message"), signature).ok(), "verifies");
  }
}

}  // namespace

int main(int argc, char** argv) {
  ct::require(argc == 2, "usage: ct_eccsi OPERATION");
  run(argv[1]);
  return 0;
}
