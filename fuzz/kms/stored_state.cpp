// SPDX-License-Identifier: Apache-2.0
// What a KMS, and every vault, reads back from disk; the first octet picks:
//   h  a vault header             v  a sealed value as it lies in a store
//   x  changes to a sealed value  s  the state file of release 0.1 r  a registry of that release, unsealed
//   k  a record of a KMS store, unsealed
// Nothing opens but what was sealed; what is read is written as it was.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "kms/state_file.hpp"
#include "refusal.hpp"

using namespace regroup;

namespace {

class Counting final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = static_cast<std::uint8_t>(state_ = state_ * 5 + 17);
  }

 private:
  std::uint32_t state_ = 1;
};

constexpr std::string_view kSecret = "the key of a group", kContext = "gmk/0abcdef1";

const crypto::Vault& vault() {
  static Counting random;
  static const crypto::Vault one =
      crypto::Vault::make(view("of the fuzzer"), random, crypto::kVaultLeastLog2N);
  return one;
}

// A directory of this process, gone when it ends.
struct Folder {
  std::string path;
  Folder() : path((std::filesystem::temp_directory_path() / "regroup-fuzz-XXXXXX").string()) {
    FUZZ_EXPECT(mkdtemp(path.data()) != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};
const std::string& folder() {
  static const Folder one;
  return one.path;
}

void put_state(OctetsView octets) {
  const int fd = ::open((folder() + "/state").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FUZZ_EXPECT(fd >= 0);
  FUZZ_EXPECT(::write(fd, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
  ::close(fd);
}
void check_header(OctetsView octets) {
  const auto header = crypto::VaultHeader::parse(octets);
  if (!header.ok()) return expect_refusal(header.error());
  FUZZ_EXPECT(header->write() == to_octets(octets) && header->log2_n <= crypto::kVaultMostLog2N);
}

const Octets& sealed() {
  static Counting random;
  static const Octets one = vault().seal(kContext, view(kSecret), random);
  return one;
}

void check_sealed(OctetsView octets, std::string_view context) {
  const auto opened = vault().open(context, octets);
  if (!opened.ok()) return expect_refusal(opened.error());
  FUZZ_EXPECT(context == kContext && to_octets(octets) == sealed() && text_of(opened->expose()) == kSecret);
}

// The sealed value with the input laid over it, and cut or longer as the first octet says.
void check_changed(OctetsView changes) {
  Octets octets = sealed();
  if (!changes.empty()) octets.resize(octets.size() + changes[0] % 64);
  for (std::size_t i = 1; i < changes.size() && i <= octets.size(); ++i) octets[i - 1] ^= changes[i];
  check_sealed(octets, kContext);
}

void check_state(OctetsView octets) {
  put_state(octets);
  const auto state = kms::read_state(folder());
  if (!state.ok()) return expect_refusal(state.error());
  FUZZ_EXPECT(!kms::open_state(*state, vault()).ok());  // this vault never sealed a KMS
}

// What is read is kept, and the kept is read back as the same.
void check_registry(OctetsView octets) {
  auto registry = kms::Registry::parse(octets);
  if (!registry.ok()) return expect_refusal(registry.error());
  kms::Registry again(registry->own());
  for (Write& one : registry->take_changes())
    FUZZ_EXPECT(again.take({one.kind, one.id, std::move(one.value).value()}).ok());
  FUZZ_EXPECT(again.subscribers() == registry->subscribers());
  FUZZ_EXPECT(again.changes_since({}).certificates.size() == registry->changes_since({}).certificates.size());
}

// One record of a store, by its kind's number.
void check_record(OctetsView octets) {
  if (octets.empty()) return;
  const std::string& kind = kms::kKinds[octets[0] % kms::kKinds.size()];
  const OctetsView rest = octets.subspan(1);
  const std::size_t end = std::min(rest.size(), std::size_t{rest.empty() ? 0U : rest[0]} + 1);
  const std::string name(rest.empty() ? std::string_view() : text_of(rest.subspan(1, end - 1)));
  kms::Stored stored;
  const auto taken = stored.take({kind, name, SecretOctets(rest.subspan(end))});
  if (!taken.ok()) expect_refusal(taken.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const OctetsView rest = OctetsView(data, size).subspan(1);
  if (data[0] == 'h') check_header(rest);
  if (data[0] == 'v') check_sealed(rest, kContext);
  if (data[0] == 'v') check_sealed(rest, "gmk/0abcdef2");
  if (data[0] == 'x') check_changed(rest);
  if (data[0] == 's') check_state(rest);
  if (data[0] == 'r') check_registry(rest);
  if (data[0] == 'k') check_record(rest);
  return 0;
}
