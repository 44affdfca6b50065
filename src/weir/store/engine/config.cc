#include "weir/store/engine/config.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

#include "weir/base/bytes.h"

namespace weir::store::engine {

namespace {
std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string element(std::string_view name, std::string_view value) {
  return fmt::format("<{0}>{1}</{0}>\n", name, escape(value));
}
std::string element(std::string_view name, uint64_t value) { return fmt::format("<{0}>{1}</{0}>\n", name, value); }

std::string sha256_hex(std::string_view text) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return to_hex(hash);
}

// Limits of persons' statements. As constraints they hold against SETTINGS in the statement: readonly = 1 refuses
// every change but those named changeable_in_readonly.
std::string reader_profile(const Config& config) {
  std::string out = "<reader>\n";
  out += element("readonly", 1);
  out += element("allow_ddl", 0);
  out += element("allow_introspection_functions", 0);
  out += element("max_execution_time", 60);
  out += element("timeout_before_checking_execution_speed", 0);
  out += element("max_memory_usage", config.memory_bytes / 2);
  out += element("max_bytes_before_external_group_by", config.memory_bytes / 5);
  out += element("max_bytes_before_external_sort", config.memory_bytes / 5);
  out += element("max_bytes_ratio_before_external_group_by", 0);
  out += element("max_bytes_ratio_before_external_sort", 0);
  out += element("max_temporary_data_on_disk_size_for_query", 4 * GiB);
  out += element("max_result_rows", kUserRowsMax);
  out += element("max_result_bytes", kUserBytesMax);
  out += element("max_columns_to_read", 500);
  out += element("max_subquery_depth", 30);
  out += element("max_expanded_ast_elements", 100'000);
  out += element("max_ast_elements", 20'000);
  out += element("max_ast_depth", 500);
  out += element("max_parser_depth", 500);
  out += element("max_query_size", 256 * KiB);
  out += element("priority", 10);  // store::Urgency
  out += element("low_priority_query_wait_time_ms", 100);
  out += element("cancel_http_readonly_queries_on_client_close", 1);
  out += "<constraints><max_execution_time><min>0.1</min><max>3600</max><changeable_in_readonly/></max_execution_time>";
  return out + "</constraints>\n</reader>\n";
}

std::string reader_user(const Config& config, const std::string& name, const std::string& table) {
  std::string out = fmt::format("<{}>\n", name);
  out += element("password_sha256_hex", sha256_hex(config.reader_password));
  out += "<networks><ip>127.0.0.1</ip></networks><profile>reader</profile><quota>default</quota>\n<grants>\n";
  for (const char* seen : {"weir.events", "weir_data.events", "weir_data.projects"})
    out += element("query", fmt::format("GRANT SELECT ON {}", seen));
  if (!table.empty()) out += element("query", fmt::format("GRANT SELECT ON weir_data.{}", table));
  out += "</grants>\n";
  if (!table.empty()) {
    auto filter = [&](std::string_view column) {
      return element("filter", fmt::format("{} IN (SELECT project_id FROM weir_data.{})", column, table));
    };
    out += fmt::format("<databases><weir_data><events>{}</events><projects>{}</projects></weir_data></databases>\n",
                       filter("project_id"), filter("project_id"));
  }
  return out + fmt::format("</{}>\n", name);
}

// The first number of a small file of the kernel, or 0.
uint64_t number_in(const std::string& path) {
  std::ifstream in(path);
  std::string text;
  in >> text;
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
}  // namespace

std::string reader_name(int reader) { return fmt::format("weir_reader_{}", reader); }
std::string reader_table(int reader) { return fmt::format("reader_{}", reader); }

std::string config_xml(const Config& c, const std::string& users_path) {
  std::string out = "<clickhouse>\n";
  out += element("path", c.data_directory + "/");
  out += element("tmp_path", c.data_directory + "/tmp/");
  out += element("user_files_path", c.data_directory + "/user_files/");
  out += element("format_schema_path", c.data_directory + "/format_schemas/");
  out += element("users_config", users_path);
  out += element("listen_host", "127.0.0.1");
  out += element("http_port", c.port);
  out += element("keep_alive_timeout", 120);
  out += element("max_connections", 256);
  out += element("max_concurrent_queries", 64);
  out += fmt::format("<logger>{}{}{}{}</logger>\n", element("level", "warning"),
                     element("log", c.data_directory + "/engine.log"), element("size", "4M"), element("count", 1));
  // Nothing answers but to the token, and each answer proves that it comes from this start.
  auto rule = [&](std::string_view path, std::string_view handler) {
    return fmt::format(
        "<rule>{}<headers>{}</headers><handler>{}<http_response_headers>{}</http_response_headers></handler></rule>\n",
        path, element("X-Weir-Token", c.token), handler, element("X-Weir-Proof", c.proof));
  };
  out += "<http_handlers>\n";
  out += rule(element("url", kPingPath),
              "<type>static</type><status>200</status><response_content>Ok.</response_content>");
  out += rule("", "<type>dynamic_query_handler</type><query_param_name>query</query_param_name>");
  out += "</http_handlers>\n";

  out += element("max_server_memory_usage", c.memory_bytes);
  out += element("mark_cache_size", std::clamp(c.memory_bytes / 10, 16 * MiB, 256 * MiB));
  out += element("primary_index_cache_size", std::clamp(c.memory_bytes / 20, 8 * MiB, 128 * MiB));
  out += element("uncompressed_cache_size", 0);
  out += element("index_mark_cache_size", 8 * MiB);
  out += element("index_uncompressed_cache_size", 0);
  out += element("query_condition_cache_size", 4 * MiB);
  out += element("compiled_expression_cache_size", 8 * MiB);
  out += element("mmap_cache_size", 0);
  unsigned pool = std::clamp(c.cores, 2u, 8u);
  out += element("background_pool_size", pool);
  out += element("background_merges_mutations_concurrency_ratio", 1);
  out += element("background_schedule_pool_size", 4);
  out += element("background_common_pool_size", 2);
  for (const char* name :
       {"background_move_pool_size", "background_fetches_pool_size", "background_buffer_flush_schedule_pool_size",
        "background_message_broker_schedule_pool_size", "background_distributed_schedule_pool_size"})
    out += element(name, 1);
  out += element("max_thread_pool_size", 1000);
  out += element("max_thread_pool_free_size", 10);
  out += element("tables_loader_foreground_pool_size", 2);
  out += element("tables_loader_background_pool_size", 2);
  out += element("asynchronous_metrics_update_period_s", 60);
  out += element("asynchronous_heavy_metrics_update_period_s", 3600);
  // With so small a pool the defaults (8 to 25 free entries) would put off large merges and mutations for ever.
  out += "<merge_tree>\n";
  // Column by column: a merge then holds the buffers of a few columns, not those of all.
  out += element("vertical_merge_algorithm_min_rows_to_activate", 1);
  for (const char* name : {"number_of_free_entries_in_pool_to_execute_mutation",
                           "number_of_free_entries_in_pool_to_lower_max_size_of_merge",
                           "number_of_free_entries_in_pool_to_execute_optimize_entire_partition"})
    out += element(name, 1);
  out += "</merge_tree>\n";
  return out + "</clickhouse>\n";
}

std::string users_xml(const Config& c) {
  std::string out = "<clickhouse>\n<profiles>\n<default>\n";
  out += element("max_memory_usage", c.memory_bytes / 10 * 7);
  out += element("max_bytes_before_external_group_by", c.memory_bytes / 4);
  out += element("max_bytes_ratio_before_external_group_by", 0);
  out += element("max_bytes_before_external_sort", c.memory_bytes / 4);
  out += element("max_bytes_ratio_before_external_sort", 0);
  // The default, 8192, is less than a site has pages: beyond it each granule of a part gets a dictionary of its own.
  // Merges obey this profile, too.
  out += element("low_cardinality_max_dictionary_size", 65'536);
  // Each value of a question is a field, and a project may have hundreds of goals with several values each.
  out += element("http_max_fields", 10'000);
  // The compiler takes half a second of a processor when a question is asked for the third time, and gives nothing
  // back.
  for (const char* name : {"compile_expressions", "compile_aggregate_expressions", "compile_sort_description"})
    out += element(name, 0);
  out += "</default>\n" + reader_profile(c) + "</profiles>\n<quotas><default/></quotas>\n<users>\n";
  // The library's own session needs this user without a password; over HTTP only who has the token gets as far.
  out += "<default><password/><networks><ip>127.0.0.1</ip><ip>::1</ip></networks><profile>default</profile>";
  out += "<quota>default</quota></default>\n";
  for (int i = 0; i < kReaders; ++i) out += reader_user(c, reader_name(i), reader_table(i));
  out += reader_user(c, kReaderOfAll, "");
  return out + "</users>\n</clickhouse>\n";
}

uint64_t machine_memory_bytes() {
  uint64_t least = UINT64_MAX;
  std::ifstream memory("/proc/meminfo");
  for (std::string line; std::getline(memory, line);) {
    uint64_t kib = 0;
    if (line.starts_with("MemTotal:") && std::istringstream(line.substr(9)) >> kib) least = kib * KiB;
  }
  // Version 2: the limit of our group and of every group above it.
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::")) continue;
    for (std::string path = line.substr(3);;) {
      if (uint64_t limit = number_in("/sys/fs/cgroup" + path + "/memory.max"); limit > 0)
        least = std::min(least, limit);
      size_t slash = path.find_last_of('/');
      if (slash == std::string::npos || path.empty()) break;
      path.resize(slash);
    }
  }
  if (uint64_t limit = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"); limit > 0)
    least = std::min(least, limit);
  return least == UINT64_MAX ? 2 * GiB : least;
}

uint64_t default_memory_bytes(uint64_t machine_bytes) { return std::clamp(machine_bytes / 4, 400 * MiB, 4 * GiB); }

}  // namespace weir::store::engine
