// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_verb.hpp"

#include <cctype>
#include <cstring>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/kms.hpp"
#include "app/kms/audit.hpp"
#include "app/kms/documents.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::app::cli {
namespace {

// A document that cannot be taken is refused, as a conflicting one is.
bool is_refused_document(Errc code) {
  return code == Errc::malformed || code == Errc::unsupported || code == Errc::limit;
}

// A path may have any octets.
std::string text_of_json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

int refuse_kms_verb(const char* verb, const Error& error, bool json, std::ostream& out, std::ostream& err) {
  err << "regroup kms " << verb << ": " << error.text() << std::endl;
  if (json) {
    nlohmann::json object = error_json(error);
    object.erase("mikey_error");  // no key message is at stake
    out << text_of_json({{"error", std::move(object)}}) << std::endl;
  }
  return exit_of_role(error);
}

int finish_kms_verb(const char* command, const Result<Said>& said, bool json, std::ostream& out,
                    std::ostream& err) {
  if (!said.ok()) {
    const int code = refuse_kms_verb(command, said.error(), json, out, err);
    return is_refused_document(said.error().code) ? 3 : code;
  }
  if (!said->warning.empty()) err << "regroup kms " << command << ": warning: " << said->warning << std::endl;
  if (json || !said->text.empty()) out << (json ? text_of_json(said->json) : said->text) << "\n";
  return said->exit_code;
}

Result<void> need(const std::string& value, std::string_view option) {
  if (!value.empty()) return {};
  return fail(Errc::usage, "docs/operations.md, kms", std::string(option) + " is missing",
              "regroup kms --help names the options of each verb");
}

std::string fingerprint_of(const kms::CertificateRecord& own) {
  return hex(crypto::sha256(view(kmsxml::write(document_of(own, kmsxml::Role::root)))));
}

std::string file_name_of(const std::string& identity) {
  std::string name = identity;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::strchr("@.-+", c) == nullptr) c = '_';
  return name;
}

Result<void> administer(const std::string& directory, OpenedKms& opened, std::string_view act,
                        nlohmann::json record) {
  const Writes changes = opened.kms.take_changes();
  if (changes.empty()) return {};
  TRY(audit_command(directory, act, std::move(record)));
  auto stored = opened.store.commit(changes);
  if (!stored.ok()) TRY(audit_command(directory, "failed", {{"act", act}}));
  return stored;
}

}  // namespace regroup::app::cli
