// SPDX-License-Identifier: Apache-2.0
// The names of the group management protocol: namespaces, application usages (AUIDs) and media types
// (TS 24.481 7.2, 7.3, 7.7; RFC 4825; RFC 5874), and how large its documents may be (PR-12).
#pragma once

#include "xml/element.hpp"

namespace regroup::xcap {

namespace ns {
inline constexpr std::string_view kListService = "urn:oma:xml:poc:list-service";
inline constexpr std::string_view kResourceLists = "urn:ietf:params:xml:ns:resource-lists";
inline constexpr std::string_view kCommonPolicy = "urn:ietf:params:xml:ns:common-policy";
inline constexpr std::string_view kOmaExtensions = "urn:oma:xml:xdm:extensions";
inline constexpr std::string_view kGroupInfo = "urn:3gpp:ns:mcpttGroupInfo:1.0";  // usual prefix mcpttgi
inline constexpr std::string_view kGktp = "urn:3gpp:ns:mcpttGKTP:1.0";            // usual prefix mgktp
inline constexpr std::string_view kGmop = "urn:3gpp:ns:mcpttGMOP:1.0";
inline constexpr std::string_view kMcpttInfo = "urn:3gpp:ns:mcpttInfo:1.0";
inline constexpr std::string_view kXcapDiff = "urn:ietf:params:xml:ns:xcap-diff";
inline constexpr std::string_view kXcapError = "urn:ietf:params:xml:ns:xcap-error";
inline constexpr std::string_view kXcapCaps = "urn:ietf:params:xml:ns:xcap-caps";
inline constexpr std::string_view kKeyReceipt = "urn:regroup:key-receipt:1";
inline constexpr std::string_view kKeyPlan = "urn:regroup:group:1";  // usual prefix rg
}  // namespace ns

namespace auid {
inline constexpr std::string_view kGroups = "org.openmobilealliance.groups";
inline constexpr std::string_view kGktp = "org.3gpp.MCPTT-GKTP";
inline constexpr std::string_view kXcapCaps = "xcap-caps";
}  // namespace auid

namespace mime {
inline constexpr std::string_view kGroup = "application/vnd.oma.poc.groups+xml";
inline constexpr std::string_view kGktp = "application/vnd.3gpp.mcptt-gktp+xml";  // PR-14: a default
inline constexpr std::string_view kGmop = "application/vnd.3gpp.GMOP+xml";
inline constexpr std::string_view kMcpttInfo = "application/vnd.3gpp.mcptt-info+xml";
inline constexpr std::string_view kResourceLists = "application/resource-lists+xml";
inline constexpr std::string_view kXcapDiff = "application/xcap-diff+xml";
inline constexpr std::string_view kXcapError = "application/xcap-error+xml";
inline constexpr std::string_view kXcapElement = "application/xcap-el+xml";
inline constexpr std::string_view kXcapAttribute = "application/xcap-att+xml";
inline constexpr std::string_view kXcapNamespaces = "application/xcap-ns+xml";
inline constexpr std::string_view kXcapCaps = "application/xcap-caps+xml";
inline constexpr std::string_view kKeyReceipt = "application/vnd.regroup.key-receipt+xml";
}  // namespace mime

// The service a group must carry to be an MCPTT group (TS 24.481 7.2.8).
inline constexpr std::string_view kMcpttEnabler = "urn:urn-7:3gpp-service.ims.icsi.mcptt";

inline constexpr std::size_t kMostEntries = 10'000;  // members of one group document
// A group document of 10 000 members, each with a handful of elements. Fetched GKTP documents fit as well.
inline constexpr xml::Limits kLargeDocument{std::size_t{4} << 20, 32, 200'000, 64};
// What a stranger may send before it is known: subscriptions (PR-31), receipts.
inline constexpr xml::Limits kSmallDocument{std::size_t{64} << 10, 32, 8'192, 64};

}  // namespace regroup::xcap
