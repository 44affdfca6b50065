#pragma once

#include <memory>
#include <string>

#include "weir/api/gate.h"
#include "weir/api/sessions.h"
#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/http/router.h"
#include "weir/settings/sealer.h"
#include "weir/settings/settings.h"

namespace weir::api {

// How people come in and what they do with their own account: /api/v1/session, /setup, /invitations/look and /accept,
// /share, /account, and those of others: /users, as far as passwords are set. docs/http-api.md says what each answers.
//
// Thread-safe. Two threads of its own: "api-people" for the database, "api-passwords".
class People {
 public:
  struct Dependencies {
    settings::Repository& settings;
    Clock& clock;
    const Gate& gate;
    Sessions& sessions;
    metrics::Registry& registry;
    const settings::Sealer& sealer;
  };
  // Keeps the dependencies' references; they must outlive it.
  explicit People(const Dependencies& dependencies);
  ~People();

  void add_routes(http::Router& router);

  // What makes the first account, once, while there is none: the part behind # of /ui/setup#TOKEN. Another at each
  // start. Empty when there is an account.
  std::string setup_token() const;

  // Joins the threads. Between the server's drain() and its destruction.
  void stop();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace weir::api
