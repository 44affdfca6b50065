"""How long the project page takes: all its panels, over 30 days and 12 months, without a filter, with one and with two; and beside
5,000 events a second that are being captured. The rows `dashboard` of benchmarks/run."""
import concurrent.futures
import datetime
import http.client
import json
import statistics
import subprocess
import threading
import time

from harness import Failed, milliseconds, PeakMemory, wait_until, Weir

VISITORS = ["visitors", "percentage"]
# Projects with so many events have roll-ups (query.rollup_rows).
ROLLED_UP = 500_000
# A browser opens so many connections to one host.
CONNECTIONS = 6


def panel(dimension, metrics=VISITORS, filters=(), limit=9):
    return {"metrics": metrics, "dimensions": [dimension], "filters": list(filters), "pagination": {"limit": limit, "offset": 0},
            "include": {"total_rows": True}}


# What the page asks when it opens, tab by tab.
PANELS = {
    "top numbers": {"metrics": ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"],
                    "include": {"comparisons": {"mode": "previous_period"}}},
    "graph": {"metrics": ["visitors"], "dimensions": ["time"], "include": {"time_labels": True}},
    "time on page": {"metrics": ["time_on_page", "scroll_depth"]},
    "coverage": {"metrics": ["events"], "include": {"coverage": True}},
    "channels": panel("visit:channel"),
    "sources": panel("visit:source"),
    "campaigns": panel("visit:utm_campaign"),
    "pages": panel("event:page", filters=[["is", "event:name", ["pageview", "engagement"]]]),
    "entry pages": panel("visit:entry_page"),
    "exit pages": panel("visit:exit_page"),
    "countries": panel("visit:country", limit=300),
    "regions": panel("visit:region"),
    "cities": panel("visit:city"),
    "browsers": panel("visit:browser"),
    "systems": panel("visit:os"),
    "devices": panel("visit:device"),
    "events": panel("event:name", ["visitors", "events", "percentage"], filters=[["is_not", "event:name", ["engagement"]]]),
    "weekdays and hours": {"metrics": ["visitors"], "dimensions": ["time:weekday", "time:hour_of_day"]},
}
FILTERS = {"no filter": [], "one filter": [["is", "visit:country", ["DE"]]],
           "two filters": [["is", "visit:country", ["DE"]], ["is", "event:page", ["/pricing"]]]}
RANGES = {"30 days": 30, "12 months": 365}
# Must and aim of the whole page in seconds, by range and filters (100 M events).
LIMITS = {("30 days", "no filter"): (0.5, 0.1), ("30 days", "two filters"): (1, 0.3),
          ("12 months", "no filter"): (1, 0.2), ("12 months", "two filters"): (15, 4)}
# Until each panel shows something, be it an estimate.
FIRST_MUST = {("12 months", "two filters"): 1.5}


class Page:
    """Opens the page of a project again and again, each time a day further back, so that no answer is an old one."""

    def __init__(self, server, key, project, last):
        self.server, self.key, self.project, self.last = server, key, project, last
        self.opened = 0
        self.local = threading.local()

    def ask(self, question):
        """(seconds, the answer)"""
        begin = time.monotonic()
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=600)
        self.local.connection.request("POST", "/api/v1/query", json.dumps(question), {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        answer = self.local.connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise Failed(f"{answer.status}: {body}")
        return time.monotonic() - begin, body

    def is_rolled_up(self):
        days = [(self.last - datetime.timedelta(days=364)).isoformat(), self.last.isoformat()]
        return self.ask({"site_id": self.project, "timezone": "UTC", "date_range": days, "metrics": ["visitors"], "accuracy": "sampled"})[1]["meta"]["rolled_up"]

    def open(self, days, filters, pool):
        """{panel: (seconds, rows read)}, and the seconds until each panel has its first answer, and its exact one. What was estimated is asked
        for exactly when nothing waits for its first answer any more, as the page does."""
        last = self.last - datetime.timedelta(days=self.opened)
        self.opened += 1
        common = {"site_id": self.project, "timezone": "UTC", "date_range": [(last - datetime.timedelta(days=days - 1)).isoformat(), last.isoformat()]}
        begin = time.monotonic()
        followed = {"more_follow": True} if filters else {}
        questions = {name: {**common, **q, **followed, "filters": [*filters, *q.get("filters", [])]} for name, q in PANELS.items()}
        ask_all = lambda names, more: {name: future.result() for name, future in
                                       [(name, pool.submit(self.ask, {**questions[name], **more})) for name in names]}
        answers = ask_all(questions, {"accuracy": "sampled"})
        first = time.monotonic() - begin
        estimated = [name for name, (_, body) in answers.items() if not body["meta"]["exact"]]
        answers.update(ask_all(estimated, {}))
        whole = time.monotonic() - begin if estimated else first
        return {name: (seconds, body["meta"].get("rows_read")) for name, (seconds, body) in answers.items()}, first, whole


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def seeded(run, server, project, events):
    """A year of the invented company, and at rest."""
    done = subprocess.run([run.weir, "--data", server.data, "seed", "--project", project, "--events", str(events), "--days", "365"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed("weir seed: " + done.stderr.strip()[-300:])
    server.settle(3600)
    server.rest()


def dashboard(run):
    """The project page with all panels: seconds until the last has its answer. --dashboard-events says over how many; or
    --dashboard-data names a data directory that has them."""
    arguments = run.arguments
    server = Weir(run, data=arguments.dashboard_data)
    project = arguments.dashboard_project
    try:
        if not arguments.dashboard_data:
            seeded(run, server, project, arguments.dashboard_events)
        key = subprocess.run([run.weir, "--data", server.data, "key", "create", "--name", "dashboard", "--scope", "stats", "--format", "plain"],
                             capture_output=True, text=True, check=True).stdout.strip()
        count, last = server.query(f"select count(), max(toDate(timestamp)) from events where project = '{project}'").split("\t")
        page = Page(server, key, project, datetime.date.fromisoformat(last) - datetime.timedelta(days=1))
        if int(count) >= ROLLED_UP:
            wait_until(page.is_rolled_up, 3600, "summed up, and the sums compared with their rows", 5)  # making sums gives way to questions
        run.row(f"project page, {len(PANELS)} panels over {int(count) / 1e6:.1f} M events", "", "", "p50, p95 of all panels; slowest panel; rows read")
        for name, days in RANGES.items():
            for filters in FILTERS:
                measured(run, server, page, f"  {name}, {filters}", days, FILTERS[filters], LIMITS.get((name, filters)),
                         FIRST_MUST.get((name, filters)))
        load = subprocess.Popen([run.load_program, "--url", server.url, "--mode", "open", "--rate", "500", "--batch", "10", "--duration", "3600",
                                 "--warmup", "0", "--spread-addresses", "50000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for name, days in RANGES.items():
                measured(run, server, page, f"  {name}, no filter, beside 5k events/s", days, [], None)
        finally:
            load.terminate()
            load.wait()
    finally:
        server.stop()


def measured(run, server, page, what, days, filters, limits, first_must=None):
    """One row: the page opened --dashboard-rounds times, after once for the caches of the files."""
    firsts, pages, panels, read = [], [], {}, 0
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        page.open(days, filters, pool)
        with PeakMemory(server) as peak:
            for _ in range(run.arguments.dashboard_rounds):
                answers, first, seconds = page.open(days, filters, pool)
                firsts.append(first)
                pages.append(seconds)
                for name, (took, rows) in answers.items():
                    panels.setdefault(name, []).append(took)
                read = sum(rows or 0 for _, rows in answers.values())
    slowest = max(panels, key=lambda name: statistics.median(panels[name]))
    p50, p95 = quantile(pages, 0.5), quantile(pages, 0.95)
    must, aim = limits or (None, None)
    if firsts != pages:
        first50, first95 = quantile(firsts, 0.5), quantile(firsts, 0.95)
        run.row(f"{what}, first answers", f"{first_must:g} s" if first_must else "", "", f"{milliseconds(first50 * 1e6)}, {milliseconds(first95 * 1e6)}", "",
                *((first50 <= first_must,) if first_must else ()))
    run.row(what, f"{must:g} s" if must else "", f"{aim:g} s" if aim else "",
            f"{milliseconds(p50 * 1e6)}, {milliseconds(p95 * 1e6)}; {slowest} {milliseconds(statistics.median(panels[slowest]) * 1e6)}; "
            f"{read / 1e6:.1f} M rows; {peak.sum:.0f} MB", "", *((p50 <= must, p50 <= aim) if must else ()))
