#pragma once

#include "weir/api/gate.h"
#include "weir/api/workers.h"
#include "weir/http/router.h"
#include "weir/load/loader.h"
#include "weir/load/re_enricher.h"
#include "weir/settings/settings.h"

namespace weir::app {

// POST /api/v1/journal/replay?partition=live|bulk, for owners: compares all positions with
// the store's rows and answers when what was missing is there: {"partition":"live","compared":[0,1812],"missing":3}.
// POST /api/v1/journal/resend?partition=live|bulk, likewise: tries all dead letters again and answers what became of
// them: {"partition":"live","tried":2,"stored":1}.
// GET /api/v1/journal/days?project=P&from=2026-01-01&to=2026-01-31: the days on which there are rows, of all projects
// or one, both ends included: {"days":[{"project":"app","day":"2026-01-02","rows":12}]}. POST
// /api/v1/journal/re-enrich?project=P&day=2026-01-02: gives that day's rows what today's packs and rules say of them,
// and answers what changed: {"rows":12,"changed":3,"without_record":0,"without_personal":0,"columns":{"city":3}}.
//
// Keeps the references; they must outlive it. Stop the loaders before it: a replay waits for them.
class ReplayRoute {
 public:
  ReplayRoute(settings::Repository& settings, const api::Gate& gate, load::Loader& live, load::Loader& bulk,
              store::Store& store, const load::ReEnricher::Parts& re_enriching);
  void add(http::Router& router);

 private:
  void add_re_enriching(http::Router& router);
  Result<> authorize(const http::Request& request, http::Method method, std::string_view path) const;
  // The loader of ?partition=, when the caller may ask for it.
  Result<load::Loader*> loader_for(const http::Request& request, std::string_view path, std::string& partition);

  settings::Repository& settings_;
  const api::Gate& gate_;
  load::Loader& live_;
  load::Loader& bulk_;
  store::Store& store_;
  load::ReEnricher re_enricher_;  // of the worker thread
  api::Workers workers_;
};

}  // namespace weir::app
