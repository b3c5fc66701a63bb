// SPDX-License-Identifier: Apache-2.0
// Private to this room: KmsRequest and KmsResponse as elements, read and made without the question who
// vouches for them. A document of its own or the inside of a signed one: `scope` says what is declared around
// it.
#pragma once

#include "kmsxml/documents.hpp"
#include "xml/element.hpp"

namespace regroup::kmsxml {

[[nodiscard]] Result<KmsRequest> read_request(const xml::Scope& scope, const xml::Element& element,
                                              const Profile& profile);
[[nodiscard]] Result<KmsResponse> read_response(const xml::Scope& scope, const xml::Element& element,
                                                const Profile& profile);
// Errc::unsupported for a namespace that is none of the profile's.
[[nodiscard]] Result<void> expect_namespace(const xml::Element& root, const Profile& profile,
                                            std::string_view clause);

// The element of a message, without declarations of its own.
[[nodiscard]] xml::Element element_of(const KmsRequest& request);
[[nodiscard]] xml::Element element_of(const KmsResponse& response);  // holds keys: to be wiped
// Declares on a root element the namespaces that messages use.
void declare_namespaces(xml::Element& root, bool typed);

}  // namespace regroup::kmsxml
