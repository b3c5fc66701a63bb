// SPDX-License-Identifier: Apache-2.0
#include "app/cli/inspect.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "app/cli/message_input.hpp"
#include "base/text.hpp"
#include "vectors.hpp"

namespace regroup::app::cli {
namespace {

Octets worked() {
  const auto all = test::vectors("worked-imessage.json");
  return from_hex(all["messages"]["explicit_cs_and_sp"].get<std::string>()).value();
}
std::string text(const Octets& octets) { return std::string(text_of(octets)); }

struct Ending {
  int code;
  std::string out, err;
};
Ending inspect(const std::string& input, bool json = false) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = run_inspect(InspectOptions{"-", json}, in, out, err);
  return {code, out.str(), err.str()};
}

// Hexadecimal as dumps have it: pairs, 16 on a line.
std::string dump(const Octets& octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i)
    out += hex(OctetsView(octets).subspan(i, 1)) + (i % 16 == 15 ? "\n" : " ");
  return out;
}

TEST(MessageInput, EveryFormOfAMessageGivesItsOctets) {
  const Octets octets = worked();
  std::string unpadded = base64(octets);
  while (unpadded.back() == '=') unpadded.pop_back();
  const std::string whole = base64(octets);
  const std::pair<std::string, InputForm> forms[] = {
      {text(octets), InputForm::binary},
      {hex(octets), InputForm::hexadecimal},
      {hex_upper(octets) + "\n", InputForm::hexadecimal},
      {dump(octets), InputForm::hexadecimal},
      {whole, InputForm::base64},
      {unpadded, InputForm::base64},
      {whole.substr(0, 76) + "\r\n" + whole.substr(76) + "\r\n", InputForm::base64},
      {"mikey " + whole, InputForm::sdp},
      {"a=key-mgmt:mikey " + whole + "\r\n", InputForm::sdp},
      {"a=key-mgmt: mikey " + unpadded, InputForm::sdp},
      {"sip:bob@mcx.example 05553e9d mikey " + whole + "\n", InputForm::seal_line},
  };
  for (const auto& [input, form] : forms) {
    const auto read = detect_message(view(input));
    ASSERT_TRUE(read.ok()) << input.substr(0, 40) << ": " << read.error().text();
    EXPECT_EQ(name_of(read->form), name_of(form)) << input.substr(0, 40);
    EXPECT_EQ(read->octets, octets) << input.substr(0, 40);
  }
}

TEST(MessageInput, WhatIsNoFormOfAMessageIsRefusedWithACure) {
  for (const std::string input :
       {"sip:bob@mcx.example 05553e9 mikey AR==", "mikey ARoF\nmikey ARoF", "", " \n", "abc",
        "a=key-mgmt:other AAAA", "mikey @@@@", "<message/>", "ARoF="}) {
    const auto read = detect_message(view(input));
    ASSERT_FALSE(read.ok()) << input;
    EXPECT_FALSE(read.error().cure.empty()) << input;
  }
  EXPECT_EQ(detect_message(Octets(kLargestInput + 1, 'a')).error().code, Errc::limit);
}

TEST(Inspect, PrintsTheAnnotatedMessage) {
  const Ending run = inspect(base64(worked()));
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_TRUE(run.err.empty());
  for (const char* part :
       {"-- HDR", "-- IDR", "-- SIGN", "CSB ID = 05553e9d (purpose tag 0: GUK-ID)", "[TS 33.180 E.2]",
        "    58  26   7369703a676d7331406d .. 6c652e6f7267", "ID data = 'sip:gms1@mcptt.example.org'"})
    EXPECT_NE(run.out.find(part), std::string::npos) << part << "\n" << run.out;
  std::size_t idrs = 0;
  for (std::size_t at = 0; (at = run.out.find("-- IDR", at)) != std::string::npos; ++at) ++idrs;
  EXPECT_EQ(idrs, 4U);
}

TEST(Inspect, TellsWhereAMessageBreaks) {
  Octets octets = worked();
  octets.resize(300);
  const Ending run = inspect(text(octets));
  EXPECT_EQ(run.code, 3);
  EXPECT_NE(run.out.find("ID scheme = 2"), std::string::npos);
  EXPECT_NE(
      run.out.find("breaks at offset 199: malformed: SAKKE R at offset 199 needs 257 octets, 101 remain"),
      std::string::npos)
      << run.out;
}

TEST(Inspect, GivesTheSameAsJson) {
  const Ending run = inspect(hex(worked()), true);
  EXPECT_EQ(run.code, 0);
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json["form"], "hexadecimal");
  EXPECT_EQ(json["octets"], 715);
  EXPECT_EQ(json["complete"], true);
  EXPECT_TRUE(json["breaks_at"].is_null());
  EXPECT_TRUE(json["error"].is_null());
  const auto& fields = json["fields"];
  const auto csb =
      std::find_if(fields.begin(), fields.end(), [](const auto& f) { return f["field"] == "CSB ID"; });
  ASSERT_NE(csb, fields.end());
  EXPECT_EQ((*csb)["offset"], 4);
  EXPECT_EQ((*csb)["length"], 4);
  EXPECT_EQ((*csb)["octets"], "05553e9d");
  EXPECT_EQ((*csb)["payload"], "HDR");
  EXPECT_EQ((*csb)["clause"], "TS 33.180 E.2");
}

TEST(Inspect, GivesABreakAsJsonWithItsMikeyError) {
  Octets octets = worked();
  octets[26] = 2;
  const Ending run = inspect(text(octets), true);
  EXPECT_EQ(run.code, 3);
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["breaks_at"], 26);
  EXPECT_EQ(json["error"]["code"], "unsupported");
  EXPECT_EQ(json["error"]["mikey_error"], 1);
  EXPECT_EQ(json["fields"].back()["field"], "TS type");
}

TEST(Inspect, KeepsForeignOctetsOutOfTheTerminalAndOfJson) {
  Octets octets = worked();
  octets[60] = 0x1b;
  octets[61] = 0xff;
  EXPECT_EQ(inspect(text(octets)).out.find('\x1b'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(inspect(text(octets), true).out));
}

TEST(Inspect, OfSeveralSealedLinesOneMustBePicked) {
  const std::string line = "sip:bob@mcx.example 05553e9d mikey " + base64(worked()) + "\n";
  EXPECT_EQ(inspect(line).code, 0);
  const Ending run = inspect(line + line);
  EXPECT_EQ(run.code, 3);
  EXPECT_NE(run.err.find("several messages"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("pick one line"), std::string::npos) << run.err;
}

TEST(Inspect, AFileIsReadAndAMissingOneIsAMatterOfUsage) {
  const std::string path = testing::TempDir() + "/regroup_inspect_message.bin";
  std::ofstream(path, std::ios::binary) << text(worked());
  std::istringstream in;
  std::ostringstream out, err;
  EXPECT_EQ(run_inspect(InspectOptions{path, false}, in, out, err), 0) << err.str();
  std::remove(path.c_str());
  EXPECT_EQ(run_inspect(InspectOptions{path, false}, in, out, err), 2);
  EXPECT_NE(err.str().find("cannot read"), std::string::npos);
  EXPECT_EQ(run_inspect(InspectOptions{testing::TempDir(), false}, in, out, err), 2);  // a directory
  EXPECT_EQ(run_inspect(InspectOptions{"", false}, in, out, err), 2);
}

TEST(Inspect, WhatIsNoMessageBreaksAtTheStart) {
  EXPECT_EQ(inspect("").code, 3);
  EXPECT_EQ(inspect("hello world!").code, 3);
  const Ending run = inspect("not base64 *", true);
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(nlohmann::json::parse(run.out)["complete"], false);
}

}  // namespace
}  // namespace regroup::app::cli
