#pragma once

#include "weir/api/workers.h"
#include "weir/base/clock.h"
#include "weir/http/router.h"
#include "weir/load/loader.h"
#include "weir/settings/settings.h"

namespace weir::app {

// POST /api/v1/journal/replay?partition=live|bulk, for the owner and keys of scope admin: compares all positions with
// the store's rows and answers when what was missing is there: {"partition":"live","compared":[0,1812],"missing":3}.
// POST /api/v1/journal/resend?partition=live|bulk, likewise: tries all dead letters again and answers what became of
// them: {"partition":"live","tried":2,"stored":1}.
//
// Keeps the references; they must outlive it. Stop the loaders before it: a replay waits for them.
class ReplayRoute {
 public:
  ReplayRoute(settings::Repository& settings, Clock& clock, load::Loader& live, load::Loader& bulk);
  void add(http::Router& router);

 private:
  // The loader of ?partition=, when the caller may ask for it.
  Result<load::Loader*> loader_for(const http::Request& request, std::string_view path, std::string& partition);

  settings::Repository& settings_;
  Clock& clock_;
  load::Loader& live_;
  load::Loader& bulk_;
  api::Workers workers_;
};

}  // namespace weir::app
