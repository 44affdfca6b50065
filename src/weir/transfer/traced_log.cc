#include "weir/transfer/traced_log.h"

#include <utility>
#include <vector>

#include "weir/base/random.h"
#include "weir/transfer/log_parser.h"

namespace weir::transfer {

TracedLog::TracedLog(LogSource& source, size_t chunk_bytes, ChunkCutter::AtEnd at_end)
    : cutter_(source, chunk_bytes, at_end), window_(random_u64()) {}

Result<TracedChunk> TracedLog::next() {
  auto chunk = cutter_.next();
  if (!chunk) return std::move(chunk).error();
  TracedChunk traced;
  traced.chunk = *std::move(chunk);
  if (traced.chunk.count == 0) return traced;
  traced.fields = fields_;
  std::vector<Repeat> repeats;
  std::string_view lines = traced.chunk.lines;
  window_.begin_chunk();
  for (uint32_t index = 0; !lines.empty(); ++index) {
    size_t newline = lines.find('\n');
    std::string_view text = lines.substr(0, newline);
    lines = newline == std::string_view::npos ? std::string_view() : lines.substr(newline + 1);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (uint32_t before = window_.add(text); before > 0) repeats.push_back({index, before});
    if (auto fields = LogParser::fields_of(text)) fields_.assign(*fields);
  }
  traced.repeats = write_repeats(repeats);
  return traced;
}

}  // namespace weir::transfer
