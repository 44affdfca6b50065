#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "weir/query/found_visits.h"
#include "weir/query/kept_answers.h"
#include "weir/query/question.h"
#include "weir/store/store.h"

namespace weir::query {

struct Money {
  std::string amount;  // decimal text
  std::string currency;
};
// What an answer shows in one place; nothing where there is no such number.
using Cell = std::variant<std::monostate, int64_t, double, std::string, Money>;

struct Compared {
  std::vector<Cell> dimensions;
  std::vector<Cell> metrics;
  std::vector<Cell> change;
};

struct AnswerRow {
  std::vector<Cell> dimensions;
  std::vector<Cell> metrics;
  // Of each metric, when the answer is out of a sample: how far from the truth it may be; nothing: not known.
  std::vector<std::optional<double>> errors = {};
  std::optional<Compared> compared = {};
};

struct Answer {
  std::vector<AnswerRow> rows;
  uint64_t total_rows = 0;
  std::vector<Slot> slots;  // of the question's time
  std::vector<std::pair<std::string, uint64_t>> coverage;
  std::vector<std::string> sql;
  std::vector<std::string> warnings;
  std::chrono::milliseconds elapsed{0};
  uint64_t rows_read = 0;  // by the store
  bool rolled_up = false;  // the rows come from roll-ups
  bool set_aside = false;  // or from those of visits that were set aside
  uint32_t one_in = 1;     // of so many visitors one was looked at (sampling.h)
};

// What one question may cost.
struct AskLimits {
  std::chrono::milliseconds timeout{60'000};
  uint64_t rows_read_max = 4'000'000'000;
  uint64_t memory_bytes_max = 0;  // 0: the store's own limit
  // Asked about once a second: whether nobody wants the answer any more.
  std::function<bool()> abandoned = {};
  // Of this store, for all who ask it; null: nothing is kept.
  KeptAnswers* kept = nullptr;
  FoundVisits* found = nullptr;
  // Who has to look through at least so many rows answers out of a sample, where that will do; 0: never.
  uint64_t sample_rows = 0;
};

// The relative error that an answer with accuracy "fast" stays within, but for one answer in some hundreds: three
// standard errors of uniqCombined64 with 2^17 cells. Counts and sums are exact all the same.
inline constexpr double kErrorBound = 0.01;

// Answers a question from the store. Blocking, thread-safe.
// Errors: the store's, its messages without SQL; kTooLarge (more buckets than kSlotsMax).
Result<Answer> ask(store::Store& store, const Question& question, const AskLimits& limits);

enum class AnswerForm : uint8_t { json, csv, json_lines, parquet, arrow };
bool parse_answer_form(std::string_view name, AnswerForm& form);
std::string_view content_type_of(AnswerForm form);

// The answer with its meta data and the question as it was understood.
std::string to_json(const Question& question, const Answer& answer);
// Its rows alone. A cell that a spreadsheet could take for a formula gets a quote before it.
std::string to_csv(const Question& question, const Answer& answer);
std::string to_json_lines(const Question& question, const Answer& answer);
// Its rows as the store writes them (parquet, arrow), without comparison. Blocking. Errors: as ask().
Result<std::string> ask_for_file(store::Store& store, const Question& question, AnswerForm form,
                                 const AskLimits& limits);

// All of it: reads the question, answers it, writes the answer. Blocking, thread-safe.
// Errors: those of parse_question(), ask() and ask_for_file().
Result<std::string> answer_question(store::Store& store, std::string_view json, const Context& context, AnswerForm form,
                                    const AskLimits& limits);

}  // namespace weir::query
