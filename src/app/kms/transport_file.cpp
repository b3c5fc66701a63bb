// SPDX-License-Identifier: Apache-2.0
#include "app/kms/transport_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "crypto/secret_file.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kClause = "docs/formats.md, transport key file";
constexpr std::string_view kMake = "regroup kms add-identity URI --transport-keys-out FILE writes it";
constexpr std::size_t kMostFile = 8192;
constexpr std::size_t kMostName = 512;

// A flat JSON object of texts without escapes.
class Members {
 public:
  explicit Members(std::string_view text) : rest_(text) {}

  struct Member {
    std::string_view name, value;
  };
  // The next one; nullopt at the end of the object. A complaint is the reason why not.
  Result<std::optional<Member>> next() {
    if (!begun_) {
      begun_ = true;
      if (!take('{')) return broken("does not begin with {");
      if (take('}')) return end();
    } else if (take('}')) {
      return end();
    } else if (!take(',')) {
      return broken("has something else than , or } after a member");
    }
    Member out;
    out.name = TRY(text());
    if (!take(':')) return broken("has no : after " + printable(out.name, 40));
    out.value = TRY(text());
    return std::optional<Member>(out);
  }

 private:
  static Error broken(std::string what) {
    return fail(Errc::usage, kClause, std::move(what), std::string(kMake));
  }

  void skip_space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool take(char expected) {
    skip_space();
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Result<std::string_view> text() {
    if (!take('"')) return broken("has something else than a text in quotes");
    const auto end = std::find_if(rest_.begin(), rest_.end(),
                                  [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < 0x20); });
    if (end == rest_.end() || *end != '"') return broken("has a text that does not end, or an escape");
    const std::string_view out = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(out.size() + 1);
    return out;
  }
  Result<std::optional<Member>> end() {
    skip_space();
    if (!rest_.empty()) return broken("goes on after the object");
    return std::optional<Member>();
  }

  std::string_view rest_;
  bool begun_ = false;
};

Error refuse(const std::string& name, const std::string& what) {
  return fail(Errc::usage, kClause, "transport key file " + printable(name) + ": " + what,
              "give the file as it was written: " + std::string(kMake));
}

Result<void> take_key(const std::string& file, const Members::Member& member, Secret<32>& out) {
  const auto octets = secret_from_hex(member.value);
  if (!octets.ok() || octets->size() != Secret<32>::size)
    return refuse(file, std::string(member.name) + " is not 64 hex digits");
  std::copy(octets->expose().begin(), octets->expose().end(), out.expose_mutable().begin());
  return {};
}

Result<void> take_name(const std::string& file, const Members::Member& member, std::string& out) {
  const bool plain =
      std::all_of(member.value.begin(), member.value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (member.value.empty() || member.value.size() > kMostName || !plain)
    return refuse(file, std::string(member.name) + " is not 1 to " + std::to_string(kMostName) +
                            " printable characters without a space");
  out = member.value;
  return {};
}

}  // namespace

Result<kms::TransportKeys> transport_keys_in(OctetsView text, const std::string& name) {
  constexpr std::string_view kNames[] = {"trk_id", "trk", "ink_id", "ink"};
  Members members(text_of(text));
  kms::TransportKeys out;
  bool seen[4] = {};
  for (;;) {
    const auto member = members.next();
    if (!member.ok()) return refuse(name, member.error().detail);
    if (!*member) break;
    const auto at = std::find(std::begin(kNames), std::end(kNames), (*member)->name);
    if (at == std::end(kNames)) return refuse(name, printable((*member)->name, 40) + " is not known");
    bool& was_seen = seen[at - std::begin(kNames)];
    if (was_seen) return refuse(name, std::string(*at) + " stands twice");
    was_seen = true;
    if (*at == "trk_id") TRY(take_name(name, **member, out.trk_id));
    if (*at == "ink_id") TRY(take_name(name, **member, out.ink_id));
    if (*at == "trk") TRY(take_key(name, **member, out.trk));
    if (*at == "ink") TRY(take_key(name, **member, out.ink));
  }
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (!seen[i] && (i < 2 || seen[2] != seen[3]))
      return refuse(name, std::string(kNames[i]) + " is missing");
  if (seen[3] && (ct_equal(out.trk.expose(), out.ink.expose()) || out.trk_id == out.ink_id))
    return refuse(name, "trk and ink are one key, or have one name");
  return out;
}

Result<kms::TransportKeys> read_transport_key_file(const std::string& path) {
  const SecretOctets text =
      TRY(crypto::read_secret_file(path, "transport key file", kMostFile, std::string(kMake)));
  return transport_keys_in(text.expose(), path);
}

Result<void> write_transport_key_file(const std::string& path, const kms::TransportKeys& keys) {
  SecretOctets text;
  const auto add = [&](std::string_view piece) { text.append(view(piece)); };
  const auto add_key = [&](const Secret<32>& key) {
    std::string digits = hex(key.expose());
    add(digits);
    wipe(digits.data(), digits.size());
  };
  add("{\"trk_id\":\"" + keys.trk_id + "\",\"trk\":\"");
  add_key(keys.trk);
  if (!keys.ink_id.empty()) {
    add("\",\"ink_id\":\"" + keys.ink_id + "\",\"ink\":\"");
    add_key(keys.ink);
  }
  add("\"}\n");
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST)
    return fail(
        Errc::conflict, kClause, printable(path) + " exists; a transport key file is written once",
        "name a file that is not there yet; if an interrupted command left this one, and kms list shows "
        "no policy for its identity, remove it and repeat the command");
  const bool written = fd >= 0 &&
                       ::write(fd, text.expose().data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const int fault = errno;
  if (fd >= 0) ::close(fd);
  if (written) return {};
  if (fd >= 0) ::unlink(path.c_str());
  return fail(Errc::usage, kClause,
              "transport key file " + printable(path) + " cannot be written: " + std::strerror(fault),
              "check the name and the rights of its directory");
}

}  // namespace regroup::app
