// SPDX-License-Identifier: Apache-2.0
#include "xml/canonical.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace regroup::xml {
namespace {

using testing::HasSubstr;

std::string canonical(const std::string& document, const Path& apex, Canonical form = Canonical::inclusive,
                      const Path* without = nullptr) {
  const auto parsed = Document::parse(view(document));
  if (!parsed.ok()) return parsed.error().text();
  const auto made = parsed->canonical(apex, form, without);
  return made.ok() ? std::string(text_of(made->expose())) : made.error().text();
}

TEST(CanonicalXml, OrdersAttributesExpandsEmptyElementsAndDropsTheDeclaration) {
  // After Canonical XML 1.0, 3.3.
  EXPECT_EQ(
      canonical("<?xml version=\"1.0\"?>\n<a c=\"2\"   b='1' ><e1   /><e2 z=\"&#9;&amp;\">x &#62; &lt;\r\n"
                "<![CDATA[<&]]></e2 ></a>\n",
                {}),
      "<a b=\"1\" c=\"2\"><e1></e1><e2 z=\"&#x9;&amp;\">x &gt; &lt;\n&lt;&amp;</e2></a>");
}

TEST(CanonicalXml, OfAPartCarriesTheNamespacesOfItsAncestorsUnlessExclusive) {
  const std::string document = "<r xmlns=\"urn:r\" xmlns:x=\"urn:x\"><a><b Id=\"1\"/></a><c/></r>";
  EXPECT_EQ(canonical(document, {0, 0}), "<b xmlns=\"urn:r\" xmlns:x=\"urn:x\" Id=\"1\"></b>");
  EXPECT_EQ(canonical(document, {0, 0}, Canonical::exclusive), "<b xmlns=\"urn:r\" Id=\"1\"></b>");
  EXPECT_EQ(canonical(document, {1}), "<c xmlns=\"urn:r\" xmlns:x=\"urn:x\"></c>");
}

TEST(CanonicalXml, KeepsCommentsOnlyWhereAskedAndInstructionsAlways) {
  const std::string document = "<r>a<!--c-->b<?p i?></r>";
  EXPECT_EQ(canonical(document, {}), "<r>ab<?p i?></r>");
  EXPECT_EQ(canonical(document, {}, Canonical::inclusive_with_comments), "<r>a<!--c-->b<?p i?></r>");
}

TEST(CanonicalXml, LeavesOneElementOut) {
  const Path second{1};
  EXPECT_EQ(canonical("<r xmlns=\"urn:r\"><a/><s xmlns:y=\"urn:y\"><t/></s> </r>", {}, Canonical::inclusive,
                      &second),
            "<r xmlns=\"urn:r\"><a></a> </r>");
}

TEST(CanonicalXml, NamesItsElementsAsTheyAreRead) {
  const auto parsed = Document::parse(view("<r><!--x--><a/>t<?p?><b><c k=\"v\"/></b></r>"));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->root().children[1].children[0].name, "c");
  EXPECT_EQ(text_of(parsed->canonical({1, 0}, Canonical::inclusive)->expose()), "<c k=\"v\"></c>");
  EXPECT_EQ(parsed->canonical({2}, Canonical::inclusive).error().code, Errc::internal);
}

TEST(CanonicalXml, RefusesNamespacesThatHaveNoCanonicalFormHere) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(canonical("<r xmlns=\"TOBEDEFINED\"/>", {}), HasSubstr("relative namespace"));
  EXPECT_THAT(canonical("<r xmlns=\"urn:a&amp;b\"/>", {}), HasSubstr("hold no"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CanonicalXml, RefusesMoreDeclarationsInScopeThanAMessageNeeds) {
  // Nested, so that each element stays below the limit of attributes.
  const auto nested = [](std::size_t count) {
    std::string open, close;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      if (i % 4 == 0) open += std::string(i == 0 ? "" : ">") + "<a", close += "</a>";
      open += " xmlns:p" + number + "=\"urn:" + number + "\"";
    }
    return open + ">" + close;
  };
  EXPECT_TRUE(Document::parse(view(nested(kMaxNamespacesInScope))).ok());
  const auto refused = Document::parse(view(nested(kMaxNamespacesInScope + 1)));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::limit);
}

}  // namespace
}  // namespace regroup::xml
