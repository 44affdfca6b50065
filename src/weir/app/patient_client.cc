#include "weir/app/patient_client.h"

#include <algorithm>
#include <optional>
#include <string>
#include <thread>

namespace weir::app {

namespace {
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr milliseconds kFirstPause{250};
constexpr milliseconds kPauseMax{5000};
constexpr milliseconds kLook{50};  // for a stop, during a pause
}  // namespace

Result<IncomingAnswer> PatientClient::send(const ServerRequest& request) {
  std::optional<Steady::time_point> failing_since;
  milliseconds pause = kFirstPause;
  std::string told;
  while (true) {
    auto answer = app::request(invocation_, request);
    if (answer) {
      answered_ = true;
      return answer;
    }
    Steady::time_point now = Steady::now();
    if (!failing_since) failing_since = now;
    bool again = is_retryable(answer.error().code) && now - *failing_since < patience_ && !is_stopped() &&
                 (answered_ || answer.error().code != ErrorCode::kUnavailable);
    if (!again) return answer;
    if (answer.error().message != told) progress_.note(answer.error().message + "; trying again");
    told = answer.error().message;
    for (auto until = now + pause; Steady::now() < until && !is_stopped();) std::this_thread::sleep_for(kLook);
    pause = std::min(pause * 2, kPauseMax);
  }
}

}  // namespace weir::app
