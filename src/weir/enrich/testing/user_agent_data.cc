#include "weir/enrich/testing/user_agent_data.h"

#include <lzma.h>

#include <fstream>
#include <iterator>

namespace weir::enrich::testing {

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

std::optional<std::string> recorded_text(std::string_view name) {
  const char* directory = std::getenv("WEIR_TEST_DATA");
  if (directory == nullptr) return std::nullopt;
  auto packed = read_text(std::string(directory) + "/data/ua/" + std::string(name));
  if (!packed) return std::nullopt;
  std::string text(1 << 20, '\0');
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
