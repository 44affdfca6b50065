#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/base/bytes.h"
#include "weir/store/dictionary.h"
#include "weir/store/store.h"

namespace weir::store {

namespace {
using event::Row;
using Text = std::string_view Row::*;

// Texts that repeat: LowCardinality(String). The names are those of the table (schema.cc).
struct TextColumn {
  std::string_view name;
  Text field;
};
constexpr TextColumn kRepeating[] = {
    {"name", &Row::name},
    {"hostname", &Row::hostname},
    {"path", &Row::path},
    {"title", &Row::title},
    {"referrer", &Row::referrer},
    {"source", &Row::source},
    {"medium", &Row::medium},
    {"channel", &Row::channel},
    {"country", &Row::country},
    {"region", &Row::region},
    {"city", &Row::city},
    {"browser", &Row::browser},
    {"browser_version", &Row::browser_version},
    {"os", &Row::os},
    {"os_version", &Row::os_version},
    {"device", &Row::device},
    {"screen", &Row::screen},
    {"locale", &Row::locale},
    {"app_version", &Row::app_version},
};
// The visit's texts, likewise.
using event::VisitColumns;
struct VisitColumn {
  std::string_view name;
  std::string_view VisitColumns::*field;
};
constexpr VisitColumn kOfVisit[] = {
    {"entry_path", &VisitColumns::entry_path},   {"previous_path", &VisitColumns::previous_path},
    {"visit_source", &VisitColumns::source},     {"visit_channel", &VisitColumns::channel},
    {"visit_campaign", &VisitColumns::campaign},
};
// Texts that are mostly different, or absent: String. A LowCardinality column costs a merge 0.1 us a row whatever is in
// it, and ClickHouse keeps a String that is mostly empty as the few places where it is not.
constexpr TextColumn kPlain[] = {
    {"user_id", &Row::user_id},
    {"anonymous_id", &Row::anonymous_id},
    {"client_session_id", &Row::client_session_id},
    {"click_id", &Row::click_id},
    {"utm_source", &Row::utm_source},
    {"utm_medium", &Row::utm_medium},
    {"utm_campaign", &Row::utm_campaign},
    {"utm_term", &Row::utm_term},
    {"utm_content", &Row::utm_content},
    {"revenue_currency", &Row::revenue_currency},
    {"traffic_reason", &Row::traffic_reason},
    {"sdk", &Row::sdk},
    {"ip", &Row::ip},
};
// Names of enumerations; repeating texts as well, so that a later version can add a name without altering the table.
constexpr std::string_view kEnumerations[] = {"time_rule", "kind", "traffic"};

constexpr std::string_view kTextType = "LowCardinality(String)";

// A UUID as ClickHouse keeps it: its first half and its second, each as a number.
struct Uuid {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Uuid&) const = default;
};

// Of a text that is a UUID in the form that ClickHouse writes: in lower case, and not zero. Else zero.
Uuid uuid_of(std::string_view text) {
  constexpr size_t kDigitsBefore[] = {8, 4, 4, 4, 12};  // a dash each
  if (text.size() != 36) return {};
  uint64_t halves[2] = {0, 0};
  size_t at = 0;
  size_t digits = 0;
  for (size_t group : kDigitsBefore) {
    if (at > 0 && text[at++] != '-') return {};
    for (; group > 0; --group, ++digits) {
      const char c = text[at++];
      const bool decimal = c >= '0' && c <= '9';
      if (!decimal && !(c >= 'a' && c <= 'f')) return {};
      halves[digits / 16] = halves[digits / 16] << 4 | static_cast<uint64_t>(decimal ? c - '0' : c - 'a' + 10);
    }
  }
  return {halves[0], halves[1]};
}

// A LowCardinality column: a dictionary of this block and an index a value.
struct Repeating {
  Dictionary dictionary;
  std::vector<uint32_t> indexes;

  void add(std::string_view text) { indexes.push_back(dictionary.index_of(text)); }
  void clear() {
    dictionary.clear();
    indexes.clear();
  }
  size_t width() const { return dictionary.size() <= 0x100 ? 1 : dictionary.size() <= 0x10000 ? 2 : 4; }
  size_t bytes() const { return dictionary.encoded().size() + indexes.size() * width() + 32; }
};

template <class T>
void append_all(const std::vector<T>& values, std::string& out) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class T>
void append_narrowed(const std::vector<uint32_t>& values, std::string& out) {
  size_t at = out.size();
  out.resize(at + values.size() * sizeof(T));
  char* to = out.data() + at;
  for (uint32_t value : values) {
    store_le(to, static_cast<T>(value));
    to += sizeof(T);
  }
}

void append_text(std::string_view text, std::string& out) {
  append_varint(out, text.size());
  out.append(text);
}

// What stands once before a LowCardinality column's values: the version of its keys' form, "shared dictionaries with
// additional keys".
void append_prefix(std::string& out) { append_le<uint64_t>(out, 1); }

void append_values(const Repeating& column, std::string& out) {
  if (column.indexes.empty()) return;
  constexpr uint64_t kHasAdditionalKeys = 0x200;
  constexpr uint64_t kNeedUpdateDictionary = 0x400;
  uint64_t index_type = column.width() == 1 ? 0 : column.width() == 2 ? 1 : 2;
  append_le<uint64_t>(out, index_type | kHasAdditionalKeys | kNeedUpdateDictionary);
  append_le<uint64_t>(out, column.dictionary.size());
  out.append(column.dictionary.encoded());
  append_le<uint64_t>(out, column.indexes.size());
  if (column.width() == 1) append_narrowed<uint8_t>(column.indexes, out);
  if (column.width() == 2) append_narrowed<uint16_t>(column.indexes, out);
  if (column.width() == 4) append_all(column.indexes, out);
}
}  // namespace

struct Block::State {
  size_t rows = 0;
  std::vector<uint64_t> project_id, visitor_id, session_id, o;
  std::vector<uint32_t> p, visit_gap_ms;
  std::vector<int64_t> timestamp, received_after_ms, revenue_amount;
  std::vector<uint8_t> revenue_is_null;
  std::vector<uint16_t> visit_seq;
  std::vector<int8_t> visit_bounce;
  std::array<Repeating, std::size(kRepeating)> repeating;
  std::array<Repeating, std::size(kOfVisit)> of_visit;
  std::array<Repeating, std::size(kEnumerations)> enumerations;
  std::array<std::string, std::size(kPlain)> plain;  // encoded
  // The client's id of the event: a UUID, or a text (encoded).
  std::vector<Uuid> client_uuid;
  std::string client_id;
  // Properties whose values are numbers and the others, each property in one of the two.
  std::vector<uint64_t> text_ends, number_ends;
  Repeating text_keys, text_values, number_keys;
  std::string number_values;  // encoded

  void add_properties(const Row& row);
  // Calls visit(name, type, write) for each column, in the order of the wire.
  template <class Visitor>
  void each_column(Visitor&& visit) const;
};

void Block::State::add_properties(const Row& row) {
  auto add_text = [&](std::string_view key, std::string_view value) {
    text_keys.add(key);
    text_values.add(value);
  };
  auto add_number = [&](std::string_view key, std::string_view value) {
    number_keys.add(key);
    append_text(value, number_values);
  };
  const auto& properties = row.properties;
  const auto& numbers = row.numbers;
  size_t next = 0;
  for (const auto& [key, value] : properties)
    if (next < numbers.size() && key == numbers[next].first) ++next;
  if (next == numbers.size()) {  // the usual case: numbers are a subsequence of the properties
    next = 0;
    for (const auto& [key, value] : properties) {
      if (next < numbers.size() && key == numbers[next].first) {
        add_number(key, value);
        ++next;
      } else {
        add_text(key, value);
      }
    }
  } else {
    auto holds = [](const auto& list, std::string_view key) {
      return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return entry.first == key; });
    };
    for (const auto& [key, value] : properties) {
      if (holds(numbers, key))
        add_number(key, value);
      else
        add_text(key, value);
    }
    for (const auto& [key, value] : numbers)
      if (!holds(properties, key)) add_number(key, fmt::format("{}", value));
  }
  text_ends.push_back(text_keys.indexes.size());
  number_ends.push_back(number_keys.indexes.size());
}

template <class Visitor>
void Block::State::each_column(Visitor&& visit) const {
  auto fixed = [&](std::string_view name, std::string_view type, const auto& values) {
    visit(name, type, [&](std::string& out) { append_all(values, out); });
  };
  auto text = [&](std::string_view name, const Repeating& values) {
    visit(name, kTextType, [&](std::string& out) {
      append_prefix(out);
      append_values(values, out);
    });
  };
  fixed("project_id", "UInt64", project_id);
  fixed("timestamp", "DateTime64(3, 'UTC')", timestamp);
  fixed("received_after_ms", "Int64", received_after_ms);
  fixed("visitor_id", "UInt64", visitor_id);
  fixed("session_id", "UInt64", session_id);
  fixed("visit_seq", "UInt16", visit_seq);
  fixed("visit_gap_ms", "UInt32", visit_gap_ms);
  fixed("visit_bounce", "Int8", visit_bounce);
  fixed("_p", "UInt32", p);
  fixed("_o", "UInt64", o);
  visit("revenue_amount", "Nullable(Decimal(18, 6))", [&](std::string& out) {
    append_all(revenue_is_null, out);
    append_all(revenue_amount, out);
  });
  for (size_t i = 0; i < enumerations.size(); ++i) text(kEnumerations[i], enumerations[i]);
  for (size_t i = 0; i < repeating.size(); ++i) text(kRepeating[i].name, repeating[i]);
  for (size_t i = 0; i < of_visit.size(); ++i) text(kOfVisit[i].name, of_visit[i]);
  for (size_t i = 0; i < plain.size(); ++i)
    visit(kPlain[i].name, "String", [&](std::string& out) { out.append(plain[i]); });
  visit("client_id", "String", [&](std::string& out) { out.append(client_id); });
  fixed("client_uuid", "UUID", client_uuid);
  visit("text_properties", "Map(LowCardinality(String), LowCardinality(String))", [&](std::string& out) {
    append_prefix(out);
    append_prefix(out);
    append_all(text_ends, out);
    append_values(text_keys, out);
    append_values(text_values, out);
  });
  visit("number_properties", "Map(LowCardinality(String), String)", [&](std::string& out) {
    append_prefix(out);
    append_all(number_ends, out);
    append_values(number_keys, out);
    out.append(number_values);
  });
}

Block::Block() : state_(std::make_unique<State>()) {}
Block::~Block() = default;
Block::Block(Block&&) noexcept = default;
Block& Block::operator=(Block&&) noexcept = default;

void Block::add(const Row& row) {
  State& s = *state_;
  ++s.rows;
  s.project_id.push_back(number(row.project_id));
  s.timestamp.push_back(row.time);
  s.received_after_ms.push_back(row.received_at - row.time);
  s.visitor_id.push_back(row.visitor_id);
  s.session_id.push_back(row.visit.session_id);
  s.visit_seq.push_back(row.visit.seq);
  s.visit_gap_ms.push_back(row.visit.gap_ms);
  s.visit_bounce.push_back(row.visit.bounce);
  for (size_t i = 0; i < s.of_visit.size(); ++i) s.of_visit[i].add(row.visit.*kOfVisit[i].field);
  s.p.push_back(row.p);
  s.o.push_back(row.o);
  s.revenue_is_null.push_back(row.has_revenue ? 0 : 1);
  s.revenue_amount.push_back(row.has_revenue ? row.revenue_micros : 0);
  s.enumerations[0].add(name_of(row.time_rule));
  s.enumerations[1].add(name_of(row.kind));
  s.enumerations[2].add(name_of(row.traffic));
  for (size_t i = 0; i < s.repeating.size(); ++i) s.repeating[i].add(row.*kRepeating[i].field);
  for (size_t i = 0; i < s.plain.size(); ++i) append_text(row.*kPlain[i].field, s.plain[i]);
  s.client_uuid.push_back(uuid_of(row.id));
  append_text(s.client_uuid.back() == Uuid() ? row.id : std::string_view(), s.client_id);
  s.add_properties(row);
}

void Block::set_visit(size_t row, const VisitColumns& visit) {
  State& s = *state_;
  s.session_id[row] = visit.session_id;
  s.visit_seq[row] = visit.seq;
  s.visit_gap_ms[row] = visit.gap_ms;
  s.visit_bounce[row] = visit.bounce;
  for (size_t i = 0; i < s.of_visit.size(); ++i)
    s.of_visit[i].indexes[row] = s.of_visit[i].dictionary.index_of(visit.*kOfVisit[i].field);
}

size_t Block::rows() const { return state_->rows; }

size_t Block::bytes() const {
  const State& s = *state_;
  constexpr size_t kFixedBytes = 6 * 8 + 2 * 8 + 2 * 4 + 2 + 1 + 8 + 1 + 16;
  size_t bytes = s.rows * kFixedBytes;
  for (const auto& column : s.enumerations) bytes += column.bytes();
  for (const auto& column : s.repeating) bytes += column.bytes();
  for (const auto& column : s.of_visit) bytes += column.bytes();
  for (const auto& column : s.plain) bytes += column.size();
  return bytes + s.client_id.size() + s.text_keys.bytes() + s.text_values.bytes() + s.number_keys.bytes() +
         s.number_values.size();
}

void Block::clear() {
  State& s = *state_;
  s.rows = 0;
  for (auto* v : {&s.project_id, &s.visitor_id, &s.session_id, &s.o, &s.text_ends, &s.number_ends}) v->clear();
  for (auto* v : {&s.p, &s.visit_gap_ms}) v->clear();
  for (auto* v : {&s.timestamp, &s.received_after_ms, &s.revenue_amount}) v->clear();
  s.revenue_is_null.clear();
  s.visit_seq.clear();
  s.visit_bounce.clear();
  for (auto& column : s.repeating) column.clear();
  for (auto& column : s.of_visit) column.clear();
  for (auto& column : s.enumerations) column.clear();
  for (auto& column : s.plain) column.clear();
  s.client_uuid.clear();
  s.client_id.clear();
  for (auto* column : {&s.text_keys, &s.text_values, &s.number_keys}) column->clear();
  s.number_values.clear();
}

uint64_t Block::offset_of(size_t row) const { return state_->o[row]; }
ProjectId Block::project_of(size_t row) const { return ProjectId{state_->project_id[row]}; }
uint64_t Block::visitor_of(size_t row) const { return state_->visitor_id[row]; }
uint64_t Block::session_of(size_t row) const { return state_->session_id[row]; }
UnixMillis Block::time_of(size_t row) const { return state_->timestamp[row]; }

namespace {
template <class T>
std::vector<T> part_of(const std::vector<T>& values, size_t first, size_t count) {
  auto from = values.begin() + static_cast<ptrdiff_t>(first);
  return {from, from + static_cast<ptrdiff_t>(count)};
}

// With the whole dictionary: what the part does not use does no harm.
Repeating part_of(const Repeating& column, size_t first, size_t count) {
  return {column.dictionary, part_of(column.indexes, first, count)};
}

// Texts one behind the other, each behind its length.
std::string part_of_texts(std::string_view texts, size_t first, size_t count) {
  auto skip = [&texts](size_t how_many) {
    size_t at = 0;
    for (; how_many > 0; --how_many) {
      uint64_t size = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(texts[at++]);
        size |= uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) break;
      }
      at += size;
    }
    return at;
  };
  texts.remove_prefix(skip(first));
  return std::string(texts.substr(0, skip(count)));
}
}  // namespace

Block Block::slice(size_t first, size_t count) const {
  const State& s = *state_;
  Block part;
  State& t = *part.state_;
  t.rows = count;
  auto fixed = [&](auto State::*column) { t.*column = part_of(s.*column, first, count); };
  fixed(&State::project_id);
  fixed(&State::timestamp);
  fixed(&State::received_after_ms);
  fixed(&State::visitor_id);
  fixed(&State::session_id);
  fixed(&State::visit_seq);
  fixed(&State::visit_gap_ms);
  fixed(&State::visit_bounce);
  fixed(&State::p);
  fixed(&State::o);
  fixed(&State::revenue_is_null);
  fixed(&State::revenue_amount);
  for (size_t i = 0; i < s.enumerations.size(); ++i) t.enumerations[i] = part_of(s.enumerations[i], first, count);
  for (size_t i = 0; i < s.repeating.size(); ++i) t.repeating[i] = part_of(s.repeating[i], first, count);
  for (size_t i = 0; i < s.of_visit.size(); ++i) t.of_visit[i] = part_of(s.of_visit[i], first, count);
  for (size_t i = 0; i < s.plain.size(); ++i) t.plain[i] = part_of_texts(s.plain[i], first, count);
  fixed(&State::client_uuid);
  t.client_id = part_of_texts(s.client_id, first, count);
  // Where the part's properties begin and end among all.
  auto ends = [&](const std::vector<uint64_t>& all, std::vector<uint64_t>& of_part) {
    const uint64_t from = first == 0 ? 0 : all[first - 1];
    of_part = part_of(all, first, count);
    for (uint64_t& end : of_part) end -= from;
    return std::pair<size_t, size_t>(from, of_part.empty() ? 0 : of_part.back());
  };
  const auto [text_from, texts] = ends(s.text_ends, t.text_ends);
  t.text_keys = part_of(s.text_keys, text_from, texts);
  t.text_values = part_of(s.text_values, text_from, texts);
  const auto [number_from, numbers] = ends(s.number_ends, t.number_ends);
  t.number_keys = part_of(s.number_keys, number_from, numbers);
  t.number_values = part_of_texts(s.number_values, number_from, numbers);
  return part;
}

void Block::append_native(std::string& out) const {
  const State& s = *state_;
  out.reserve(out.size() + bytes() + bytes() / 16);
  size_t columns = 0;
  s.each_column([&](auto, auto, auto&&) { ++columns; });
  append_varint(out, columns);
  append_varint(out, s.rows);
  s.each_column([&](std::string_view name, std::string_view type, auto&& write) {
    append_text(name, out);
    append_text(type, out);
    if (s.rows > 0) write(out);
  });
}

std::string_view Block::column_list() {
  static const std::string list = [] {
    std::string names;
    State().each_column([&](std::string_view name, std::string_view, auto&&) {
      if (!names.empty()) names += ", ";
      names += name;
    });
    return names;
  }();
  return list;
}

}  // namespace weir::store
