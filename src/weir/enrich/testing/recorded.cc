#include "weir/enrich/testing/recorded.h"

#include <lzma.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "weir/base/check.h"
#include "weir/enrich/packs.h"

namespace weir::enrich::testing {

std::string recorded(const std::string& name) {
  const char* root = std::getenv("WEIR_TEST_DATA");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (root == nullptr) return "";
  std::string path = std::string(root) + "/data/" + name;
  return std::filesystem::exists(path) ? path : "";
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string unpacked(const std::string& path) {
  std::string packed = content(path);
  lzma_stream stream = LZMA_STREAM_INIT;
  WEIR_CHECK(lzma_stream_decoder(&stream, UINT64_MAX, 0) == LZMA_OK);
  stream.next_in = reinterpret_cast<const uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  std::string text;
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK) {
    char piece[1 << 16];
    stream.next_out = reinterpret_cast<uint8_t*>(piece);
    stream.avail_out = sizeof piece;
    state = lzma_code(&stream, LZMA_FINISH);
    text.append(piece, sizeof piece - stream.avail_out);
  }
  lzma_end(&stream);
  WEIR_CHECK(state == LZMA_STREAM_END);
  return text;
}

std::vector<std::string> listed_in_yaml(const std::string& path) {
  std::vector<std::string> texts;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("  - ")) continue;
    std::string text = line.substr(4);
    if (text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
      text = text.substr(1, text.size() - 2);
    texts.push_back(std::move(text));
  }
  return texts;
}

const std::string& suffix_list() {
  static const std::string list = content(find_shipped_packs("") + "/public_suffix_list.dat");
  return list;
}

}  // namespace weir::enrich::testing
