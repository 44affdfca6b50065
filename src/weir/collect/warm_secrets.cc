#include "weir/collect/warm_secrets.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace weir::collect {

namespace asio = boost::asio;

WarmSecrets::WarmSecrets(settings::Secrets& secrets) : secrets_(secrets), jobs_(kWaitingMax) {
  thread_ = Thread("collect-secrets", [this] {
    while (auto job = jobs_.pop()) job->done(make(job->project, job->now));
  });
}

WarmSecrets::~WarmSecrets() { jobs_.close(); }

Result<> WarmSecrets::make(ProjectId project, UnixMillis now) {
  settings::Personal personal;
  personal.gpc = true;  // anything: sealing it makes the key of the day
  auto sealed = secrets_.seal(project, now, personal);
  if (!sealed) return std::move(sealed).error();
  // Events of yesterday are collected under yesterday's salt.
  for (UnixMillis day : {now, now - kMillisPerDay}) {
    auto visitor = secrets_.visitor(project, day, now, {}, {});
    if (!visitor) return std::move(visitor).error();
  }
  return {};
}

asio::awaitable<Result<>> WarmSecrets::warm(ProjectId project, UnixMillis now) {
  auto start = [this, project, now](auto handler) {
    auto executor = asio::get_associated_executor(handler);
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    auto done = [resume, work = asio::make_work_guard(executor)](Result<> result) {
      asio::post(work.get_executor(), [resume, result = std::move(result)]() mutable { (*resume)(std::move(result)); });
    };
    if (!jobs_.try_push(Job{project, now, done})) {
      done(Error{ErrorCode::kOverloaded, "collect: too many requests wait for the secrets of a new day"});
    }
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<>)>(std::move(start),
                                                                                         asio::use_awaitable);
}

}  // namespace weir::collect
