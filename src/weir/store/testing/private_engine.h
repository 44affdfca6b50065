#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "weir/base/metrics.h"
#include "weir/store/clickhouse.h"
#include "weir/store/engine/child_main.h"
#include "weir/store/engine/engine.h"
#include "weir/store/engine/library.h"

// For test programs that run a private ClickHouse. Their main() must be engine_test_main(), because the engine is the
// running program again.
namespace weir::store::testing {

inline int engine_test_main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], engine::kEngineArgument) == 0) return engine::engine_main(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// What the program does when called with this argument and a directory: starts an engine in it as weir does, writes
// `held` there once it is up, and waits to be killed.
inline constexpr char kHoldEngineArgument[] = "--hold-engine";
inline int hold_engine(const std::string& directory) {
  auto engine = engine::Engine::start({directory + "/clickhouse", engine::find_library("").value()});
  if (!engine || !(*engine)->wait_until_up(std::chrono::seconds(60))) return 1;
  std::ofstream(directory + "/held") << "held";
  while (true) pause();
}

// Why there can be no engine here, or empty.
inline std::string engine_missing() {
  if (engine::engine_program().empty()) return "the engine's library does not run under sanitizers";
  auto library = engine::find_library("");
  return library ? std::string() : library.error().message;
}

// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-engine-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A private engine with a store on it, migrated, in a directory of its own.
class PrivateEngine {
 public:
  // As small as on a small machine, so that a test of its limits is over soon.
  explicit PrivateEngine(uint64_t memory_bytes = 500 * MiB) {
    options_.memory_bytes = memory_bytes;
    start();
  }

  void start() {
    engine_ = engine::Engine::start({directory(), engine::find_library("").value(), options_.memory_bytes}).value();
    store_ = std::make_unique<ClickHouse>(options_, *engine_, registry_);
    auto up = engine_->wait_until_up(std::chrono::seconds(60));
    if (!up) ADD_FAILURE() << up.error().message;
    auto migrated = store_->migrate();
    if (!migrated) ADD_FAILURE() << migrated.error().message;
  }
  // As weir does: the store with its connections goes first.
  void stop() {
    store_.reset();
    engine_->stop();
  }

  std::string directory() const { return directory_.path() + "/clickhouse"; }
  engine::Engine& engine() { return *engine_; }
  ClickHouse& store() { return *store_; }

  // The answer of a trusted statement as tab-separated text, without the last line end; the error's message if it
  // fails.
  std::string text(std::string_view sql) {
    auto answer = store_->query(sql, {.format = "TSV"});
    if (!answer) return answer.error().message;
    while (answer->ends_with('\n')) answer->pop_back();
    return *answer;
  }

  // One for all tests of the program.
  static PrivateEngine& shared() {
    static PrivateEngine engine;
    return engine;
  }

 private:
  TemporaryDirectory directory_;
  Options options_;
  metrics::Registry registry_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ClickHouse> store_;
};

// Skips each test where there is no engine.
class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string why = engine_missing(); !why.empty()) GTEST_SKIP() << why;
  }
};

}  // namespace weir::store::testing
