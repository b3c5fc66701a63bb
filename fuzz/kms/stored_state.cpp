// SPDX-License-Identifier: Apache-2.0
// What a KMS, and every vault, reads back from disk; the first octet picks:
//   h  a vault header             v  a sealed value as it lies in a store
//   x  changes to a sealed value  s  the state file of a KMS       r  a registry, unsealed
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
Octets get_state() {
  const int fd = ::open((folder() + "/state").c_str(), O_RDONLY | O_CLOEXEC);
  FUZZ_EXPECT(fd >= 0);
  Octets out(std::filesystem::file_size(folder() + "/state"));
  FUZZ_EXPECT(::read(fd, out.data(), out.size()) == static_cast<ssize_t>(out.size()));
  ::close(fd);
  return out;
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
  FUZZ_EXPECT(!kms::Kms::open(*state, vault()).ok());  // this vault never sealed a KMS
  {
    const auto lock = kms::DirectoryLock::take(folder());
    FUZZ_EXPECT(lock.ok() && kms::replace_state(folder(), *state, *lock).ok());
  }
  FUZZ_EXPECT(get_state() == to_octets(octets));
}

void check_registry(OctetsView octets) {
  const auto registry = kms::Registry::parse(octets);
  if (!registry.ok()) return expect_refusal(registry.error());
  const Octets written = registry->write();
  const auto again = kms::Registry::parse(written);
  FUZZ_EXPECT(again.ok() && again->write() == written && again->own() == registry->own());
  FUZZ_EXPECT(again->subscribers() == registry->subscribers() && again->cache_num() == registry->cache_num());
  FUZZ_EXPECT(again->changes_since({}).certificates == registry->changes_since({}).certificates);
  FUZZ_EXPECT(registry->changes_since(registry->cache_num()).cache_num == registry->cache_num());
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
  return 0;
}
