#pragma once

#include "weir/api/gate.h"
#include "weir/base/clock.h"
#include "weir/http/router.h"
#include "weir/settings/settings.h"
#include "weir/transfer/import_thread.h"

namespace weir::app {

// Largest chunk of a log that one request may carry.
inline constexpr uint64_t kImportBodyBytesMax = 8u << 20;

// What `weir import access-log` sends chunks to, for who may manage the project:
//
//   POST /api/v1/import/access-log?project=P[&format=auto|combined|common|vhost|json|w3c][&users=yes]
//        [&assets=keep|mark|skip][&pages_only=yes][&host=www.example.org]
//        [&fields=(what a W3C log's #Fields line said before these lines)]
//   text/plain: lines of a log, taken for a file of their own
//   application/x-weir-log: the chunk's repeats (transfer/repeats.h), '\n', lines of the log
//   200 {"lines":..,"imported":..,...} (transfer/summary.h): every line counted as imported is durable
//
// Errors: 400, 401, 403, 404 (project), 413 (body above 8 MiB), 503 with Retry-After; the same chunk may be sent again
// after any of them. docs/formats/imports.md says more.
//
// And `weir seed`, for the same callers, again and again until it is done:
//
//   POST /api/v1/seed?project=P&events=N[&days=D][&seed=S][&end=2026-11-29]   without a body
//   200 {"events":N,"done":..,"seeded":..,"already":..} (transfer::SeedProgress): what counts as done is durable
//
// Keeps the references; they must outlive the router's use.
void add_import_routes(http::Router& router, settings::Repository& settings, const api::Gate& gate, Clock& clock,
                       transfer::ImportThread& importing);

}  // namespace weir::app
