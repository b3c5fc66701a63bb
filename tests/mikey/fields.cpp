// SPDX-License-Identifier: Apache-2.0
// Writes, for each message of the vector files, NAME.bin (the message with its map left out, which tshark
// cannot skip: #CS 0, map type 1) and NAME.expected (the fields as `tshark -T fields` prints them) into a
// directory.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "mikey/messages.hpp"

namespace {

using namespace regroup;

Octets without_map(const Octets& octets, const mikey::Message& message) {
  const std::size_t map = mikey::write(message.hdr).size() - 10;
  Octets out(octets.begin(), octets.begin() + 8);
  out.insert(out.end(), {0, 1});
  out.insert(out.end(), octets.begin() + 10 + static_cast<std::ptrdiff_t>(map), octets.end());
  return out;
}

template <class List, class Value>
std::string joined(const List& list, Value value) {
  std::string out;
  for (const auto& element : list) out += (out.empty() ? "" : ",") + value(element);
  return out;
}

std::string expected(const mikey::Message& m) {
  const std::array<const mikey::Idr*, 4> idrs{&m.initiator, &m.responder, &m.initiator_kms, &m.responder_kms};
  const auto number = [](auto value) { return std::to_string(static_cast<unsigned>(value)); };
  const std::string tab = "\t";
  return number(m.hdr.data_type) + tab + "0x" + hex(be32(m.hdr.csb_id)) + tab + hex(m.rand.value) + tab +
         joined(idrs, [&](auto* idr) { return number(idr->role); }) + tab +
         joined(idrs, [&](auto* idr) { return number(idr->data.size()); }) + tab + number(m.sakke.params) +
         tab + number(m.sakke.id_scheme) + tab + number(m.sakke.encapsulated().size()) + tab +
         joined(m.extensions, [&](auto& e) { return number(e.type); }) + tab +
         joined(m.extensions, [&](auto& e) { return number(e.data.size()); }) + tab + number(m.sign.type) +
         tab + number(m.sign.length) + tab;  // and no malformed flag
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: mikey_fields DIRECTORY\n", 2;
  int number = 0;
  for (const auto& [name, octets] : test::good_messages()) {
    const auto message = mikey::parse(octets);
    if (!message) return std::cerr << name << ": " << message.error().text() << "\n", 1;
    const std::string base = std::string(argv[1]) + "/" + std::to_string(number++);
    const Octets bare = without_map(octets, *message);
    std::ofstream(base + ".bin", std::ios::binary)
        .write(reinterpret_cast<const char*>(bare.data()), static_cast<std::streamsize>(bare.size()));
    std::ofstream(base + ".expected") << expected(*message) << "\n";
  }
  return 0;
}
