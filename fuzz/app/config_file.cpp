// SPDX-License-Identifier: Apache-2.0
// Configuration files: any text is refused with the file, a line and a key, or gives values within their
// bounds.
#include <sys/mman.h>
#include <unistd.h>

#include "app/gms/config.hpp"
#include "app/ue/config.hpp"
#include "refusal.hpp"

using namespace regroup;
using namespace regroup::app;

namespace {

// A file that lives in memory, with a name to open it by.
class File {
 public:
  explicit File(OctetsView content) : fd_(::memfd_create("config", MFD_CLOEXEC)) {
    FUZZ_EXPECT(fd_ >= 0);
    FUZZ_EXPECT(::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }
  [[nodiscard]] std::string name() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void expect_usage(const Error& error) {
  FUZZ_EXPECT(error.code == Errc::usage || error.code == Errc::malformed || error.code == Errc::limit);
  FUZZ_EXPECT(!error.detail.empty() && error.detail.size() < 16'384);
}

void check_table(const std::string& text) {
  auto table = TomlTable::parse(text, "fuzz.toml");
  if (!table.ok()) return expect_usage(table.error());
  FUZZ_EXPECT(table->integer_or("n", 5, 1, 9).ok() || table->has("n"));
  FUZZ_EXPECT(table->tables("partner").ok() || table->has("partner"));
  if (const auto all = table->all_texts(); all.ok()) {
    FUZZ_EXPECT(table->finish().ok());  // every key was read
    for (const auto& [key, value] : *all) FUZZ_EXPECT(table->has(key) && !value.empty());
  }
}

void check_gms(const std::string& name) {
  const auto config = read_gms_config(name);
  if (!config.ok()) return expect_usage(config.error());
  FUZZ_EXPECT(config->xcap_root.starts_with("https://") && config->xcap_root.ends_with('/'));
  FUZZ_EXPECT(!config->domain.gms_uri.empty() && !config->domain.domains.empty() &&
              !config->listen_sip.empty());
  const gms::Settings& s = config->domain;
  FUZZ_EXPECT(s.max_members >= 1 && s.max_members <= 100'000 && s.t_ask >= 1 && s.t_ask <= 300);
  FUZZ_EXPECT(s.c12_wait >= 0 && s.c12_wait <= 60 && s.partners.size() == config->partners.size());
  FUZZ_EXPECT(config->listen_trusted.empty() || !config->trusted_ca_file.empty());
  for (const auto& [who, kms] : config->kms_of) FUZZ_EXPECT(!kms.empty());
}

void check_ue(const std::string& name) {
  const auto config = read_ue_config(name);
  if (!config.ok()) return expect_usage(config.error());
  FUZZ_EXPECT(!config->domain.identity.empty() && !config->domain.kms_uri.empty());
  FUZZ_EXPECT(config->xcap_root.starts_with("https://") && config->xcap_root.ends_with('/'));
  FUZZ_EXPECT(!config->gms_uri.empty() && !config->kms.url.empty() && !config->ring_file.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const OctetsView text(data, size);
  check_table(std::string(text_of(text)));
  const File file(text);
  check_gms(file.name());
  check_ue(file.name());
  return 0;
}
