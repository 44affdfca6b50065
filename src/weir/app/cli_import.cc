#include "weir/app/cli_import.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/app/patient_client.h"
#include "weir/app/progress.h"
#include "weir/base/queue.h"
#include "weir/base/random.h"
#include "weir/base/thread.h"
#include "weir/transfer/import_report.h"
#include "weir/transfer/log_source.h"
#include "weir/transfer/repeats.h"
#include "weir/transfer/scan.h"

namespace weir::app {

namespace {
constexpr size_t kChunkBytes = 2 * MiB;
constexpr size_t kChunksAhead = 4;
// A log of another format is told by its first lines.
constexpr uint64_t kGuessLines = 1000;

struct Arguments {
  std::string project;
  std::string format = "auto";
  std::string output = "text";
  bool users = false;
  bool dry_run = false;
  std::vector<std::string> files;
};

// What the reading thread hands over: a chunk ready to be sent, or the end of a file.
struct Piece {
  size_t file = 0;
  std::string packing;
  uint64_t size = 0;
  uint64_t read = 0;
  transfer::LogChunk chunk;  // count 0: the end of the file
  std::string repeats;
  uint64_t too_long = 0;  // at the end
  std::string error;      // at the end
};

// Reads one file after the other and cuts it into chunks, ahead of the sending. Confined to the reading thread.
class LogReading {
 public:
  LogReading(const std::vector<std::string>& files, BoundedQueue<Piece>& out) : files_(files), out_(out) {}

  void run() {
    for (size_t i = 0; i < files_.size() && !closed_; ++i) read(i);
    out_.close();
  }

 private:
  void read(size_t number) {
    Piece end;
    end.file = number;
    auto source = transfer::open_log(files_[number]);
    if (!source) {
      end.error = source.error().message;
      push(std::move(end));
      return;
    }
    transfer::RepeatWindow window(random_u64());
    transfer::ChunkCutter cutter(**source, kChunkBytes);
    while (!closed_) {
      auto chunk = cutter.next();
      if (!chunk) end.error = chunk.error().message;
      if (!chunk || chunk->count == 0) break;
      Piece piece;
      piece.repeats = repeats_of(*chunk, window);
      piece.chunk = *std::move(chunk);
      fill(piece, number, **source);
      push(std::move(piece));
    }
    fill(end, number, **source);
    end.too_long = cutter.too_long();
    push(std::move(end));
  }

  static void fill(Piece& piece, size_t number, const transfer::LogSource& source) {
    piece.file = number;
    piece.packing = source.packing();
    piece.size = source.total_bytes();
    piece.read = source.read_bytes();
  }

  static std::string repeats_of(const transfer::LogChunk& chunk, transfer::RepeatWindow& window) {
    std::vector<transfer::Repeat> repeats;
    std::string_view lines = chunk.lines;
    window.begin_chunk();
    for (uint32_t index = 0; !lines.empty(); ++index) {
      size_t newline = lines.find('\n');
      std::string_view text = lines.substr(0, newline);
      lines = newline == std::string_view::npos ? std::string_view() : lines.substr(newline + 1);
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
      if (uint32_t before = window.add(text); before > 0) repeats.push_back({index, before});
    }
    return transfer::write_repeats(repeats);
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
  Import(const Invocation& invocation, const Arguments& arguments, transfer::LogFormat format)
      : arguments_(arguments), format_(format), client_(invocation, progress_) {
    target_ = fmt::format("/api/v1/import/access-log?project={}&format={}&users={}", url_encode(arguments.project),
                          name_of(format), arguments.users ? "yes" : "no");
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
    Thread reading("import-read", [&] { LogReading(arguments_.files, queue).run(); });
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
    file.packing = piece.packing;
    if (piece.chunk.count == 0) {
      if (file.error.empty()) file.error = piece.error;
      file.summary.lines += piece.too_long;
      file.summary.skipped[static_cast<size_t>(transfer::Skip::too_long)] += piece.too_long;
      return {};
    }
    if (!file.error.empty()) return {};  // of another format: not read on
    uint64_t first_line = piece.chunk.first_line;
    if (first_line < kGuessLines && refuse_format(file, piece.chunk.lines)) return {};
    auto summary = arguments_.dry_run ? preview_.count(piece.chunk.lines, format_, clock_.now()) : send(piece);
    if (!summary) return std::move(summary).error();
    if (summary->lines != piece.chunk.count)
      return Error{ErrorCode::kCorrupt,
                   fmt::format("import: the server counted {} lines of {}", summary->lines, piece.chunk.count)};
    file.summary.add(*summary, first_line);
    lines_ += summary->lines;
    progress_.show([&](std::chrono::milliseconds took) {
      return transfer::progress_text(file.file, lines_, piece.read, piece.size, took);
    });
    return {};
  }

  // True when the file begins with lines of a known format that is not read.
  bool refuse_format(transfer::FileReport& file, std::string_view lines) {
    if (file.summary.combined + file.summary.common > 0) return false;
    transfer::LogLine ignored;
    std::string_view looks_like;
    for (uint64_t i = 0; i < kGuessLines && !lines.empty(); ++i) {
      size_t newline = lines.find('\n');
      std::string_view line = lines.substr(0, newline);
      lines = newline == std::string_view::npos ? std::string_view() : lines.substr(newline + 1);
      if (parse_line(line, format_, ignored) == transfer::LineFault::none) return false;
      if (looks_like.empty()) looks_like = transfer::resembles(line);
    }
    if (looks_like.empty()) return false;
    file.error =
        fmt::format("{}: looks like {}; the formats that can be read are combined and common", file.file, looks_like);
    return true;
  }

  Result<transfer::ImportSummary> send(Piece& piece) {
    ServerRequest request;
    request.method = "POST";
    request.target = target_;
    request.content_type = "application/x-weir-log";
    request.body = std::move(piece.repeats);
    request.body.push_back('\n');
    request.body += piece.chunk.lines;
    auto answer = client_.send(request);
    if (answer) return transfer::ImportSummary::parse(answer->body);
    Error error = std::move(answer).error();
    if (lines_ > 0) error.message += " (what was imported stays; the same command goes on from there)";
    return error;
  }

  const Arguments& arguments_;
  const transfer::LogFormat format_;
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
    std::fprintf(stderr, "weir: import: no format named %s: auto, combined or common\n", arguments.format.c_str());
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
  return Import(invocation, arguments, format).run();
}
}  // namespace

void add_import_commands(CLI::App& cli, Invocation& invocation) {
  CLI::App* import = cli.add_subcommand("import", "Bring in history that was recorded elsewhere");
  import->require_subcommand(1);
  CLI::App* log = import->add_subcommand("access-log", "Import access logs of nginx or Apache");
  log->footer(
      "Packed logs (gzip, xz, zstd) are told by their content. A line counts once however often its file comes, "
      "renamed,\n"
      "rotated, grown or cut: an import that was interrupted goes on when the same command is given again.");
  auto arguments = std::make_shared<Arguments>();
  log->add_option("--project", arguments->project, "Where the events go");
  log->add_option("--format", arguments->format, "auto, combined or common")->capture_default_str();
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
