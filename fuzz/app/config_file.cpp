// SPDX-License-Identifier: Apache-2.0
// Configuration files: any text is refused with the file, a line and a key, or gives values within their
// bounds.
#include "app/gms/config.hpp"
#include "app/ue/config.hpp"
#include "refusal.hpp"

using namespace regroup;
using namespace regroup::app;

namespace {

void expect_usage(const Error& error) {
  FUZZ_EXPECT(error.code == Errc::usage || error.code == Errc::malformed || error.code == Errc::limit);
  FUZZ_EXPECT(!error.detail.empty() && error.detail.size() < 16'384);
}

void check_gms(TomlTable& table) {
  const auto config = gms_config(table);
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

void check_ue(TomlTable& table) {
  const auto config = ue_config(table);
  if (!config.ok()) return expect_usage(config.error());
  FUZZ_EXPECT(!config->domain.identity.empty() && !config->domain.kms_uri.empty());
  FUZZ_EXPECT(config->xcap_root.starts_with("https://") && config->xcap_root.ends_with('/'));
  FUZZ_EXPECT(!config->gms_uri.empty() && !config->kms.url.empty() && !config->ring_file.empty());
}

void check_table(const std::string& text) {
  auto table = TomlTable::parse(text, "fuzz.toml");
  if (!table.ok()) return expect_usage(table.error());
  FUZZ_EXPECT(table->integer_or("n", 5, 1, 9).ok() || table->has("n"));
  FUZZ_EXPECT(table->tables("partner", {"gms_uri"}).ok() || table->has("partner"));
  if (const auto all = table->all_texts(); all.ok()) {
    for (const auto& [key, value] : *all) FUZZ_EXPECT(table->has(key) && !value.empty());
  }
  check_gms(*table);
  check_ue(*table);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_table(std::string(text_of(OctetsView(data, size))));
  return 0;
}
