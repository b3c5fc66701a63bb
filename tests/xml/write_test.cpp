// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "xml/element.hpp"

namespace regroup::xml {
namespace {

constexpr Style kBare{.declaration = false};

std::string round(std::string_view document) { return write(parse(document).value(), kBare); }

TEST(XmlWrite, KeepsPrefixesOrderAndWhiteSpaceToTheLetter) {
  for (const char* document : {
           "<a/>",
           "<a xmlns=\"urn:a\" b=\"1\" a=\"2\"><c/> <d>x</d>\n</a>",
           "<p:a xmlns:p=\"urn:a\" xmlns:q=\"urn:q\" q:x=\"1\"><p:b/><q:c "
           "xmlns:p=\"urn:other\"><p:d/></q:c></p:a>",
           "<a xmlns=\"urn:a\"><b xmlns=\"\"><c xmlns=\"urn:c\"/></b></a>",
           "<a xml:lang=\"de\">t<b/>u<c/>v</a>",
           "<a xmlns:unused=\"urn:u\" t=\"unused:QName\"/>",
       })
    EXPECT_EQ(round(document), document);
}

TEST(XmlWrite, EscapesWhatAReaderWouldMisread) {
  Element root("", "a", "<&>\r\n\"");
  root.set_attribute("v", "<&>\"\t\n\r'");
  const std::string written = write(root, kBare);
  EXPECT_EQ(written, "<a v=\"&lt;&amp;&gt;&quot;&#9;&#10;&#13;'\">&lt;&amp;&gt;&#13;\n\"</a>");
  EXPECT_EQ(parse(written).value(), root);
}

TEST(XmlWrite, ReplacesWhatXmlCannotCarry) {
  EXPECT_EQ(write(Element("", "a", std::string_view("x\0y\x80z", 5)), kBare),
            "<a>x\xEF\xBF\xBDy\xEF\xBF\xBDz</a>");
  EXPECT_FALSE(is_text("\x01"));
  EXPECT_TRUE(is_text("tab\t \xF0\x9F\x98\x80"));
}

TEST(XmlWrite, DeclaresWhatIsNotInScopeAndNothingTwice) {
  Element root("urn:a", "a");
  root.add("b", "1");
  Element other("urn:o", "c");
  other.prefix = "o";
  other.attributes.push_back({"x", "1", "urn:o", "o"});
  root.add(other);
  root.children.back().add("d");
  root.add(Element("", "plain"));
  EXPECT_EQ(
      write(root, kBare),
      "<a xmlns=\"urn:a\"><b>1</b><o:c xmlns:o=\"urn:o\" o:x=\"1\"><o:d/></o:c><plain xmlns=\"\"/></a>");
}

TEST(XmlWrite, NeverLetsAPrefixChangeItsMeaningWithinATag) {
  Element root("urn:1", "a");
  root.prefix = "p";
  Element inner("urn:1", "b");
  inner.prefix = "p";
  inner.attributes.push_back({"x", "1", "urn:2", "p"});
  inner.attributes.push_back({"y", "1", "urn:3", ""});
  root.add(inner);
  const auto again = parse(write(root));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_TRUE(equivalent(*again, root)) << write(root);
  EXPECT_FALSE(again->children[0].attributes[1].prefix.empty());
}

TEST(XmlWrite, IndentsElementsButNeverText) {
  const Element root = parse("<a><b><c>x</c><d/></b><e>t<f/></e></a>").value();
  EXPECT_EQ(write(root, {.declaration = true, .indent = true}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b>\n    <c>x</c>\n    <d/>\n  </b>\n  "
            "<e>t<f/></e>\n</a>\n");
  EXPECT_TRUE(equivalent(parse(write(root, {.declaration = true, .indent = true})).value(), root));
}

TEST(XmlEquivalent, LooksAtMeaningOnly) {
  const auto same = [](const char* a, const char* b) {
    return equivalent(parse(a).value(), parse(b).value());
  };
  EXPECT_TRUE(
      same("<a xmlns='urn:a' x='1' y='2'> <b/> </a>", "<p:a xmlns:p='urn:a' y='2' x='1'><p:b/></p:a>"));
  EXPECT_FALSE(same("<a x='1'/>", "<a x='2'/>"));
  EXPECT_FALSE(same("<a x='1'/>", "<a/>"));
  EXPECT_FALSE(same("<a/>", "<a xmlns='urn:a'/>"));
  EXPECT_FALSE(same("<a>1</a>", "<a>1 </a>"));
  EXPECT_FALSE(same("<a><b/><c/></a>", "<a><c/><b/></a>"));
  EXPECT_FALSE(same("<a><b/></a>", "<a><b/><b/></a>"));
  EXPECT_FALSE(same("<a><b/>t</a>", "<a><b/></a>"));
}

TEST(XmlElement, AttributesAreSetReplacedAndRemoved) {
  Element root("", "a");
  root.set_attribute("x", "1");
  root.set_attribute("x", "2");
  EXPECT_EQ(root.attributes.size(), 1u);
  EXPECT_EQ(*root.attribute("x"), "2");
  EXPECT_TRUE(root.remove_attribute("x"));
  EXPECT_FALSE(root.remove_attribute("x"));
}

TEST(XmlWipe, EmptiesTextTailsAndValuesOfTheWholeTree) {
  Element root = parse(
                     "<a k='0123456789abcdef0123'>key material of some length<b>deep key material, too long "
                     "for SSO</b>tail</a>")
                     .value();
  const char* deep =
      root.children[0].text.data();  // the buffer stays with the string, so it may be read after the wipe
  { const WipedAtExit guard(root); }
  EXPECT_EQ(std::string_view(deep, 4), std::string_view("\0\0\0\0", 4));
  EXPECT_EQ(root.text + root.children[0].text + root.children[0].tail + root.attributes[0].value, "");
}

TEST(XmlNames, AreCheckedForWhatWeMake) {
  for (const char* good : {"a", "_a", "A-b.c9"}) EXPECT_TRUE(is_name(good)) << good;
  for (const char* bad : {"", "9a", "-a", "a:b", "a b", "a>", "\xC3\xA4"}) EXPECT_FALSE(is_name(bad)) << bad;
}

}  // namespace
}  // namespace regroup::xml
