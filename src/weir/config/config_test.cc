#include "weir/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "weir/base/bytes.h"
#include "weir/base/random.h"

namespace weir::config {
namespace {
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A configuration file in a directory of its own, and load() over it.
class Config : public ::testing::Test {
 protected:
  Config() : directory_(std::filesystem::temp_directory_path() / ("weir-config-" + to_hex(random_bytes(8)))) {
    std::filesystem::create_directory(directory_);
    path_ = (directory_ / "weir.toml").string();
  }
  ~Config() override { std::filesystem::remove_all(directory_); }

  void write(std::string_view text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), mode);
  }
  Loaded load_with(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    auto line = parse_command_line(arguments);
    EXPECT_TRUE(line) << line.error().message;
    return load(real_files(), *line, environment);
  }
  Loaded load_file(std::string_view text, mode_t mode = 0600) {
    write(text, mode);
    return load_with({"--config", path_});
  }
  // The only problem's message, without the directory.
  std::string only_problem(const Loaded& loaded) {
    EXPECT_EQ(loaded.problems.size(), 1u);
    if (loaded.problems.empty()) return "";
    std::string message = loaded.problems[0].message;
    size_t at = 0;
    while ((at = message.find(directory_.string() + "/")) != std::string::npos)
      message.erase(at, directory_.string().size() + 1);
    return message;
  }
  static const Value& value(const Loaded& loaded, std::string_view name) {
    for (const Value& v : loaded.values) {
      if (v.room + "." + v.name == name) return v;
    }
    ADD_FAILURE() << name;
    return loaded.values.front();
  }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(Config, WithoutAnythingHasTheRoomsDefaults) {
  Loaded loaded = load_with({"--data", "d"});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.options.http.listen, http::Options().listen);
  EXPECT_EQ(loaded.options.journal.segment_bytes, journal::Options().segment_bytes);
  EXPECT_EQ(loaded.options.personal.personal_days, 7u);
  EXPECT_EQ(value(loaded, "journal.segment_bytes").value, "128MiB");
  EXPECT_EQ(value(loaded, "http.header_timeout").value, "10s");
  EXPECT_EQ(value(loaded, "serve.roles").value, "collect,load,api");
  for (const Value& v : loaded.values) {
    EXPECT_EQ(v.origin, Origin::default_value);
    EXPECT_EQ(v.value, v.default_value) << v.name;
    EXPECT_NE(v.description, "") << v.name;
  }
}

TEST_F(Config, EachSourceOverrulesTheOneBefore) {
  write("[http]\nlisten = \"1.1.1.1:1\"\nthreads = 3\nconnections_max = 5\nidle_timeout = \"2m\"\n");
  Environment environment = {{"WEIR_HTTP_LISTEN", "2.2.2.2:2"}, {"WEIR_HTTP_THREADS", "4"}};
  Loaded loaded = load_with({"--config=" + path_, "serve", "--http.listen", "3.3.3.3:3", "--data", "d"}, environment);
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.options.http.listen, "3.3.3.3:3");
  EXPECT_EQ(loaded.options.http.threads, 4u);
  EXPECT_EQ(loaded.options.http.connections_max, 5u);
  EXPECT_EQ(loaded.options.http.idle_timeout, milliseconds(120'000));
  EXPECT_EQ(value(loaded, "http.listen").origin_text, "--http.listen");
  EXPECT_EQ(value(loaded, "http.threads").origin_text, "WEIR_HTTP_THREADS");
  EXPECT_EQ(value(loaded, "http.connections_max").origin_text, path_ + ":4");
  EXPECT_EQ(value(loaded, "http.body_timeout").origin_text, "default");
}

TEST_F(Config, LaterFlagsOverruleEarlierOnesOfAnySpelling) {
  EXPECT_EQ(load_with({"--listen=a:1", "--set", "http.listen=b:2"}).options.http.listen, "b:2");
  EXPECT_EQ(load_with({"--set=http.listen=b:2", "--listen", "a:1"}).options.http.listen, "a:1");
}

TEST_F(Config, EveryKindIsReadFromTheFileAndFromText) {
  Loaded loaded = load_file(
      "[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n"
      "[journal]\nsegment_bytes = \"64 MiB\"\ngroup_bytes_max = 131072\nfree_percent_min = 5\nkeep = \"7d\"\n"
      "[settings]\nrebuild = true\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.options.http.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_EQ(loaded.options.journal.segment_bytes, 64 * MiB);
  EXPECT_EQ(loaded.options.journal.group_bytes_max, 128 * KiB);
  EXPECT_EQ(loaded.options.journal.free_percent_min, 5.0);
  EXPECT_EQ(loaded.options.journal.keep, std::chrono::hours(7 * 24));
  EXPECT_TRUE(loaded.options.settings.rebuild);

  loaded = load_with({"--http.trusted_proxies= 10.0.0.0/8 , ::1,", "--journal.segment_bytes", "64MiB",
                      "--journal.free_percent_min=2.5", "--settings.rebuild", "serve", "--data=d"});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.options.http.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_EQ(loaded.options.journal.segment_bytes, 64 * MiB);
  EXPECT_EQ(loaded.options.journal.free_percent_min, 2.5);
  EXPECT_TRUE(loaded.options.settings.rebuild);
}

TEST_F(Config, AFlagWithoutAValueMeansYesAndLeavesTheCommandAlone) {
  EXPECT_TRUE(load_with({"--settings.rebuild", "serve"}).options.settings.rebuild);
  EXPECT_TRUE(load_with({"--settings.rebuild", "true", "serve"}).options.settings.rebuild);
  EXPECT_FALSE(load_with({"--settings.rebuild", "false", "serve"}).options.settings.rebuild);
  EXPECT_FALSE(load_with({"--settings.rebuild=no", "serve"}).options.settings.rebuild);
  auto line = parse_command_line({"--settings.rebuild", "serve"});
  ASSERT_TRUE(line);
  EXPECT_THAT(line->rest, ElementsAre("serve"));
}

TEST_F(Config, SecretsAreMaskedAndNotTakenFromAFileThatEverybodyCanRead) {
  std::string text = "[store]\nurl = \"https://me:hunter2@db:8443/x\"\npassword = \"hunter3\"\n";
  for (ShowFormat format : {ShowFormat::text, ShowFormat::toml, ShowFormat::json}) {
    Loaded loaded = load_file(text, 0640);
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.options.store.password, "hunter3");
    std::string shown = show(loaded, format);
    EXPECT_EQ(shown.find("hunter"), std::string::npos) << shown;
    EXPECT_THAT(shown, HasSubstr("https://***@db:8443/x"));
  }
  Loaded loaded = load_file(text, 0644);
  ASSERT_EQ(loaded.problems.size(), 2u);
  for (const Problem& problem : loaded.problems) {
    EXPECT_THAT(problem.message, HasSubstr("a secret in a file that everybody can read (mode 0644)"));
    EXPECT_EQ(problem.message.find("hunter"), std::string::npos);
  }
  EXPECT_THAT(loaded.problems[1].message, HasSubstr("weir.toml:3:12: store.password"));
  EXPECT_THAT(load_file("[store]\npassword = \"\"\n", 0644).problems, IsEmpty());
  // Not even in an error.
  write("[store]\npassword = [\"hunter4\"]\n");
  EXPECT_EQ(only_problem(load_with({"--config", path_})).find("hunter"), std::string::npos);
}

TEST_F(Config, ThePackagedFileIsSoundAndSoIsEveryLineItOffers) {
  std::ifstream packaged(std::string(WEIR_TESTS_DIR) + "/../packaging/weir.toml");
  std::stringstream as_is;
  std::string uncommented;
  as_is << packaged.rdbuf();
  ASSERT_FALSE(as_is.str().empty());
  EXPECT_THAT(load_file(as_is.str()).problems, IsEmpty());
  std::string line;
  int offers = 0;
  while (std::getline(as_is, line)) {
    size_t equals = line.find(" = ");
    bool offered = line.starts_with("# ") && equals != std::string::npos &&
                   line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 2) == equals;
    offers += offered ? 1 : 0;
    uncommented += (offered ? line.substr(2) : line) + "\n";
  }
  EXPECT_GE(offers, 5);
  Loaded loaded = load_file(uncommented);
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << problem.message;
}

TEST_F(Config, UnknownNamesAreRefusedWithTheirPlaceAndTheNearestName) {
  EXPECT_EQ(only_problem(load_file("[journal]\n\n  segmnt_bytes = 1\n")),
            "weir.toml:3:3: unknown option `journal.segmnt_bytes`; did you mean `segment_bytes`?");
  EXPECT_EQ(only_problem(load_file("[htpp]\nlisten = \"a:1\"\n")),
            "weir.toml:1:2: unknown section `htpp`; did you mean `http`?");
  EXPECT_EQ(only_problem(load_file("[http]\nsegment_bytes = 1\n")),
            "weir.toml:2:1: unknown option `http.segment_bytes`; did you mean `journal.segment_bytes`?");
  EXPECT_EQ(only_problem(load_file("[http]\nxyzzyplugh = 1\n")), "weir.toml:2:1: unknown option `http.xyzzyplugh`");
  EXPECT_EQ(only_problem(load_file("[zzzzzzzzzz]\n")), "weir.toml:1:2: unknown section `zzzzzzzzzz`");
}

TEST_F(Config, WrongTypesAndRangesAreRefusedWithTheirPlace) {
  EXPECT_EQ(only_problem(load_file("[http]\nthreads = \"many\"\n")),
            "weir.toml:2:11: http.threads: expected a whole number, not a text");
  EXPECT_EQ(only_problem(load_file("[http]\nthreads = 2.5\n")),
            "weir.toml:2:11: http.threads: expected a whole number, not a decimal number");
  EXPECT_EQ(only_problem(load_file("[http]\nthreads = 1000\n")),
            "weir.toml:2:11: http.threads: `1000`: expected 0 to 256");
  EXPECT_EQ(only_problem(load_file("[http]\nthreads = -1\n")),
            "weir.toml:2:11: http.threads: `-1`: expected a whole number");
  EXPECT_EQ(
      only_problem(load_file("[http]\nidle_timeout = 30\n")),
      "weir.toml:2:16: http.idle_timeout: expected a duration such as 250ms, 30s, 5m, 2h or 7d, not a whole number");
  EXPECT_EQ(only_problem(load_file("[http]\nidle_timeout = \"1ms\"\n")),
            "weir.toml:2:16: http.idle_timeout: `1ms`: expected 100ms to 1h");
  EXPECT_EQ(only_problem(load_file("[journal]\nsegment_bytes = \"1KiB\"\n")),
            "weir.toml:2:17: journal.segment_bytes: `1KiB`: expected 1MiB to 4GiB");
  EXPECT_EQ(only_problem(load_file("[journal]\nsegment_bytes = \"1 parsec\"\n")),
            "weir.toml:2:17: journal.segment_bytes: `1 parsec`: expected a size such as 64KiB");
  EXPECT_EQ(only_problem(load_file("[journal]\nkeep = \"1500ms\"\n")),
            "weir.toml:2:8: journal.keep: `1500ms`: expected a duration of whole seconds");
  EXPECT_EQ(only_problem(load_file("[log]\nlevel = \"loud\"\n")),
            "weir.toml:2:9: log.level: `loud`: expected one of debug, info, warning, error, critical");
  EXPECT_EQ(only_problem(load_file("[serve]\nroles = [\"collect\", \"lode\"]\n")),
            "weir.toml:2:9: serve.roles: `[...]`: expected one of collect, load, api");
  EXPECT_EQ(only_problem(load_file("[serve]\nroles = [1]\n")),
            "weir.toml:2:10: serve.roles: expected a list of texts, not a whole number in it");
  EXPECT_EQ(only_problem(load_file("http = 3\n")),
            "weir.toml:1:8: http: expected a section, [http], not a whole number");
  EXPECT_EQ(only_problem(load_file("data = 3\n")), "weir.toml:1:8: data: expected a directory, not a whole number");
  EXPECT_EQ(only_problem(load_file("[settings]\nrebuild = 1\n")),
            "weir.toml:2:11: settings.rebuild: expected true or false, not a whole number");
  EXPECT_EQ(only_problem(load_file("[http]\nlisten = 2020-01-01\n")),
            "weir.toml:2:10: http.listen: expected a text, not a date or time");
}

TEST_F(Config, SyntaxErrorsHaveTheirPlace) {
  EXPECT_THAT(only_problem(load_file("[http]\nlisten = \n")), HasSubstr("weir.toml:2:"));
  EXPECT_THAT(only_problem(load_file("[http]\nthreads = 1\nthreads = 2\n")), HasSubstr("weir.toml:3:"));
  EXPECT_THAT(only_problem(load_file("a = \xff\n")), HasSubstr("weir.toml:1:"));
  EXPECT_THAT(only_problem(load_file("a = " + std::string(5'000, '['))), HasSubstr("weir.toml:1:"));
}

TEST_F(Config, AllProblemsAreToldAtOnce) {
  write("[http]\nthreads = \"x\"\nnothing_such = 1\n[journal]\nkind = \"paper\"\n");
  Loaded loaded = load_with({"--config", path_, "--http.body_timeout=1ms"}, {{"WEIR_HTTP_THREADS", "y"}});
  EXPECT_EQ(loaded.problems.size(), 5u);
}

TEST_F(Config, AFileThatIsNamedMustBeThere) {
  EXPECT_THAT(only_problem(load_with({"--config", path_})), HasSubstr("weir.toml: No such file"));
  write(std::string(2 << 20, '#'));
  EXPECT_THAT(only_problem(load_with({"--config", path_})), HasSubstr("more than 1048576"));
}

TEST_F(Config, EnvironmentNamesTheFileAndTheDataDirectory) {
  write("data = \"/from/file/\"\n[http]\nthreads = 9\n");
  Loaded loaded = load_with({}, {{"WEIR_CONFIG", path_}});
  EXPECT_EQ(loaded.file, path_);
  EXPECT_EQ(loaded.options.http.threads, 9u);
  EXPECT_EQ(loaded.data_directory, "/from/file");
  EXPECT_EQ(loaded.data_origin, path_ + ":1");
  loaded = load_with({}, {{"WEIR_CONFIG", path_}, {"WEIR_DATA", "/from/environment"}});
  EXPECT_EQ(loaded.data_directory, "/from/environment");
  loaded = load_with({"--data", "/from/flag"}, {{"WEIR_CONFIG", path_}, {"WEIR_DATA", "/from/environment"}});
  EXPECT_EQ(loaded.data_directory, "/from/flag");
  EXPECT_EQ(load_with({}, {{"WEIR_DATA", "d"}}).file, "");
}

TEST_F(Config, VariablesOfOthersAreIgnoredAndSlipsAreNot) {
  Loaded loaded = load_with({"--data", "d"}, {{"WEIR_TEST_DATA", "x"},
                                              {"WEIR_SERVICE_HOST", "10.0.0.1"},
                                              {"WEIR_PORT_8000_TCP", "tcp://10.0.0.1:8000"},
                                              {"WEIR_API_SERVICE_PORT_HTTP_METRICS", "1"},
                                              {"HTTP_LISTEN", "x"}});
  EXPECT_THAT(loaded.problems, IsEmpty());
  loaded = load_with({"--data", "d"}, {{"WEIR_HTTP_LISTN", "a:1"}});
  EXPECT_EQ(only_problem(loaded), "WEIR_HTTP_LISTN: unknown option; did you mean `WEIR_HTTP_LISTEN`?");
  loaded = load_with({"--data", "d"}, {{"WEIR_HTTP_THREADS", "-3"}});
  EXPECT_EQ(only_problem(loaded), "WEIR_HTTP_THREADS: http.threads: `-3`: expected a whole number");
}

TEST(CommandLineTest, TakesItsFlagsAnywhereAndLeavesTheRest) {
  auto line = parse_command_line({"key", "create", "--data", "d", "--name", "N", "--url=http://h", "--scope", "stats",
                                  "--key", "K", "--format", "plain", "--", "--data", "e", "--nope.nope"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->data_directory, "d");
  EXPECT_EQ(line->url, "http://h");
  EXPECT_EQ(line->key, "K");
  EXPECT_THAT(line->rest, ElementsAre("key", "create", "--name", "N", "--scope", "stats", "--format", "plain", "--",
                                      "--data", "e", "--nope.nope"));
}

TEST(CommandLineTest, RefusesWhatItCannotMean) {
  auto error = [](const std::vector<std::string>& arguments) {
    auto line = parse_command_line(arguments);
    return line ? std::string("none") : line.error().message;
  };
  EXPECT_EQ(error({"--journal.segmnt_bytes=1"}),
            "--journal.segmnt_bytes: unknown option `journal.segmnt_bytes`; did you mean `segment_bytes`?");
  EXPECT_EQ(error({"serve", "--data"}), "--data: expected a value behind it");
  EXPECT_EQ(error({"serve", "--data="}), "--data: expected a value behind it");
  EXPECT_EQ(error({"project", "list", "--key", "--format", "json"}), "--key: expected a value behind it");
  EXPECT_EQ(error({"--listen"}), "--listen: expected a text behind it");
  EXPECT_EQ(error({"--set", "http.listen"}), "--set http.listen: expected room.option=value");
  EXPECT_EQ(error({"--set", "http.lissten=x"}), "--set: unknown option `http.lissten`; did you mean `listen`?");
  EXPECT_EQ(error({"query", "-- a comment\nselect 1"}), "none");
}

TEST_F(Config, ShowsEachOptionWithItsOrigin) {
  Loaded loaded = load_file("[http]\nlisten = \"a\\\"b:1\"\n");
  std::string text = show(loaded, ShowFormat::text);
  EXPECT_THAT(text, HasSubstr("http.listen"));
  EXPECT_THAT(text, HasSubstr(path_ + ":2 (default 0.0.0.0:8000)"));
  EXPECT_THAT(show(loaded, ShowFormat::json),
              HasSubstr(R"("option":"http.listen","value":"a\"b:1","default":"0.0.0.0:8000")"));

  // What it shows as TOML can be read back and says the same.
  std::string toml = show(loaded, ShowFormat::toml);
  Loaded again = load_file(toml);
  EXPECT_THAT(again.problems, IsEmpty());
  ASSERT_EQ(again.values.size(), loaded.values.size());
  for (size_t i = 0; i < loaded.values.size(); ++i) EXPECT_EQ(again.values[i].value, loaded.values[i].value);
}

TEST(OptionTest, NamesAreUniqueAndEverySentenceEndsInOne) {
  Options options;
  std::set<std::string> names;
  for (const Option& option : list_options(options)) {
    EXPECT_TRUE(names.insert(option.full_name()).second) << option.full_name() << " is declared twice";
    EXPECT_TRUE(option.description.ends_with('.')) << option.full_name();
    // Each default passes its own limits.
    auto set = option.set(option.text());
    EXPECT_TRUE(set) << option.full_name() << ": " << (set ? "" : set.error().message);
  }
}

TEST(SizeTest, ParsesAndFormats) {
  EXPECT_EQ(*parse_size("64KiB"), 65'536u);
  EXPECT_EQ(*parse_size(" 2 MiB "), 2'097'152u);
  EXPECT_EQ(*parse_size("1GB"), 1'000'000'000u);
  EXPECT_EQ(*parse_size("0"), 0u);
  EXPECT_EQ(*parse_size("18446744073709551615"), ~uint64_t{0});
  for (std::string_view bad :
       {"", "KiB", "-1", "1.5KiB", "1KB2", "0x10", "18446744073709551616", "16777216TiB", "1 K iB"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
  for (uint64_t bytes : {0ull, 1ull, 1023ull, 1024ull, 1536ull, 3ull << 30, 5ull << 40, 1'000'000ull, ~0ull}) {
    EXPECT_EQ(*parse_size(format_size(bytes)), bytes);
  }
  EXPECT_EQ(format_size(3ull << 30), "3GiB");
}

TEST(DurationTest, ParsesAndFormats) {
  EXPECT_EQ(*parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(*parse_duration("7d"), milliseconds(7 * 86'400'000LL));
  EXPECT_EQ(*parse_duration("0"), milliseconds(0));
  for (std::string_view bad : {"", "5", "s", "-1s", "1w", "1.5s", "99999999999999999999s", "9999999999999d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  for (int64_t ms : {0LL, 1LL, 999LL, 1'000LL, 90'000LL, 3'600'000LL, 86'400'000LL, 30 * 86'400'000LL}) {
    EXPECT_EQ(*parse_duration(format_duration(milliseconds(ms))), milliseconds(ms));
  }
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
}

TEST(NearestTest, FindsSlipsAndNothingElse) {
  std::vector<std::string> names = {"listen", "threads", "segment_bytes"};
  EXPECT_EQ(nearest("lsiten", names), "listen");
  EXPECT_EQ(nearest("thread", names), "threads");
  EXPECT_EQ(nearest("segment-bytes", names), "segment_bytes");
  EXPECT_EQ(nearest("colour", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), names), "");
}

TEST(DocumentationTest, IsCurrent) {
  std::ifstream file(std::string(WEIR_TESTS_DIR) + "/../docs/configuration.md");
  std::stringstream content;
  content << file.rdbuf();
  EXPECT_EQ(content.str(), documentation()) << "run: weir config docs > docs/configuration.md";
}

}  // namespace
}  // namespace weir::config
