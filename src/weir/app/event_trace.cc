#include "weir/app/event_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "weir/api/answers.h"
#include "weir/event/record.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;
using journal::Partition;
using trace::Sighting;
using trace::Stage;

constexpr std::array<Partition, 2> kPartitions = {Partition::live, Partition::bulk};
constexpr const char* kPath = "/api/v1/trace";
// Of the records that are not loaded yet, the newest so many are searched for an id: a tenth of a second.
constexpr uint64_t kWaitingSearched = 100'000;
constexpr uint64_t kReadBytes = 1 << 20;
constexpr size_t kIdBytesMax = 200;

size_t index_of(Partition partition) { return static_cast<size_t>(partition); }

bool read_number(std::string_view digits, uint64_t& number) {
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
}
}  // namespace

Result<std::vector<EventTrace::Place>> EventTrace::places_of(const trace::Question& question) {
  const std::string_view id = question.id;
  std::vector<Place> places;
  uint64_t offset = 0;
  for (Partition partition : kPartitions) {
    const std::string prefix = fmt::format("{}:", name_of(partition));
    if (id.starts_with(prefix) && read_number(id.substr(prefix.size()), offset))
      return std::vector{Place{partition, offset}};
  }
  // As the view shows an event whose client gave no id.
  uint64_t p = 0;
  if (const size_t dash = id.find('-'); id.starts_with('w') && dash != std::string_view::npos &&
                                        read_number(id.substr(1, dash - 1), p) &&
                                        read_number(id.substr(dash + 1), offset)) {
    auto journals = parts_.store.journals();
    if (!journals) return std::move(journals).error();
    for (const store::JournalRow& row : *journals)
      if (row.p == p && row.key.uuid == parts_.journal.uuid() && row.key.partition < kPartitions.size())
        places.push_back({kPartitions[row.key.partition], offset});
    if (!places.empty()) return places;
  }
  const auto snapshot = parts_.settings.snapshot();
  for (const settings::Project& project : snapshot->projects()) {
    if (question.project && *question.project != project.id) continue;
    auto first = parts_.dedup.find(project.id, id);
    if (!first) return std::move(first).error();
    if (*first) places.push_back({(*first)->partition, (*first)->offset});
  }
  for (Partition partition : kPartitions) add_waiting(question, partition, places);
  return places;
}

// Records that were accepted and not judged yet: the index does not know them.
void EventTrace::add_waiting(const trace::Question& question, Partition partition, std::vector<Place>& places) {
  const load::Progress progress = parts_.loaders[index_of(partition)]->progress();
  auto reader = parts_.journal.reader(partition);
  event::RecordParser parser;
  const uint64_t from = progress.end - std::min(progress.end - progress.loaded, kWaitingSearched);
  for (uint64_t at = from; at < progress.end;) {
    auto batch = reader->read(at, kReadBytes, std::chrono::milliseconds(0));
    if (!batch || batch->next <= at) return;
    for (const journal::Record& record : batch->records) {
      // Most records are told apart without being parsed.
      if (record.bytes.find(question.id) == std::string_view::npos) continue;
      auto event = parser.parse(record.bytes);
      const Place place{partition, record.offset};
      if (event && event->id == question.id && std::find(places.begin(), places.end(), place) == places.end())
        places.push_back(place);
    }
    at = batch->next;
  }
}

Result<std::string> EventTrace::row_of(uint32_t epoch, Place place, UnixMillis time) {
  auto journals = parts_.store.journals();
  if (!journals) return std::move(journals).error();
  for (const store::JournalRow& row : *journals) {
    if (row.key.uuid != parts_.journal.uuid() || row.key.partition != index_of(place.partition) ||
        row.key.epoch != epoch)
      continue;
    store::QueryOptions options{.format = "JSONEachRow",
                                .parameters = {{"p", std::to_string(row.p)}, {"o", std::to_string(place.offset)}},
                                .urgency = store::Urgency::awaited};
    std::string sql = "SELECT * FROM weir.events WHERE _p = {p:UInt32} AND _o = {o:UInt64}";
    if (time != 0) {  // its month, and of that what was stored about then
      options.parameters.emplace_back("time", std::to_string(time));
      sql += " AND timestamp = fromUnixTimestamp64Milli({time:Int64}, 'UTC')";
    }
    auto found = parts_.store.query(sql + " LIMIT 1", options);
    if (!found) return found;
    while (!found->empty() && found->back() == '\n') found->pop_back();
    return found;
  }
  return std::string();
}

Result<std::optional<Sighting>> EventTrace::look(const trace::Question& question, Place place) {
  using Found = std::optional<Sighting>;
  const journal::PartitionInfo info = parts_.journal.info(place.partition);
  load::Outcomes& outcomes = *parts_.outcomes[index_of(place.partition)];
  if (place.offset >= info.end) return Found();
  Sighting sighting;
  sighting.partition = name_of(place.partition);
  sighting.offset = place.offset;
  for (const journal::Epoch& epoch : info.epochs)
    if (epoch.first <= place.offset) sighting.epoch = epoch.number;

  ProjectId project{};
  UnixMillis time = 0;
  std::string id;
  if (place.offset >= info.begin) {
    auto read = parts_.journal.reader(place.partition)->read(place.offset, 1, std::chrono::milliseconds(0));
    if (read && !read->records.empty() && read->records.front().offset == place.offset) {
      sighting.record = read->records.front().bytes;
      event::RecordParser parser;
      if (auto event = parser.parse(sighting.record)) {
        project = event->project_id;
        time = event->time;
        sighting.received_at = event->received_at;
        if (event->id_given) id = event->id;
        const settings::Project* known = parts_.settings.snapshot()->project(project);
        sighting.project = known != nullptr ? known->name : to_string(project);
      } else {
        sighting.record.clear();  // no JSON: the dead letter has it
      }
    } else {
      sighting.stage = Stage::damaged;
    }
  }
  if (question.project && *question.project != project) return Found();

  auto outcome = outcomes.of(place.offset);
  if (!outcome) return std::move(outcome).error();
  if (*outcome != load::Outcome::row) {
    sighting.stage = Stage::settled;
    sighting.outcome = name_of(*outcome);
    if (*outcome == load::Outcome::dead) {
      auto letters = outcomes.dead_letters();
      if (!letters) return std::move(letters).error();
      for (const load::DeadLetter& letter : *letters)
        if (letter.offset == place.offset) sighting.reason = letter.reason;
    }
    if (*outcome == load::Outcome::duplicate && !id.empty()) {
      auto first = parts_.dedup.find(project, id);
      if (!first) return std::move(first).error();
      if (*first) sighting.first = fmt::format("{}:{}", name_of((*first)->partition), (*first)->offset);
    }
    return Found(std::move(sighting));
  }
  const load::Progress progress = parts_.loaders[index_of(place.partition)]->progress();
  if (place.offset >= progress.loaded && sighting.stage != Stage::damaged) {
    sighting.stage = Stage::waiting;
    sighting.before = place.offset - progress.loaded;
    return Found(std::move(sighting));
  }
  auto row = row_of(sighting.epoch, place, time);
  if (!row) return std::move(row).error();
  sighting.row = *std::move(row);
  if (!sighting.row.empty())
    sighting.stage = Stage::stored;
  else if (sighting.stage != Stage::damaged)
    sighting.stage = place.offset < info.begin ? Stage::forgotten : Stage::waiting;
  return Found(std::move(sighting));
}

Result<std::vector<Sighting>> EventTrace::find(const trace::Question& question) {
  if (question.id.empty() || question.id.size() > kIdBytesMax)
    return Error{ErrorCode::kBadInput, fmt::format("trace: an id has 1 to {} bytes", kIdBytesMax)};
  auto places = places_of(question);
  if (!places) return std::move(places).error();
  std::vector<Sighting> sightings;
  for (Place place : *places) {
    auto found = look(question, place);
    if (!found) return std::move(found).error();
    if (*found) sightings.push_back(**std::move(found));
  }
  return sightings;
}

TraceRoute::TraceRoute(settings::Repository& settings, const api::Gate& gate, trace::Tracer& tracer)
    : settings_(settings), gate_(gate), tracer_(tracer), workers_("trace", 1, 16) {}

void TraceRoute::add(http::Router& router) {
  const api::Access& access = api::access_of(http::Method::get, kPath);
  router.add(http::Method::get, kPath, {}, [this, &access](http::Request& request) -> awaitable<http::Response> {
    auto snapshot = settings_.snapshot();
    auto caller = gate_.let_in(request, access);
    if (!caller) co_return api::refusal(caller.error());
    trace::Question question;
    http::query_parameter(request.query, "id", question.id);
    std::string name;
    if (http::query_parameter(request.query, "project", name)) {
      auto project = api::project_for(*snapshot, *caller, api::Permission::edit, name);
      if (!project) co_return http::error_response(project.error());
      question.project = (*project)->id;
    } else if (auto projects = caller->projects(api::Permission::edit)) {
      if (projects->size() != 1) co_return http::error_response({ErrorCode::kBadInput, "trace: project is missing"});
      question.project = projects->front();
    }
    const std::string id = question.id;
    std::function<Result<std::vector<Sighting>>()> work = [this, question = std::move(question)] {
      return tracer_.find(question);
    };
    auto sightings = co_await workers_.run<std::vector<Sighting>>(std::move(work));
    if (!sightings) co_return http::error_response(sightings.error());
    if (sightings->empty())
      co_return http::error_response({ErrorCode::kNotFound, "trace: no accepted event answers to this id: " + id});
    co_return http::json_response(200, trace::to_json(id, *sightings));
  });
}

}  // namespace weir::app
