#include "weir/collect/intake.h"

#include "weir/event/record.h"

namespace weir::collect {

namespace {
constexpr UnixMillis kOldest = 631'152'000'000;  // 1990-01-01
constexpr UnixMillis kAheadMax = kMillisPerDay;
// A client whose clock is this close to ours is believed: the difference is mostly the way here. Clients that repeat a
// request with the first attempt's sent_at would otherwise move their events by the delay.
constexpr UnixMillis kSkewBelieved = 150'000;
constexpr size_t kSealedKept = 4;
}  // namespace

Stamp stamp(UnixMillis received_at, std::optional<UnixMillis> client_time, std::optional<UnixMillis> sent_at) {
  if (!client_time) return {received_at, event::TimeRule::received, false};
  UnixMillis time = *client_time;
  if (sent_at) {
    UnixMillis skew = received_at - *sent_at;
    if (skew > kSkewBelieved || skew < -kSkewBelieved) time += skew;
  }
  if (time - received_at > kAheadMax) return {received_at, event::TimeRule::clamped, false};
  return {time, event::TimeRule::client, time < kOldest};
}

Intake::Verdict Intake::add(const settings::Project& project, const SentEvent& sent, journal::Records& records) {
  Stamp stamped = stamp(received_at_, sent.client_time, sent.sent_at);
  if (stamped.too_old) {
    why_ = sent.sent_at ? "`timestamp`: before 1990-01-01, taken together with `sent_at`"
                        : "`timestamp`: before 1990-01-01; a number counts milliseconds since 1970";
    return Verdict::rejected;
  }
  // A server speaks for a visitor: nothing of its own request is the visitor's.
  const bool named = !sent.ip.empty() || !sent.user_agent.empty();
  if (signal_ && !named && project.privacy_signals == settings::PrivacySignals::respect) {
    drop_reason_ = *signal_;
    return Verdict::dropped;
  }
  if (project.retention_days != 0 && stamped.time < received_at_ - project.retention_days * kMillisPerDay) {
    drop_reason_ = DropReason::retention;
    return Verdict::dropped;
  }

  settings::Personal visitors;
  if (named) {
    visitors.ip = sent.ip;
    visitors.user_agent = sent.user_agent;
  }
  const settings::Personal& personal = named ? visitors : sender_;

  event::Event event = sent.event;
  event.project_id = project.id;
  event.received_at = received_at_;
  event.time = stamped.time;
  event.time_rule = stamped.rule;
  event.protocol = protocol_;
  if (event.user_id.empty() && event.anonymous_id.empty()) {
    auto visitor = secrets_.visitor(project.id, event.time, received_at_, personal.ip, personal.user_agent);
    if (!visitor) {
      error_ = visitor.error();
      return Verdict::failed;
    }
    event.visitor = *visitor;
  }
  if (!personal.empty() && !seal(project.id, personal, event.personal)) return Verdict::failed;
  event::append_record(event, records.begin());
  records.end();
  return Verdict::accepted;
}

bool Intake::seal(ProjectId project, const settings::Personal& personal, std::string_view& sealed) {
  const bool sender = &personal == &sender_;
  for (const Sealed& known : sealed_) {
    if (known.project != project || known.sender != sender) continue;
    if (sender || (known.ip == personal.ip && known.user_agent == personal.user_agent)) {
      sealed = known.text;
      return true;
    }
  }
  auto text = secrets_.seal(project, received_at_, personal);
  if (!text) {
    error_ = text.error();
    return false;
  }
  if (sealed_.size() < kSealedKept) sealed_.emplace_back();
  Sealed& place = sealed_[next_sealed_++ % kSealedKept];
  place.project = project;
  place.sender = sender;
  if (!sender) {
    place.ip = personal.ip;
    place.user_agent = personal.user_agent;
  }
  place.text = std::move(*text);
  sealed = place.text;
  return true;
}

}  // namespace weir::collect
