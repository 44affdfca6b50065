#pragma once

#include <lzma.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace weir::enrich::testing {

// What tests and benchmarks of user agents read. Each answers nothing where the file is absent.

inline std::optional<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// weir's own overlay, from the source tree.
inline std::optional<std::string> overlay_yaml() {
  return read_text(WEIR_TESTS_DIR "/../data/user-agents/overlay.yaml");
}

// The package's rules: the file that $WEIR_UAP_CORE names, else where the build keeps npm's packages.
inline std::optional<std::string> regexes_yaml() {
  const char* named = std::getenv("WEIR_UAP_CORE");
  return read_text(named != nullptr ? named : WEIR_TESTS_DIR "/../build/packs/node_modules/uap-core/regexes.yaml");
}

// The unpacked text of $WEIR_TEST_DATA/data/ua/<name>, an .xz file.
inline std::optional<std::string> recorded(std::string_view name) {
  const char* directory = std::getenv("WEIR_TEST_DATA");
  if (directory == nullptr) return std::nullopt;
  auto packed = read_text(std::string(directory) + "/data/ua/" + std::string(name));
  if (!packed) return std::nullopt;
  std::string text(1 << 16, '\0');
  for (;;) {
    uint64_t memory = UINT64_MAX;
    size_t in = 0;
    size_t out = 0;
    lzma_ret ret =
        lzma_stream_buffer_decode(&memory, 0, nullptr, reinterpret_cast<const uint8_t*>(packed->data()), &in,
                                  packed->size(), reinterpret_cast<uint8_t*>(text.data()), &out, text.size());
    if (ret == LZMA_OK) {
      text.resize(out);
      return text;
    }
    if (ret != LZMA_BUF_ERROR) return std::nullopt;
    text.resize(text.size() * 4);
  }
}

}  // namespace weir::enrich::testing
