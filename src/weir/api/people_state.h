#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "weir/api/attempts.h"
#include "weir/api/body.h"
#include "weir/api/passwords.h"
#include "weir/api/people.h"
#include "weir/api/workers.h"

// What people.cc and account.cc share. Of these two alone.
namespace weir::api {

struct People::State : std::enable_shared_from_this<People::State> {
  using Answer = boost::asio::awaitable<http::Response>;
  using Handler = Answer (State::*)(http::Request& request, std::optional<Caller> caller);

  explicit State(const Dependencies& dependencies);

  void add(http::Router& router, http::Method method, const char* path, Handler handler);
  Answer answer(http::Request& request, const Access& access, Handler handler);

  // people.cc
  Answer get_session(http::Request& request, std::optional<Caller> caller);
  Answer sign_in(http::Request& request, std::optional<Caller> caller);
  Answer sign_out(http::Request& request, std::optional<Caller> caller);
  Answer set_up(http::Request& request, std::optional<Caller> caller);
  Answer look_at_invitation(http::Request& request, std::optional<Caller> caller);
  Answer accept_invitation(http::Request& request, std::optional<Caller> caller);
  Answer open_share(http::Request& request, std::optional<Caller> caller);

  // account.cc
  Answer get_account(http::Request& request, std::optional<Caller> caller);
  Answer change_account(http::Request& request, std::optional<Caller> caller);
  Answer list_sessions(http::Request& request, std::optional<Caller> caller);
  Answer end_session(http::Request& request, std::optional<Caller> caller);
  Answer offer_second_factor(http::Request& request, std::optional<Caller> caller);
  Answer confirm_second_factor(http::Request& request, std::optional<Caller> caller);
  Answer drop_second_factor(http::Request& request, std::optional<Caller> caller);
  Answer create_user(http::Request& request, std::optional<Caller> caller);
  Answer set_password(http::Request& request, std::optional<Caller> caller);
  Answer create_share(http::Request& request, std::optional<Caller> caller);

  // Who else a try is counted for than the address it comes from; without a name nobody.
  struct Counted {
    Attempts& by;
    std::string name;
  };
  Counted nobody_else() { return {attempts, ""}; }
  Counted caller_too(const Caller& caller) { return {attempts, caller.name()}; }
  // A try at the account of an email: the browser, where the account knows it; else the account, for all others.
  Counted at_account(const http::Request& request, std::string_view email, const settings::User* found);
  // Counts a try. An answer: too many.
  std::optional<http::Response> too_many(const http::Request& request, const Counted& counted);
  void forgive(const http::Request& request, const Counted& counted);
  // A session for `user`, in place of the one that the request brought, with what the page needs next.
  Answer begin_session(http::Request& request, settings::User user);
  // Whether this is the caller's own password. An answer: it is not, or too many tries.
  boost::asio::awaitable<std::optional<http::Response>> check_own_password(const http::Request& request,
                                                                           const Caller& caller, std::string password);

  template <class T>
  boost::asio::awaitable<Result<T>> on_thread(std::function<Result<T>()> work) {
    Result<T> done = co_await workers.run<T>(std::move(work));
    co_return done;
  }
  boost::asio::awaitable<Result<>> change(std::function<Result<>()> work);

  Dependencies depends;
  Attempts attempts;            // of addresses, people who are signed in, browsers that are known
  Attempts strangers_attempts;  // at accounts that do not know the browser
  Passwords passwords;
  Workers workers;
  std::string setup_token;

  struct Offer {
    std::string secret;
    UnixMillis until = 0;
  };
  std::mutex offers_mutex;         // guards offers
  std::map<UserId, Offer> offers;  // second factors that were offered and not confirmed yet
};

// With the one answer to all that is wrong.
http::Response refused(int status, std::string_view code, std::string_view message);

}  // namespace weir::api
