// SPDX-License-Identifier: Apache-2.0
// Small files that hold a secret: passphrases, access tokens, keys. One that anybody but this user can reach
// is refused with the command that cures it: who can read it can be us.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto {

// The whole file, at most `most` octets; a regular file of this user that nobody else can reach. `what` names
// it in errors ("token file"); `make` is the cure when it cannot be opened. Errc::usage.
[[nodiscard]] Result<SecretOctets> read_secret_file(const std::string& path, std::string_view what,
                                                    std::size_t most, std::string make);
// Its first line without the line end; not empty, at most `most` octets, whatever follows it.
[[nodiscard]] Result<SecretOctets> read_secret_line(const std::string& path, std::string_view what,
                                                    std::size_t most, std::string make);
// The first line of what was read, without its end.
[[nodiscard]] OctetsView first_line(OctetsView octets);

}  // namespace regroup::crypto
