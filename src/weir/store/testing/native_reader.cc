#include "weir/store/testing/native_reader.h"

#include <fmt/format.h>

#include "weir/event/row.h"
#include "weir/store/row_binary.h"

namespace weir::store::testing {

namespace {
using Cursor = RowBinary;  // the same integers and texts

// The values of a column; they stand in the bytes that are read. Kept from column to column for its memory.
struct Repeating {
  std::vector<std::string_view> dictionary;
  std::vector<std::string_view> values;

  void read(Cursor& in, size_t rows);
};

void Repeating::read(Cursor& in, size_t rows) {
  dictionary.clear();
  values.clear();
  if (rows == 0) return;
  auto flags = in.fixed<uint64_t>();
  auto keys = in.fixed<uint64_t>();
  if ((flags & ~uint64_t{0x6ff}) != 0 || (flags & 0x200) == 0 || keys > in.left()) in.fail<int>();
  for (uint64_t i = 0; i < keys && !in.failed(); ++i) dictionary.push_back(in.view());
  if (in.fixed<uint64_t>() != rows) in.fail<int>();
  const size_t width = (flags & 0xff) < 4 ? size_t{1} << (flags & 0xff) : 8;
  const std::string_view indexes = in.bytes(rows <= in.left() ? rows * width : SIZE_MAX);
  if (in.failed()) return;
  // What most columns of most blocks are.
  if (dictionary.size() == 1 && dictionary[0].empty() && indexes.find_first_not_of('\0') == std::string_view::npos)
    return;
  values.reserve(rows);
  for (size_t at = 0; at < indexes.size(); at += width) {
    const char* index_at = indexes.data() + at;
    const uint64_t index = width == 1   ? load_le<uint8_t>(index_at)
                           : width == 2 ? load_le<uint16_t>(index_at)
                           : width == 4 ? load_le<uint32_t>(index_at)
                                        : load_le<uint64_t>(index_at);
    if (index >= dictionary.size()) return in.fail<void>();
    values.push_back(dictionary[index]);
  }
}

using Rows = std::vector<StoredRow>;

template <class T, class Field>
void read_fixed(Cursor& in, Rows& rows, Field StoredRow::*field) {
  for (StoredRow& row : rows) row.*field = static_cast<Field>(in.fixed<T>());
}

void read_prefix(Cursor& in) {
  if (in.fixed<uint64_t>() != 1) in.fail<int>();
}

std::vector<uint64_t> read_ends(Cursor& in, size_t rows) {
  std::vector<uint64_t> ends;
  for (size_t i = 0; i < rows; ++i) {
    ends.push_back(in.fixed<uint64_t>());
    if (i > 0 && ends[i] < ends[i - 1]) in.fail<int>();
  }
  if (ends.back() > in.left()) in.fail<int>();
  return ends;
}

void read_text_properties(Cursor& in, Rows& rows) {
  read_prefix(in);
  read_prefix(in);
  auto ends = read_ends(in, rows.size());
  if (in.failed()) return;
  Repeating keys;
  Repeating values;
  keys.read(in, ends.back());
  values.read(in, ends.back());
  if (in.failed()) return;
  size_t at = 0;
  for (size_t i = 0; i < rows.size(); ++i)
    for (; at < ends[i]; ++at) rows[i].properties.emplace_back(keys.values[at], values.values[at]);
}

void read_number_properties(Cursor& in, Rows& rows) {
  read_prefix(in);
  auto ends = read_ends(in, rows.size());
  if (in.failed()) return;
  Repeating keys;
  keys.read(in, ends.back());
  if (in.failed()) return;
  size_t at = 0;
  for (size_t i = 0; i < rows.size(); ++i)
    for (; at < ends[i]; ++at) rows[i].numbers.emplace_back(keys.values[at], in.text());
  for (StoredRow& row : rows) row.properties.insert(row.properties.end(), row.numbers.begin(), row.numbers.end());
}

// Two halves, each the other way round; nothing where all is zero.
std::string read_uuid(Cursor& in) {
  const auto high = in.fixed<uint64_t>();
  const auto low = in.fixed<uint64_t>();
  if (high == 0 && low == 0) return {};
  std::string text = fmt::format("{:016x}{:016x}", high, low);
  for (size_t at : {20, 16, 12, 8}) text.insert(at, 1, '-');
  return text;
}

void read_column(Cursor& in, Rows& rows, std::string_view name, std::string_view type, Repeating& texts) {
  if (type == "LowCardinality(String)") {
    read_prefix(in);
    texts.read(in, rows.size());
    for (size_t i = 0; i < texts.values.size(); ++i) rows[i].texts.add(name, texts.values[i]);
  } else if (type == "String") {
    for (StoredRow& row : rows) row.texts.add(name, in.view());
  } else if (name == "project_id") {
    read_fixed<uint64_t>(in, rows, &StoredRow::project_id);
  } else if (name == "timestamp") {
    read_fixed<int64_t>(in, rows, &StoredRow::timestamp);
  } else if (name == "received_after_ms") {  // comes after the timestamp
    read_fixed<int64_t>(in, rows, &StoredRow::received_at);
    for (StoredRow& row : rows) row.received_at += row.timestamp;
  } else if (name == "visitor_id") {
    read_fixed<uint64_t>(in, rows, &StoredRow::visitor_id);
  } else if (name == "session_id") {
    read_fixed<uint64_t>(in, rows, &StoredRow::session_id);
  } else if (name == "visit_seq") {
    read_fixed<uint16_t>(in, rows, &StoredRow::visit_seq);
  } else if (name == "visit_bounce") {
    read_fixed<int8_t>(in, rows, &StoredRow::visit_bounce);
  } else if (name == "visit_gap_ms") {
    read_fixed<uint32_t>(in, rows, &StoredRow::visit_gap_ms);
  } else if (name == "_p") {
    read_fixed<uint32_t>(in, rows, &StoredRow::p);
  } else if (name == "_o") {
    read_fixed<uint64_t>(in, rows, &StoredRow::o);
  } else if (name == "revenue_amount") {
    for (StoredRow& row : rows) row.has_revenue = in.fixed<uint8_t>() == 0;
    read_fixed<int64_t>(in, rows, &StoredRow::revenue_micros);
  } else if (name == "client_uuid" && type == "UUID") {  // comes after client_id, which is empty where this is not
    for (StoredRow& row : rows) {
      const std::string value = read_uuid(in);
      if (value.empty()) continue;
      if (!row.text("client_id").empty()) in.fail<int>();
      row.texts.add("client_id", value);
    }
  } else if (name == "text_properties") {
    read_text_properties(in, rows);
  } else if (name == "number_properties") {
    read_number_properties(in, rows);
  } else {
    in.fail<int>();
  }
}

uint64_t hash_of(const StoredRow& stored) {
  event::Row row;
  event::parse_time_rule(stored.text("time_rule"), row.time_rule);
  row.o = stored.o;
  row.id = stored.text("client_id");
  event::parse_kind(stored.text("kind"), row.kind);
  row.name = stored.text("name");
  row.hostname = stored.text("hostname");
  row.path = stored.text("path");
  row.title = stored.text("title");
  row.referrer = stored.text("referrer");
  row.utm_source = stored.text("utm_source");
  row.utm_medium = stored.text("utm_medium");
  row.utm_campaign = stored.text("utm_campaign");
  row.utm_term = stored.text("utm_term");
  row.utm_content = stored.text("utm_content");
  for (const auto& [key, value] : stored.properties) row.properties.emplace_back(key, value);
  for (const auto& [key, value] : stored.numbers) row.numbers.emplace_back(key, 0);
  return event::event_hash(row);
}
}  // namespace

std::string_view Texts::of(std::string_view column) const {
  for (const auto& [name, text] : texts_)
    if (name.size() == column.size() && name[0] == column[0] && name == column) return text;
  return {};
}

void Texts::add(std::string_view column, std::string_view text) {
  constexpr size_t kUsual = 16;
  if (text.empty()) return;
  if (texts_.empty()) texts_.reserve(kUsual);
  texts_.emplace_back(column, text);
}

void Texts::set(std::string_view column, std::string_view text) {
  std::erase_if(texts_, [&](const auto& entry) { return entry.first == column; });
  add(column, text);
}

std::string_view StoredRow::text(std::string_view column) const { return texts.of(column); }

std::string_view StoredRow::property(std::string_view key) const {
  for (const auto& [name, value] : properties)
    if (name == key) return value;
  return {};
}

Result<Rows> read_native(std::string_view bytes) {
  Rows rows;
  Cursor in(bytes);
  uint64_t columns = in.varint();
  uint64_t count = in.varint();
  if (count > bytes.size()) return Error{ErrorCode::kCorrupt, "store: native block: more rows than bytes"};
  rows.resize(count);
  Repeating texts;
  for (uint64_t i = 0; i < columns && !in.failed(); ++i) {
    const std::string_view name = in.view();
    const std::string_view type = in.view();
    if (count > 0) read_column(in, rows, name, type, texts);
    if (in.failed()) return Error{ErrorCode::kCorrupt, "store: native block: column " + std::string(name)};
  }
  if (in.failed() || !in.at_end()) return Error{ErrorCode::kCorrupt, "store: native block: wrong length"};
  for (StoredRow& row : rows) row.hash = hash_of(row);
  return rows;
}

Result<Rows> rows_of(const Block& block) {
  std::string bytes;
  block.append_native(bytes);
  return read_native(bytes);
}

}  // namespace weir::store::testing
