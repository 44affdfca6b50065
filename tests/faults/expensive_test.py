"""Questions that cost much, and what they cost others: refused where they are beyond a limit, 503 where they are too many at once,
and capturing goes on meanwhile."""
import collections
import concurrent.futures
import json
import pathlib
import sys

import pytest

from oracle import Clients
from weir import Weir, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "queries"))
from asking import ask  # noqa: E402

EVENTS = 20_000
YEARS = ["2016-11-29", "2026-11-28"]


@pytest.fixture(scope="module")
def weir():
    with Weir(arguments=["--collect.rate_per_address", "0", "--api.query_waiting_max", "16"]) as server:
        server.admin = server.key("admin")
        server.run("seed", "--project", "website", "--events", EVENTS, "--days", "300", "--end", "2026-11-29", timeout=300)
        server.wait_loaded(300)
        yield server


def question(**more):
    return {"site_id": "website", "metrics": ["visitors"], "date_range": YEARS, **more}


def one_filter(f):
    return question(filters=[f])


def nested(depth):
    f = ["is", "event:page", ["/"]]
    for _ in range(depth):
        f = ["and", [f, f]]
    return f


REFUSED = {
    "minutes of ten years": question(dimensions=["time:minute"], include={"time_labels": True}),
    "hours of a hundred years": question(date_range=["1970-01-01", "2199-12-31"], dimensions=["time:hour"]),
    "many dimensions": question(dimensions=[f"event:props:p{n}" for n in range(50)]),
    "many metrics": question(metrics=["visitors"] * 100),
    "many values": one_filter(["is", "event:page", [f"/{n}" for n in range(100_000)]]),
    "many values, filter by filter": question(filters=[["is", "event:page", [f"/{n}-{m}" for m in range(100)]] for n in range(8)]),
    "long values": one_filter(["contains", "event:page", ["x" * 100_000]]),
    "many filters": question(filters=[["is", "event:page", ["/"]]] * 2_000),
    "deep filters": one_filter(nested(12)),
    "deep brackets": one_filter(json.loads("[" * 200 + "]" * 200)),
    "behaviour in behaviour": one_filter(["has_done", ["has_done", ["is", "event:page", ["/"]]]]),
    "a page of a million rows": question(dimensions=["event:page"], pagination={"limit": 1_000_000}),
    "a regular expression that unfolds": one_filter(["matches", "event:page", ["(((a{100}){100}){100}){100}"]]),
    "an alternation that unfolds": one_filter(["matches", "event:page", ["(x+x+)+y" * 300 + "{1000}"]]),
    "a back reference": one_filter(["matches", "event:page", ["(.*)\\1"]]),
    "a very long expression": one_filter(["matches", "event:page", ["(a|b)" * 20_000]]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_beyond_a_limit_is_refused(weir, name):
    status, answer = ask(weir, weir.admin, REFUSED[name])
    assert status in (400, 413), (status, answer)
    assert answer["error"]["code"] in ("bad_input", "too_large")
    assert len(answer["error"]["message"]) < 1000, "what was sent comes back"


def test_what_is_within_the_limits_is_answered(weir):
    """Ten years by the day, as many values as may be, expressions on which others backtrack without end."""
    status, answer = ask(weir, weir.admin, question(dimensions=["time:day"], pagination={"limit": 10_000}))
    assert status == 200 and 200 < len(answer["results"]) <= 301
    for f in (["is", "event:page", [f"/{n}" for n in range(500)]], ["matches", "event:page", ["(a+)+$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"]],
              ["matches_wildcard", "event:page", ["**" + "a**" * 50]], nested(5)):
        assert ask(weir, weir.admin, one_filter(f))[0] == 200, f


HEAVY = question(metrics=["visitors", "visits", "bounce_rate", "visit_duration", "time_on_page", "scroll_depth", "exit_rate"],
                 dimensions=["event:page", "visit:city", "visit:entry_page", "event:title"], pagination={"limit": 10_000},
                 filters=[["has_not_done", ["matches", "event:page", ["z$"]]], ["matches", "event:title", ["(.*)*"]]])


def test_a_hundred_at_once_are_answered_or_refused_and_capturing_goes_on(weir):
    """Half of them of one caller, who is stopped while others still find places."""
    def another(n):
        status, _, key = weir.request("POST", "/api/v1/keys", {"name": f"key {n}", "scope": "stats"}, {"Authorization": f"Bearer {weir.admin}"})
        assert status == 201, key
        return json.loads(key)["secret"]
    others = [another(n) for n in range(50)]
    with Clients(weir, 4, pause=0.01) as clients:
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda key: (key, *ask(weir, key, HEAVY, timeout=300)), [weir.admin] * 50 + others))
        taken = clients.acknowledged()
        assert taken > 0 and clients.repeated() == 0, "somebody was refused their events"
        of_one = collections.Counter(status for key, status, _ in answers if key == weir.admin)
        of_others = collections.Counter(status for key, status, _ in answers if key != weir.admin)
        assert of_one[200] > 0 and of_one[429] > 0 and set(of_one) <= {200, 429, 503, 504}, of_one
        assert of_others[200] > 0 and of_others[503] > 0 and set(of_others) <= {200, 503, 504}, of_others
        assert len({json.dumps(a["results"]) for _, status, a in answers if status == 200}) == 1
        assert {a["error"]["code"] for _, status, a in answers if status == 503} <= {"overloaded", "unavailable"}
        assert {a["error"]["code"] for _, status, a in answers if status == 429} == {"limited"}
        clients.check()
    assert ask(weir, weir.admin, question())[0] == 200


def test_who_goes_away_is_not_worked_for(weir):
    """More than there are threads and places: would they be worked through, nobody else was let in before."""
    room = lambda: ask(weir, weir.admin, question(), timeout=300)[0] == 200
    for _ in range(3):
        wait_for(room, "room", 120)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            def leave(_):
                try:
                    ask(weir, weir.admin, HEAVY, timeout=0.05)
                except OSError:
                    return True
                return False
            assert any(pool.map(leave, range(20)))
    wait_for(room, "room for somebody else", 120)


def sql(weir, statement, timeout):
    return weir.request("POST", "/api/v1/sql", statement, {"Authorization": f"Bearer {weir.admin}"}, timeout=timeout)[0]


def test_a_statement_without_output_ends_with_its_client(weir):
    """As many as there are threads, each of which would work for as long as a statement may, and say nothing meanwhile."""
    endless = "select sum(a.number * b.number) from numbers(1000000) a cross join numbers(1000000) b"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        def leave(_):
            with pytest.raises(OSError):
                sql(weir, endless, timeout=2)
        list(pool.map(leave, range(4)))
    assert sql(weir, "select 1", timeout=20) == 200
