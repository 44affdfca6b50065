#include "weir/app/cli_import.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/app/patient_client.h"
#include "weir/app/progress.h"
#include "weir/base/queue.h"
#include "weir/base/thread.h"
#include "weir/transfer/import_report.h"
#include "weir/transfer/log_follower.h"
#include "weir/transfer/log_parser.h"
#include "weir/transfer/log_source.h"
#include "weir/transfer/scan.h"
#include "weir/transfer/traced_log.h"

namespace weir::app {

namespace {
constexpr size_t kChunkBytes = 2 * MiB;
constexpr size_t kChunksAhead = 4;
// A log of another format is told by its first lines.
constexpr uint64_t kGuessLines = 1000;
// How often a log that is followed is looked at.
constexpr std::chrono::milliseconds kLook{200};

struct Arguments {
  std::string project;
  std::string format = "auto";
  std::string output = "text";
  std::string assets = "keep";
  std::string host;
  bool users = false;
  bool pages_only = false;
  bool dry_run = false;
  bool follow = false;
  std::vector<std::string> files;
};

// What the reading thread hands over: a chunk ready to be sent, or the end of a file.
struct Piece {
  size_t file = 0;
  std::string packing;
  uint64_t size = 0;
  uint64_t read = 0;
  transfer::TracedChunk traced;  // count 0: the end of the file
  uint64_t too_long = 0;         // at the end
  std::string error;             // at the end
};

// Set by the first SIGINT or SIGTERM while a log is followed; the second one ends the process as it always does.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);
void ask_to_stop(int) { stop_asked.store(true); }

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// Reads the files and cuts them into chunks, ahead of the sending: one after the other, or following all of them.
// Confined to the reading thread.
class LogReading {
 public:
  LogReading(const std::vector<std::string>& files, BoundedQueue<Piece>& out) : files_(files), out_(out) {}

  void run() {
    for (size_t i = 0; i < files_.size() && !closed_; ++i) read(i);
    out_.close();
  }

  void follow() {
    struct Followed {
      std::unique_ptr<transfer::LogFollower> log;
      std::string error;  // told last
    };
    std::vector<Followed> followed(files_.size());
    for (size_t i = 0; i < files_.size(); ++i) {
      auto opened = transfer::LogFollower::open(files_[i], kChunkBytes);
      if (opened)
        followed[i].log = *std::move(opened);
      else
        push_end(i, opened.error().message, 0);
    }
    bool any = std::any_of(followed.begin(), followed.end(), [](const Followed& f) { return f.log != nullptr; });
    while (any && !stop_asked.load() && !closed_) {
      bool came = false;
      for (size_t i = 0; i < files_.size(); ++i) {
        if (!followed[i].log) continue;
        auto next = followed[i].log->next(std::chrono::steady_clock::now());
        std::string error = next ? "" : next.error().message;
        if (!error.empty() && error != followed[i].error)
          std::fprintf(stderr, "weir: %s; trying again\n", error.c_str());
        followed[i].error = std::move(error);
        if (!next || next->traced.chunk.count == 0) continue;
        came = true;
        Piece piece;
        piece.file = i;
        piece.packing = "plain";
        piece.size = next->size;
        piece.read = next->read;
        piece.traced = std::move(next->traced);
        push(std::move(piece));
      }
      if (!came) std::this_thread::sleep_for(kLook);
    }
    for (size_t i = 0; i < files_.size(); ++i)
      if (followed[i].log) push_end(i, "", followed[i].log->too_long());
    out_.close();
  }

 private:
  void read(size_t number) {
    auto source = transfer::open_log(files_[number]);
    if (!source) return push_end(number, source.error().message, 0);
    Piece end;
    transfer::TracedLog log(**source, kChunkBytes);
    while (!closed_) {
      auto traced = log.next();
      if (!traced) end.error = traced.error().message;
      if (!traced || traced->chunk.count == 0) break;
      Piece piece;
      piece.traced = *std::move(traced);
      fill(piece, number, **source);
      push(std::move(piece));
    }
    fill(end, number, **source);
    end.too_long = log.too_long();
    push(std::move(end));
  }

  static void fill(Piece& piece, size_t number, const transfer::LogSource& source) {
    piece.file = number;
    piece.packing = source.packing();
    piece.size = source.total_bytes();
    piece.read = source.read_bytes();
  }

  void push_end(size_t number, std::string error, uint64_t too_long) {
    Piece end;
    end.file = number;
    end.error = std::move(error);
    end.too_long = too_long;
    push(std::move(end));
  }

  void push(Piece piece) {
    if (!out_.push(std::move(piece))) closed_ = true;
  }

  const std::vector<std::string>& files_;
  BoundedQueue<Piece>& out_;
  bool closed_ = false;
};

class Import {
 public:
  Import(const Invocation& invocation, const Arguments& arguments, transfer::LogFormat format,
         const transfer::LineRules& rules)
      : arguments_(arguments), format_(format), rules_(rules), client_(invocation, progress_) {
    auto yes_or_no = [](bool yes) { return yes ? "yes" : "no"; };
    target_ = fmt::format("/api/v1/import/access-log?project={}&format={}&users={}&assets={}&pages_only={}&host={}",
                          url_encode(arguments.project), name_of(format), yes_or_no(arguments.users), arguments.assets,
                          yes_or_no(arguments.pages_only), url_encode(arguments.host));
    report_.project = arguments.project;
    report_.dry_run = arguments.dry_run;
    for (const std::string& file : arguments.files) report_.files.push_back({file, {}, {}, {}});
  }

  int run() {
    // A chunk without lines: an absent server, a wrong project or key is told before anything is read.
    Piece nothing;
    if (!arguments_.dry_run) {
      if (auto welcome = send(nothing); !welcome) {
        std::fprintf(stderr, "weir: %s\n", welcome.error().message.c_str());
        return 1;
      }
    }
    BoundedQueue<Piece> queue(kChunksAhead);
    if (arguments_.follow) {
      stop_on_signals();
      client_.set_patience(std::chrono::hours(24 * 365));
      client_.set_stop(&stop_asked);
    }
    Thread reading("import-read", [&] {
      LogReading read(arguments_.files, queue);
      arguments_.follow ? read.follow() : read.run();
    });
    while (auto piece = queue.pop()) {
      if (auto taken = take(*piece); !taken) {
        report_.error = taken.error().message;
        queue.close();
        break;
      }
    }
    // A reader blocked on a quiet pipe would keep a failed import from ending.
    if (!report_.error.empty()) return finish(EndReading::by_exit);
    reading.join();
    return finish(EndReading::joined);
  }

 private:
  enum class EndReading { joined, by_exit };

  int finish(EndReading reading) {
    progress_.clear();
    report_.took = progress_.took();
    std::string text = arguments_.output == "json" ? report_.to_json() : report_.to_text();
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    for (const transfer::FileReport& file : report_.files)
      if (!file.error.empty()) std::fprintf(stderr, "weir: %s\n", file.error.c_str());
    if (!report_.error.empty()) std::fprintf(stderr, "weir: %s\n", report_.error.c_str());
    int outcome = report_.is_success() ? 0 : 1;
    if (outcome == 1 && report_.error.empty() &&
        std::all_of(report_.files.begin(), report_.files.end(), [](const auto& f) { return f.error.empty(); }))
      std::fputs("weir: no line could be read as an access log\n", stderr);
    if (reading == EndReading::by_exit) std::_Exit(outcome);
    return outcome;
  }

  Result<> take(Piece& piece) {
    transfer::FileReport& file = report_.files[piece.file];
    if (!piece.packing.empty()) file.packing = piece.packing;
    const transfer::LogChunk& chunk = piece.traced.chunk;
    if (chunk.count == 0) {
      if (file.error.empty()) file.error = piece.error;
      file.summary.lines += piece.too_long;
      file.summary.skipped[static_cast<size_t>(transfer::Skip::too_long)] += piece.too_long;
      return {};
    }
    if (!file.error.empty()) return {};  // of another format: not read on
    if (chunk.first_line < kGuessLines && refuse_format(file, piece.traced)) return {};
    auto summary = arguments_.dry_run ? preview_.count(chunk.lines, format_, piece.traced.fields, rules_, clock_.now())
                                      : send(piece);
    if (!summary) return std::move(summary).error();
    if (summary->lines != chunk.count)
      return Error{ErrorCode::kCorrupt,
                   fmt::format("import: the server counted {} lines of {}", summary->lines, chunk.count)};
    file.summary.add(*summary, chunk.first_line);
    lines_ += summary->lines;
    progress_.show([&](std::chrono::milliseconds took) {
      return transfer::progress_text(file.file, lines_, piece.read, piece.size, took);
    });
    return {};
  }

  // True when the file begins with lines of a known format that is not read.
  bool refuse_format(transfer::FileReport& file, const transfer::TracedChunk& traced) {
    if (file.summary.readable_lines() > 0) return false;
    transfer::LogParser parser(format_);
    if (!traced.fields.empty()) parser.set_fields(traced.fields);
    transfer::LogLine ignored;
    std::string_view looks_like;
    std::string_view lines = traced.chunk.lines;
    for (uint64_t i = 0; i < kGuessLines && !lines.empty(); ++i) {
      size_t newline = lines.find('\n');
      std::string_view line = lines.substr(0, newline);
      lines = newline == std::string_view::npos ? std::string_view() : lines.substr(newline + 1);
      if (parser.parse(line, ignored) == transfer::LineFault::none) return false;
      if (looks_like.empty()) looks_like = transfer::resembles(line);
    }
    if (looks_like.empty()) return false;
    file.error = fmt::format("{}: looks like {}, which is not read; the formats are {}", file.file, looks_like,
                             transfer::kLogFormatNames);
    return true;
  }

  Result<transfer::ImportSummary> send(Piece& piece) {
    ServerRequest request;
    request.method = "POST";
    request.target = target_;
    if (!piece.traced.fields.empty()) request.target += "&fields=" + url_encode(piece.traced.fields);
    request.content_type = "application/x-weir-log";
    request.body = std::move(piece.traced.repeats);
    request.body.push_back('\n');
    request.body += piece.traced.chunk.lines;
    auto answer = client_.send(request);
    if (answer) return transfer::ImportSummary::parse(answer->body);
    Error error = std::move(answer).error();
    if (lines_ > 0) error.message += " (what was imported stays; the same command goes on from there)";
    return error;
  }

  const Arguments& arguments_;
  const transfer::LogFormat format_;
  const transfer::LineRules rules_;
  std::string target_;
  SystemClock clock_;
  transfer::Preview preview_;
  Progress progress_;
  PatientClient client_;
  transfer::ImportReport report_;
  uint64_t lines_ = 0;
};

int import_access_log(const Invocation& invocation, const Arguments& arguments) {
  transfer::LogFormat format = transfer::LogFormat::automatic;
  if (!transfer::parse_log_format(arguments.format, format)) {
    std::fprintf(stderr, "weir: import: no format named %s: %s\n", arguments.format.c_str(),
                 std::string(transfer::kLogFormatNames).c_str());
    return 2;
  }
  if (arguments.follow && (arguments.dry_run || std::count(arguments.files.begin(), arguments.files.end(), "-") > 0)) {
    std::fputs("weir: import: --follow goes with files and a server, not with --dry-run or standard input\n", stderr);
    return 2;
  }
  transfer::LineRules rules;
  rules.keep_user = arguments.users ? transfer::KeepUser::yes : transfer::KeepUser::no;
  rules.pages_only = arguments.pages_only;
  transfer::parse_assets(arguments.assets, rules.assets);
  rules.hostname = transfer::hostname_of(arguments.host);
  if (rules.hostname.empty() && !arguments.host.empty()) {
    std::fprintf(stderr, "weir: import: --host: not the name of a host: %s\n", arguments.host.c_str());
    return 2;
  }
  if (arguments.project.empty() && !arguments.dry_run) {
    std::fputs("weir: import: --project is required\n", stderr);
    return 2;
  }
  if (std::count(arguments.files.begin(), arguments.files.end(), "-") > 1) {
    std::fputs("weir: import: standard input is named twice\n", stderr);
    return 2;
  }
  return Import(invocation, arguments, format, rules).run();
}
}  // namespace

void add_import_commands(CLI::App& cli, Invocation& invocation) {
  CLI::App* import = cli.add_subcommand("import", "Bring in history that was recorded elsewhere");
  import->require_subcommand(1);
  CLI::App* log = import->add_subcommand("access-log", "Import access logs of nginx, Apache, Caddy, CloudFront or IIS");
  log->footer(
      "Packed logs (gzip, xz, zstd) are told by their content. A line counts once however often its file comes, "
      "renamed,\n"
      "rotated, grown or cut: an import that was interrupted goes on when the same command is given again.");
  auto arguments = std::make_shared<Arguments>();
  log->add_option("--project", arguments->project, "Where the events go");
  log->add_option("--format", arguments->format, std::string(transfer::kLogFormatNames))->capture_default_str();
  log->add_option(
         "--assets", arguments->assets,
         "Requests for pictures, scripts, styles...: keep them as `request`, mark them as `asset`, or skip them")
      ->check(CLI::IsMember({"keep", "mark", "skip"}))
      ->capture_default_str();
  log->add_option("--host", arguments->host,
                  "The site's host, for lines that name none: tells links within the site from other sites' links");
  log->add_flag("--pages-only", arguments->pages_only, "Take pageviews only: no assets, redirects, errors, posts");
  log->add_flag("--follow", arguments->follow,
                "Go on as the files grow, across rotations, until SIGINT or SIGTERM; waits for a server that restarts");
  log->add_flag("--users", arguments->users, "Keep the names of HTTP authentication, as user_id");
  log->add_flag("--dry-run", arguments->dry_run, "Read and count only; needs no server");
  log->add_option("--output", arguments->output, "How the summary is written: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  log->add_option("FILE", arguments->files, "Logs; - is standard input")->required();
  log->callback([&invocation, arguments] {
    invocation.action = [&invocation, arguments] { return import_access_log(invocation, *arguments); };
  });
}

}  // namespace weir::app
