"""Estimated answers stay within the bound that they state, and say that they are estimates; counts and sums are exact all the same."""
import pytest

from asking import ask
from weir import Weir

EVENTS = 150_000
QUESTIONS = [{}, {"dimensions": ["time:month"]}, {"dimensions": ["visit:country"]}, {"dimensions": ["event:page"]},
             {"dimensions": ["visit:source"], "filters": [["is_not", "visit:device", ["desktop"]]]},
             {"filters": [["contains", "event:page", ["/blog"]]]}]


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="site") as server:
        server.admin = server.key("admin")
        server.run("seed", "--project", "site", "--events", EVENTS, "--days", "90", "--end", "2026-11-29", timeout=300)
        server.wait_visits()
        yield server


def answer(weir, question, accuracy):
    status, body = ask(weir, weir.admin, {"site_id": "site", "date_range": ["2026-08-01", "2026-11-28"], "pagination": {"limit": 10_000}, "accuracy": accuracy,
                                          "metrics": ["visitors", "visits", "pageviews", "events"], **question})
    assert status == 200, body
    return body["meta"], {tuple(row["dimensions"]): row["metrics"] for row in body["results"]}


@pytest.mark.parametrize("question", QUESTIONS, ids=range(len(QUESTIONS)))
def test_estimates_are_within_their_bound(weir, question):
    (said, exact), (guessed, fast) = answer(weir, question, "exact"), answer(weir, question, "fast")
    assert said["exact"] is True and said["error_bound"] is None
    assert set(exact) == set(fast) and exact
    bound = 0 if guessed["exact"] else guessed["error_bound"]
    assert 0 <= bound <= 0.05
    for key, (visitors, visits, *counts) in exact.items():
        assert fast[key][2:] == counts, "counts are exact"
        for true, guess in ((visitors, fast[key][0]), (visits, fast[key][1])):
            assert abs(guess - true) <= bound * true, (key, true, guess)


def test_there_are_enough_to_be_estimated(weir):
    """Below some ten thousand the store would count one by one, and nothing be tried."""
    (meta, fast), (_, exact) = answer(weir, {}, "fast"), answer(weir, {}, "exact")
    assert meta["exact"] is False and exact[()][0] > 15_000
