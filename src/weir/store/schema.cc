#include "weir/store/schema.h"

#include <fmt/format.h>

#include "weir/store/engine/config.h"
#include "weir/store/store.h"

namespace weir::store {

namespace {
// Every part is synced before an insert or a merge is reported done: a power cut must not take acknowledged rows.
constexpr std::string_view kDurable =
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, "
    "min_compressed_bytes_to_fsync_after_merge = 1";

// docs/formats/store.md explains the columns, docs/adr/ the choices.
constexpr std::string_view kEvents = R"(CREATE TABLE IF NOT EXISTS weir_data.events
(
    project_id         UInt64,
    timestamp          DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    received_after_ms  Int64 CODEC(ZSTD(1)),
    time_rule          LowCardinality(String),
    kind               LowCardinality(String),
    name               LowCardinality(String),
    client_id          String CODEC(ZSTD(1)),
    client_uuid        UUID CODEC(ZSTD(1)),
    user_id            String CODEC(ZSTD(1)),
    anonymous_id       String CODEC(ZSTD(1)),
    visitor_id         UInt64 CODEC(ZSTD(1)),
    session_id         UInt64 CODEC(ZSTD(1)),
    client_session_id  String CODEC(ZSTD(1)),
    visit_seq          UInt16,
    visit_gap_ms       UInt32 CODEC(ZSTD(1)),
    hostname           LowCardinality(String),
    path               LowCardinality(String),
    entry_path         LowCardinality(String),
    previous_path      LowCardinality(String),
    visit_bounce       Int8,
    visit_source       LowCardinality(String),
    visit_channel      LowCardinality(String),
    visit_campaign     LowCardinality(String),
    title              LowCardinality(String),
    referrer           LowCardinality(String),
    source             LowCardinality(String),
    medium             LowCardinality(String),
    channel            LowCardinality(String),
    utm_source         String CODEC(ZSTD(1)),
    utm_medium         String CODEC(ZSTD(1)),
    utm_campaign       String CODEC(ZSTD(1)),
    utm_term           String CODEC(ZSTD(1)),
    utm_content        String CODEC(ZSTD(1)),
    click_id           String CODEC(ZSTD(1)),
    country            LowCardinality(String),
    region             LowCardinality(String),
    city               LowCardinality(String),
    browser            LowCardinality(String),
    browser_version    LowCardinality(String),
    os                 LowCardinality(String),
    os_version         LowCardinality(String),
    device             LowCardinality(String),
    screen             LowCardinality(String),
    locale             LowCardinality(String),
    app_version        LowCardinality(String),
    text_properties    Map(LowCardinality(String), LowCardinality(String)),
    number_properties  Map(LowCardinality(String), String),
    revenue_amount     Nullable(Decimal(18, 6)),
    revenue_currency   String CODEC(ZSTD(1)),
    traffic            LowCardinality(String),
    traffic_reason     String CODEC(ZSTD(1)),
    sdk                String CODEC(ZSTD(1)),
    ip                 String CODEC(ZSTD(1)),
    _p                 UInt32,
    _o                 UInt64 CODEC(Delta(8), ZSTD(1)),
    INDEX position _o TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (project_id, toDate(timestamp), visitor_id)
ORDER BY (project_id, toDate(timestamp), visitor_id, timestamp)
SAMPLE BY visitor_id
SETTINGS {durable}, non_replicated_deduplication_window = 1000, default_compression_codec = 'ZSTD(1)',
    min_level_for_wide_part = 1, auto_statistics_types = '',
    enable_block_number_column = 1, enable_block_offset_column = 1)";

constexpr std::string_view kJournals = R"(CREATE TABLE IF NOT EXISTS weir_data.journals
(
    p             UInt32,
    journal_uuid  String,
    kind          String,
    topic         String,
    partition     UInt16,
    epoch         UInt32,
    first_o       UInt64,
    allocated_at  DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY p SETTINGS {durable}, non_replicated_deduplication_window = 10000)";

constexpr std::string_view kProjects = R"(CREATE TABLE IF NOT EXISTS weir_data.projects
(
    project_id  UInt64,
    name        String,
    version     UInt64
)
ENGINE = ReplacingMergeTree(version) ORDER BY project_id SETTINGS {durable})";

// Sums of rows by project, stretch of time and value of a dimension (a cut): docs/formats/rollups.md. What they say can
// be made again from the rows at any time.
constexpr std::string_view kRollups = R"(CREATE TABLE IF NOT EXISTS weir_data.rollups
(
    project_id       UInt64,
    cut              UInt8,
    part             UInt32,
    value            String CODEC(ZSTD(1)),
    version          UInt32 CODEC(ZSTD(1)),
    visitors         AggregateFunction(groupBitmap, UInt32) CODEC(ZSTD(1)),
    visitor_count    UInt32 CODEC(T64, ZSTD(1)),
    rows             UInt64 CODEC(T64, ZSTD(1)),
    pageviews        UInt64 CODEC(T64, ZSTD(1)),
    events           UInt64 CODEC(T64, ZSTD(1)),
    visits           UInt64 CODEC(T64, ZSTD(1)),
    visits_next      UInt64 CODEC(T64, ZSTD(1)),
    visits_before    UInt64 CODEC(T64, ZSTD(1)),
    bounces          UInt64 CODEC(T64, ZSTD(1)),
    bounces_next     UInt64 CODEC(T64, ZSTD(1)),
    bounces_before   UInt64 CODEC(T64, ZSTD(1)),
    duration         UInt64 CODEC(T64, ZSTD(1)),
    duration_next    UInt64 CODEC(T64, ZSTD(1)),
    duration_before  UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY part
ORDER BY (project_id, cut, value, version)
SETTINGS {durable}, index_granularity = 256, min_level_for_wide_part = 1, auto_statistics_types = '')";

// The same of how long pages were seen and how far they were read, of the cuts that have it.
constexpr std::string_view kRollupTimes = R"(CREATE TABLE IF NOT EXISTS weir_data.rollup_times
(
    project_id        UInt64,
    cut               UInt8,
    part              UInt32,
    value             String CODEC(ZSTD(1)),
    version           UInt32 CODEC(ZSTD(1)),
    known_times       UInt64 CODEC(T64, ZSTD(1)),
    time_sum          UInt64 CODEC(T64, ZSTD(1)),
    depths            UInt64 CODEC(T64, ZSTD(1)),
    depths_next       UInt64 CODEC(T64, ZSTD(1)),
    depths_before     UInt64 CODEC(T64, ZSTD(1)),
    depth_sum         UInt64 CODEC(T64, ZSTD(1)),
    depth_sum_next    UInt64 CODEC(T64, ZSTD(1)),
    depth_sum_before  UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY part
ORDER BY (project_id, cut, value, version)
SETTINGS {durable}, index_granularity = 256, min_level_for_wide_part = 1, auto_statistics_types = '')";

// Which versions of roll-ups are whole. A version with a row that says `covered = 0` is not, and never will be again.
constexpr std::string_view kRollupSpans = R"(CREATE TABLE IF NOT EXISTS weir_data.rollup_spans
(
    project_id  UInt64,
    span_from   Int64,
    span_to     Int64,
    version     UInt32,
    covered     UInt8,
    rows        UInt64,
    sums        UInt64,
    scheme      UInt32,
    noted_at    DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY (project_id, version) SETTINGS {durable})";

constexpr std::string_view kSampledColumns[] = {"project_id",
                                                "timestamp",
                                                "kind",
                                                "name",
                                                "visitor_id",
                                                "session_id",
                                                "visit_seq",
                                                "visit_gap_ms",
                                                "visit_bounce",
                                                "hostname",
                                                "path",
                                                "entry_path",
                                                "visit_source",
                                                "visit_channel",
                                                "visit_campaign",
                                                "title",
                                                "referrer",
                                                "utm_source",
                                                "utm_medium",
                                                "utm_term",
                                                "utm_content",
                                                "country",
                                                "region",
                                                "city",
                                                "browser",
                                                "browser_version",
                                                "os",
                                                "os_version",
                                                "device",
                                                "screen",
                                                "locale",
                                                "app_version",
                                                "text_properties",
                                                "number_properties",
                                                "revenue_amount",
                                                "revenue_currency",
                                                "traffic",
                                                "traffic_reason"};

// Rows of some of the visitors of the days that have sums, for estimates.
std::string rollup_sample() {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS weir_data.rollup_sample ENGINE = MergeTree PARTITION BY part ORDER BY (project_id, "
      "visitor_id, timestamp) SETTINGS {}, default_compression_codec = 'ZSTD(1)', min_level_for_wide_part = 1, "
      "auto_statistics_types = '' EMPTY AS SELECT toUInt32(0) AS part, toUInt32(0) AS version, {} FROM "
      "weir_data.events",
      kDurable, fmt::join(kSampledColumns, ", "));
}

// A project's visitors by small numbers, of which roll-ups make their sets: 1, 2, 3 and so on.
constexpr std::string_view kVisitorNumbers = R"(CREATE TABLE IF NOT EXISTS weir_data.visitor_numbers
(
    project_id  UInt64,
    visitor_id  UInt64 CODEC(ZSTD(1)),
    number      UInt32 CODEC(ZSTD(1))
)
ENGINE = MergeTree ORDER BY (project_id, visitor_id)
SETTINGS {durable}, index_granularity = 1024, auto_statistics_types = '')";

// The same of the visitors of days that are not rolled up yet, so that they need not be looked for among all.
constexpr std::string_view kVisitorDays = R"(CREATE TABLE IF NOT EXISTS weir_data.visitor_days
(
    project_id  UInt64,
    span_from   Int64,
    visitor_id  UInt64 CODEC(ZSTD(1)),
    number      UInt32 CODEC(ZSTD(1))
)
ENGINE = MergeTree PARTITION BY (project_id, span_from) ORDER BY visitor_id
SETTINGS {durable}, auto_statistics_types = '')";

// The rows that are being summed up, once for all cuts; empty at any other time, and worth no sync.
constexpr std::string_view kRolling = R"(CREATE TABLE IF NOT EXISTS weir_data.rolling
(
    session_id    UInt64,
    n             UInt32,
    start         Int64,
    began         Int64,
    inside        UInt8,
    second        Int64,
    kind          LowCardinality(String),
    name          LowCardinality(String),
    bounce        Int64,
    took          UInt64,
    path          LowCardinality(String),
    entry_page    LowCardinality(String),
    exit_page     LowCardinality(String),
    visit_channel LowCardinality(String),
    visit_source  LowCardinality(String),
    utm_source    LowCardinality(String),
    utm_medium    LowCardinality(String),
    visit_campaign LowCardinality(String),
    country       LowCardinality(String),
    region        LowCardinality(String),
    city          LowCardinality(String),
    browser       LowCardinality(String),
    os            LowCardinality(String),
    device        LowCardinality(String),
    screen        LowCardinality(String),
    locale        LowCardinality(String),
    hostname      LowCardinality(String),
    leads         UInt8,
    uniform       UInt8,
    here          UInt8
)
ENGINE = MergeTree ORDER BY session_id
SETTINGS min_bytes_for_wide_part = 1073741824, auto_statistics_types = '', default_compression_codec = 'LZ4')";

// The reader's own rights and row policies count below the view (INVOKER), so nothing that stands here can show
// another project, not even the list of names: the subquery gives only those of the reader's own projects.
constexpr std::string_view kView = R"(CREATE OR REPLACE VIEW weir.events SQL SECURITY INVOKER AS
WITH (
    SELECT (groupArray(project_id), groupArray(name))
    FROM (SELECT project_id, argMax(name, version) AS name FROM weir_data.projects GROUP BY project_id)
) AS names
SELECT
    transform(project_id, arrayPushBack(names.1, 0), arrayPushBack(names.2, ''), '') AS project,
    multiIf(client_uuid != toUUID('00000000-0000-0000-0000-000000000000'), toString(client_uuid),
            client_id = '', concat('w', toString(_p), '-', toString(_o)), client_id) AS event_id,
    name,
    timestamp,
    timestamp + toIntervalMillisecond(received_after_ms) AS received_at,
    time_rule,
    kind,
    user_id,
    anonymous_id,
    visitor_id,
    session_id,
    client_session_id,
    visit_seq,
    visit_gap_ms,
    visit_bounce,
    visit_source,
    visit_channel,
    visit_campaign,
    entry_path,
    previous_path,
    hostname,
    path,
    title,
    referrer,
    source,
    medium,
    channel,
    utm_source,
    utm_medium,
    utm_campaign,
    utm_term,
    utm_content,
    click_id,
    country,
    region,
    city,
    browser,
    browser_version,
    os,
    os_version,
    device,
    screen,
    locale,
    app_version,
    mapUpdate(text_properties, number_properties) AS properties,
    mapApply((key, value) -> (key, toFloat64OrZero(value)), number_properties) AS numbers,
    revenue_amount,
    revenue_currency,
    traffic,
    traffic_reason,
    sdk,
    ip,
    _p,
    _o
FROM weir_data.events)";

std::string durable(std::string_view statement) {
  std::string out(statement);
  constexpr std::string_view kPlace = "{durable}";
  return out.replace(out.find(kPlace), kPlace.size(), kDurable);
}
}  // namespace

std::span<const std::string> schema_foundation() {
  static const std::vector<std::string> statements = {
      "CREATE DATABASE IF NOT EXISTS weir_data",
      "CREATE DATABASE IF NOT EXISTS weir",
      durable("CREATE TABLE IF NOT EXISTS weir_data.migrations (version UInt32, name String, applied_at "
              "DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY version SETTINGS {durable}"),
  };
  return statements;
}

std::span<const Migration> migrations() {
  static const std::vector<Migration> list = {
      {1,
       "events, journals and projects",
       {durable(kEvents), durable(kJournals), durable(kProjects), std::string(kView)}},
      // Of its own, so that a weir that does not know them never writes rows behind their back.
      {2, "roll-ups", {}},
      // Seven parts of a size become one, where it was five: a row is written again less often.
      {3, "merges of more parts", {"ALTER TABLE weir_data.events MODIFY SETTING merge_selector_base = 7"}},
  };
  return list;
}

std::span<const std::string_view> sampled_columns() { return kSampledColumns; }

std::span<const std::string> schema_of_rollups() {
  static const std::vector<std::string> statements = {durable(kRollups),        durable(kRollupTimes),
                                                      durable(kRollupSpans),    rollup_sample(),
                                                      durable(kVisitorNumbers), durable(kVisitorDays)};
  return statements;
}

std::span<const std::string> schema_of_rolling() {
  static const std::vector<std::string> statements = {"DROP TABLE IF EXISTS weir_data.rolling SYNC",
                                                      std::string(kRolling)};
  return statements;
}

std::span<const std::string> schema_of_one_life() {
  static const std::vector<std::string> statements = [] {
    std::vector<std::string> made = {
        "CREATE TABLE IF NOT EXISTS weir_data.life (id UInt64) ENGINE = Memory",
        // What Store::rewrite_visits() is about to write.
        "CREATE TABLE IF NOT EXISTS weir_data.visit_changes (p UInt32, o UInt64, session_id UInt64, visit_seq UInt16, "
        "visit_gap_ms UInt32, visit_bounce Int8, entry_path String, previous_path String, visit_source String, "
        "visit_channel String, visit_campaign String) ENGINE = Join(ANY, LEFT, p, o) SETTINGS persistent = 0",
        // What Store::rewrite_enrichment() is about to write.
        fmt::format("CREATE TABLE IF NOT EXISTS weir_data.enrichment_changes (p UInt32, o UInt64, is_there UInt8, {} "
                    "String) ENGINE = Join(ANY, LEFT, p, o) SETTINGS persistent = 0",
                    fmt::join(enriched_columns(), " String, "))};
    for (int i = 0; i < engine::kReaders; ++i)
      made.push_back(fmt::format("CREATE TABLE IF NOT EXISTS weir_data.{} (project_id UInt64) ENGINE = Memory",
                                 engine::reader_table(i)));
    return made;
  }();
  return statements;
}

}  // namespace weir::store
