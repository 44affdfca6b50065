#include "weir/query/kept_answers.h"

namespace weir::query {

size_t KeptAnswers::bytes_of(const std::string& statement, const Kept& kept) {
  constexpr size_t kAround = 200;  // the map's and the list's own
  return statement.size() + kept.answer->size() + kAround;
}

Result<std::string> KeptAnswers::of(const std::string& statement, const Find& find) {
  std::unique_lock lock(mutex_);
  while (true) {
    auto known = kept_.find(statement);
    if (known == kept_.end()) break;
    if (known->second.answer) {
      turns_.splice(turns_.end(), turns_, known->second.turn);
      return *known->second.answer;
    }
    found_.wait(lock);
  }
  kept_.try_emplace(statement);
  lock.unlock();
  Result<std::string> answer = find();
  lock.lock();
  auto mine = kept_.find(statement);
  constexpr size_t kShare = 32;  // one alone is not to push many others out
  if (answer && answer->size() <= bytes_max_ / kShare) {
    mine->second.answer = *answer;
    mine->second.turn = turns_.insert(turns_.end(), &mine->first);
    bytes_ += bytes_of(mine->first, mine->second);
    while (bytes_ > bytes_max_ && turns_.size() > 1) {
      auto oldest = kept_.find(*turns_.front());
      bytes_ -= bytes_of(oldest->first, oldest->second);
      turns_.pop_front();
      kept_.erase(oldest);
    }
  } else {
    kept_.erase(mine);
  }
  found_.notify_all();
  return answer;
}

}  // namespace weir::query
