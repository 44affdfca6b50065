"""Estimates out of a sample of the visitors say what they are, and lie within the bounds that they state but for one number in a hundred."""
import itertools

import pytest

from asking import ask
from weir import Weir

EVENTS = 400_000
METRICS = ["visitors", "visits", "pageviews", "events", "views_per_visit", "bounce_rate", "visit_duration", "time_on_page", "scroll_depth", "entries", "exits",
           "exit_rate", "percentage", "visits_percentage", "pageviews_percentage", "events_percentage"]
OF_GOALS = ["visitors", "conversions", "conversion_rate", "group_conversion_rate", "total_revenue", "average_revenue"]
FILTERS = [[], [["has_done", ["contains", "event:page", ["/blog"]]]], [["is_not", "visit:device", ["desktop"]], ["contains", "event:page", ["/stations"]]]]
DIMENSIONS = [[], ["time:month"], ["time:day"], ["time:hour_of_day"], ["visit:country"], ["event:page"], ["visit:source"], ["visit:entry_page"], ["visit:exit_page"],
              ["visit:browser", "visit:os"], ["time:week", "visit:channel"]]


@pytest.fixture(scope="module")
def weir():
    # One visitor in 16 of the 400,000 events; the range of the comparison is half of that.
    with Weir(arguments=["--query.sample_rows", "190000"], projects="site") as server:
        server.admin = server.key("admin")
        server.run("seed", "--project", "site", "--events", EVENTS, "--days", "60", "--end", "2026-11-29", timeout=300)
        for goal in ({"name": "Bought", "event": "purchase", "currency": "EUR"}, {"name": "Read", "page": "/blog/**"}):
            assert ask(server, server.admin, {"project": "site", **goal}, "/api/v1/goals")[0] == 201
        server.wait_visits()
        yield server


def answer(weir, accuracy, **question):
    status, body = ask(weir, weir.admin, {"site_id": "site", "date_range": ["2026-10-01", "2026-11-28"], "metrics": METRICS, "accuracy": accuracy,
                                          "pagination": {"limit": 10_000}, **question})
    assert status == 200, body
    return body


def number(value):
    return value["value"] if isinstance(value, dict) else value


def misses(weir, **question):
    """Of the numbers that state a bound: how many there are, and those that are further from the truth."""
    truth = {tuple(row["dimensions"]): row["metrics"] for row in answer(weir, "exact", **question)["results"]}
    told, wrong = 0, []
    for row in answer(weir, "sampled", **question)["results"]:
        exact = truth.get(tuple(row["dimensions"]), [None] * len(row["metrics"]))
        for metric, guess, bound, true in zip(question.get("metrics", METRICS), row["metrics"], row["error_bounds"], exact):
            if bound is None:
                continue
            told += 1
            if abs((number(guess) or 0) - (number(true) or 0)) > bound + 1e-6:
                wrong.append((metric, row["dimensions"], guess, bound, true))
    return told, wrong


def test_says_that_it_is_an_estimate(weir):
    guess, truth = answer(weir, "sampled"), answer(weir, "exact")
    assert (truth["meta"]["exact"], truth["meta"]["sampled"], "error_bounds" in truth["results"][0]) == (True, None, False)
    assert (guess["meta"]["exact"], guess["meta"]["sampled"]) == (False, 1 / 16)
    visitors, bound = guess["results"][0]["metrics"][0], guess["results"][0]["error_bounds"][0]
    assert 0 < bound < visitors / 10, "a bound that says something"


def test_files_are_exact(weir):
    def lines(accuracy):
        status, _, body = weir.request("POST", "/api/v1/query?format=csv", {"site_id": "site", "date_range": "all", "metrics": METRICS, "accuracy": accuracy},
                                       {"Authorization": f"Bearer {weir.admin}", "Content-Type": "application/json"})
        assert status == 200
        return body
    assert lines("sampled") == lines("exact")


def test_numbers_are_within_their_bounds(weir):
    told, wrong = 0, []
    for dimensions, filters in itertools.product(DIMENSIONS, FILTERS):
        n, bad = misses(weir, dimensions=dimensions, filters=filters)
        told += n
        wrong += bad
    assert told > 3_000
    assert len(wrong) < told / 100, f"{len(wrong)} of {told}: {wrong[:20]}"


def test_goals_and_revenue_are_within_their_bounds(weir):
    told, wrong = 0, []
    for dimensions, filters in itertools.product([["event:goal"], ["event:goal", "visit:device"], ["time:month", "event:goal"]], FILTERS):
        n, bad = misses(weir, metrics=OF_GOALS, dimensions=dimensions, filters=filters)
        told += n
        wrong += bad
    assert told > 50
    assert len(wrong) <= told / 50, f"{len(wrong)} of {told}: {wrong[:20]}"


def test_compares_with_another_time(weir):
    body = answer(weir, "sampled", dimensions=["visit:country"], date_range=["2026-10-30", "2026-11-28"], include={"comparisons": {"mode": "previous_period"}})
    exact = {tuple(row["dimensions"]): row["comparison"]["metrics"][0]
             for row in answer(weir, "exact", dimensions=["visit:country"], date_range=["2026-10-30", "2026-11-28"],
                               include={"comparisons": {"mode": "previous_period"}})["results"]}
    first = body["results"][0]
    assert body["meta"]["exact"] is False
    assert first["comparison"]["metrics"][0] == pytest.approx(exact[tuple(first["dimensions"])], rel=0.2)
