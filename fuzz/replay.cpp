// SPDX-License-Identifier: Apache-2.0
// A fuzz target without libFuzzer: runs every file of the directories named, sorted by name, and the empty
// input. A corpus that is missing or empty is a failure.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& place) {
  if (!std::filesystem::is_directory(place)) return {place};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool run(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::cerr << "cannot read " << path << "\n", false;
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::uint8_t> octets(text.begin(), text.end());  // exact size, so that ASan sees the end
  std::cerr << path.filename().string() << "\n";  // the last name printed is the one that broke
  LLVMFuzzerTestOneInput(octets.data(), octets.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto& path : files_of(argv[i])) {
      if (!run(path)) return 1;
      ++count;
    }
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::cout << count << " inputs replayed\n";
  return count > 0 ? 0 : 1;
}
