"""Questions that sums of days and months can answer, about the same random history: the answers are the reference's, not one number may
differ; with all days summed up, with days that are told late and not summed up again yet, and with sums that were lost. And any questions with
filters, answered from the rows of visits that were set aside for more questions about the same.

WEIR_ROLLED_QUESTIONS says how many of each, WEIR_QUESTION_SEED which."""
import datetime
import itertools
import json
import os
import shutil

import pytest

from asking import ask, differences, make
from events import exported
from history import GOALS, random_history, send, shuffled
from questions import Questions, relative_date
from reference import Reference
from times import days_of, zone_of
from weir import Weir, wait_for

COUNT = int(os.environ.get("WEIR_ROLLED_QUESTIONS", "30"))
SEED = int(os.environ.get("WEIR_QUESTION_SEED", "1"))
EVENTS = int(os.environ.get("WEIR_QUESTION_EVENTS", "1500"))
ZONES = ["UTC", "America/St_Johns"]
ARGUMENTS = ["--collect.rate_per_address", "0", "--query.rollup_rows", "1", "--query.rollup_share", "100"]


def rolled_up(server, least=10):
    """Waits until every past day that has its events is summed up, and the months of them: more than `least` since the start."""
    begun = server.metrics()["weir_rollup_rounds_total"]
    def check():
        values = server.metrics()
        return values["weir_rollup_rounds_total"] > begun + 2 and values["weir_rollup_days_missing"] == 0 and values["weir_rollup_spans_total"] > least
    wait_for(check, "all days are summed up", 300)


def compare(server, zone, count, seed, least):
    """Asks; at least the share `least` must have been answered from sums."""
    reference = Reference(exported(server, "shop"), [], {})
    questions = Questions(reference, seed)
    wrong, from_sums = [], 0
    for n in range(count):
        question = {"site_id": "shop", "relative_date": relative_date(), **questions.next_of_days(zone)}
        status, answer = ask(server, server.admin, question)
        found = differences(question, answer, reference, days_of([relative_date()])[0]) if status == 200 else [str(answer)]
        from_sums += status == 200 and answer["meta"]["rolled_up"]
        if status == 200 and ask(server, server.admin, question)[1]["results"] != answer["results"]:
            found.append("asked again it is another answer")
        if status == 200 and question["dimensions"]:
            found += page_faults(server, question, answer, questions.rng)
        if found:
            wrong.append(f"question {n}: {json.dumps(question, ensure_ascii=False)}\n  " + "\n  ".join(found[:5]))
    assert not wrong, f"{len(wrong)} of {count} (seed {seed}):\n" + "\n".join(wrong[:20])
    assert from_sums >= least * count, f"only {from_sums} of {count} answers came from sums"


def compare_set_aside(server, count, seed, least):
    """Asks what sums say nothing of; at least the share `least` must have been answered from rows that were set aside."""
    reference = Reference(exported(server, "shop"), GOALS, {})
    questions = Questions(reference, seed)
    wrong, set_aside = [], 0
    for n in range(count):
        filtered = next(q for q in iter(questions.next, None) if q["filters"] and '"has_' not in json.dumps(q["filters"]))
        question = {"site_id": "shop", "relative_date": relative_date(), **filtered, "more_follow": True}
        status, answer = ask(server, server.admin, question)
        found = differences(question, answer, reference, days_of([relative_date()])[0]) if status == 200 else [str(answer)]
        set_aside += status == 200 and answer["meta"]["set_aside"]
        if found:
            wrong.append(f"question {n}: {json.dumps(question, ensure_ascii=False)}\n  " + "\n  ".join(found[:5]))
    assert not wrong, f"{len(wrong)} of {count} (seed {seed}):\n" + "\n".join(wrong[:20])
    assert set_aside >= least * count, f"only {set_aside} of {count} answers came from rows that were set aside"


def trusts_sums(server):
    return ask(server, server.admin, {"site_id": "shop", "metrics": ["visitors"], "date_range": "all"})[1]["meta"]["rolled_up"]


def page_faults(server, question, answer, rng):
    """A page of the same answer is a piece of it; of long lists it is put together in another way."""
    limit, offset = rng.choice([1, 3, 9]), rng.choice([0, 0, 2])
    status, page = ask(server, server.admin, {**question, "pagination": {"limit": limit, "offset": offset}})
    if status != 200:
        return [str(page)]
    wrong = [] if page["results"] == answer["results"][offset:offset + limit] else [f"rows {offset} to {offset + limit}: {page['results']}"]
    if page["meta"]["total_rows"] != answer["meta"]["total_rows"]:
        wrong.append(f"{page['meta']['total_rows']} rows in all, on a page")
    return wrong


@pytest.fixture(scope="module", params=ZONES)
def told(request, tmp_path_factory):
    """A data directory whose project's days are summed up, its zone, and events that are still to be told."""
    zone, data = request.param, tmp_path_factory.mktemp("rolled") / "data"
    seed = SEED + ZONES.index(zone)
    history = shuffled(random_history(seed, EVENTS), seed)
    late, history = history[:EVENTS // 100], history[EVENTS // 100:]
    with Weir(data=data, projects="shop", arguments=[*ARGUMENTS, "--query.rollup_quiet", "0"]) as server:
        server.admin = server.key("admin")
        server.run("project", "set", "shop", "--time-zone", zone)
        server.wait_packs()
        send(server, history, "shop", server.admin)
        server.wait_visits()
        rolled_up(server)
        for goal in GOALS:
            make(server, "goals", goal)
        compare(server, zone, COUNT, seed, 0.6)
        compare_set_aside(server, COUNT, seed, 0.3)
    return data, zone, seed, late


def test_days_told_late_count_at_once_and_after_a_restart(told):
    data, zone, seed, late = told
    with Weir(data=data, projects="shop", arguments=[*ARGUMENTS, "--query.rollup_quiet", "1d"]) as server:
        server.admin = server.key("admin")
        server.wait_packs()
        wait_for(lambda: trusts_sums(server), "sums were compared with their rows", 120)
        send(server, late[:1], "shop", server.admin)
        server.wait_visits()
        wait_for(lambda: trusts_sums(server), "sums are believed again", 120)
        compare(server, zone, COUNT // 2, seed + 100, 0.3)
        compare_set_aside(server, COUNT, seed + 150, 0.1)
        send(server, late[1:], "shop", server.admin)
        server.wait_visits()
        compare(server, zone, COUNT // 2, seed + 200, 0)
    with Weir(data=data, projects="shop", arguments=[*ARGUMENTS, "--query.rollup_quiet", "0"]) as server:
        server.admin = server.key("admin")
        rolled_up(server, 0)
        compare(server, zone, COUNT // 2, seed + 300, 0.6)
        compare_set_aside(server, COUNT // 2, seed + 350, 0.3)


def test_sums_that_were_lost_are_made_again(told, tmp_path):
    data, zone, seed, _ = told
    copy = tmp_path / "data"
    shutil.copytree(data, copy, symlinks=True)
    parts = sorted(part for table in copy.glob("clickhouse/store/*/*") for part in table.glob("0_*") if (part / "visitors.bin").exists() or (part / "data.bin").exists())
    assert parts, "months are summed up"
    for part in parts:
        shutil.rmtree(part)
    with Weir(data=copy, projects="shop", arguments=[*ARGUMENTS, "--query.rollup_quiet", "0"]) as server:
        server.admin = server.key("admin")
        rolled_up(server, 0)
        assert "do not fit their rows" in server.log()
        compare(server, zone, COUNT // 2, seed + 400, 0.5)


def test_killed_while_days_are_summed_up(tmp_path):
    data, arguments = tmp_path / "data", [*ARGUMENTS, "--query.rollup_quiet", "0"]
    history = shuffled(random_history(SEED + 7, EVENTS), SEED + 7)
    with Weir(data=data, projects="shop", arguments=arguments) as server:
        server.admin = server.key("admin")
        server.wait_packs()
        send(server, history[:EVENTS // 2], "shop", server.admin)
        server.wait_visits()
        wait_for(lambda: server.metrics().get("weir_rollup_spans_total", 0) > 2, "days are being summed up", 120)
        send(server, history[EVENTS // 2:], "shop", server.admin)
        server.kill()
    for _ in range(2):
        with Weir(data=data, projects="shop", arguments=arguments) as server:
            server.admin = server.key("admin")
            wait_for(lambda: server.metrics().get("weir_rollup_spans_total", 0) > 2, "days are being summed up", 120)
            server.kill()
    with Weir(data=data, projects="shop", arguments=arguments) as server:
        server.admin = server.key("admin")
        server.wait_visits()
        rolled_up(server)
        compare(server, "UTC", COUNT, SEED + 7, 0.6)


# What counts as this day, even if it ends meanwhile.
THIS_DAY = datetime.datetime.now(zone_of("Europe/Berlin")).date().isoformat()
TODAYS = [{"metrics": ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration", "time_on_page", "scroll_depth"],
           "include": {"coverage": True, "comparisons": {"mode": "previous_period"}}},
          {"metrics": ["visitors", "visits"], "dimensions": ["time:day"]},
          {"metrics": ["visitors"], "dimensions": ["time:weekday", "time:hour_of_day"]},
          {"metrics": ["visitors", "percentage", "time_on_page"], "dimensions": ["event:page"],
           "filters": [["is", "event:name", ["pageview", "engagement"]]], "pagination": {"limit": 9}},
          *({"metrics": ["visitors", "percentage", "visits", "bounce_rate"], "dimensions": [dimension], "pagination": {"limit": 9},
             "include": {"total_rows": True}} for dimension in ("visit:entry_page", "visit:exit_page", "visit:country", "visit:channel"))]
FILTERED = [{**question, "filters": [["is", "visit:device", ["desktop"]], ["contains", "event:page", ["o"]], *question.get("filters", [])],
             "more_follow": True} for question in TODAYS]
TODAYS += FILTERED
RANGES = ("day", "7d", "30d", "month", "12mo", "all")


def todays(server):
    answers = {}
    for date_range in RANGES:
        for n, question in enumerate(TODAYS):
            question = json.loads(json.dumps({"site_id": "shop", "date_range": date_range, "relative_date": THIS_DAY, **question}))
            if date_range == "all":
                question.get("include", {}).pop("comparisons", None)
            status, answer = ask(server, server.admin, question)
            assert status == 200, answer
            answers[date_range, n] = (answer["results"], answer["meta"].get("total_rows"), answer["meta"].get("coverage"))
            for way in ("rolled_up", "set_aside"):
                answers[way] = answers.get(way, 0) + answer["meta"][way]
    return answers


def test_a_history_to_this_day_answers_alike_with_and_without_sums(tmp_path):
    data, plain = tmp_path / "data", ["--query.rollup_rows", "1000000000"]
    with Weir(data=data, projects="shop", arguments=plain) as server:
        server.admin = server.key("admin")
        server.run("project", "set", "shop", "--time-zone", "Europe/Berlin")
        server.wait_packs()
        server.run("seed", "--project", "shop", "--events", "5000", "--days", "120")
        server.wait_visits()
        expected = todays(server)
        assert (expected.pop("rolled_up"), expected.pop("set_aside")) == (0, 0)
    with Weir(data=data, projects="shop", arguments=[*ARGUMENTS, "--query.rollup_quiet", "0"]) as server:
        server.admin = server.key("admin")
        rolled_up(server)
        answers = todays(server)
        # "day" holds no day that has ended, and on the first of a month "month" holds none either.
        whole = sum(date_range not in ("day", *(["month"] if THIS_DAY.endswith("-01") else [])) for date_range in RANGES)
        assert answers.pop("rolled_up") >= 0.5 * whole * len(TODAYS)
        assert answers.pop("set_aside") >= 0.4 * whole * len(TODAYS)
    assert answers == expected


def test_estimates_are_the_same_with_and_without_kept_rows(tmp_path):
    """One visitor in 64, where the rows of days that have sums are kept apart, and one day that has none."""
    data, plain = tmp_path / "data", ["--query.rollup_rows", "1000000000", "--query.sample_rows", "1"]
    late = {"type": "pageview", "url": "https://shop.example/late", "id": "late", "visitor": "somebody",
            "timestamp": (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=20)).isoformat()}

    def estimates(server):
        server.wait_visits()
        answers = {}
        for date_range, (n, question) in itertools.product(("7d", "30d", "month", "12mo"), enumerate(FILTERED)):
            for more in ({}, {"more_follow": False, "filters": [["has_done", ["contains", "event:page", ["o"]]]]}):
                question = {"site_id": "shop", "date_range": date_range, "relative_date": THIS_DAY, **question, **more, "accuracy": "sampled"}
                status, answer = ask(server, server.admin, question)
                assert status == 200, answer
                assert answer["meta"]["sampled"] == 1 / 64
                answers[date_range, n, bool(more)] = (answer["results"], answer["meta"].get("total_rows"))
        return answers

    with Weir(data=data, projects="shop", arguments=plain) as server:
        server.admin = server.key("admin")
        server.run("project", "set", "shop", "--time-zone", "Europe/Berlin")
        server.wait_packs()
        server.run("seed", "--project", "shop", "--events", "40000", "--days", "60")
        expected = estimates(server)
    assert sum(len(results) > 2 for results, _ in expected.values()) > len(expected) / 4, "there is something to estimate"
    with Weir(data=data, projects="shop", arguments=[*ARGUMENTS, "--query.rollup_quiet", "10m", "--query.sample_rows", "1"]) as server:
        server.admin = server.key("admin")
        rolled_up(server)
        assert estimates(server) == expected
        send(server, [late], "shop", server.admin)
        server.wait_visits()
        again = estimates(server)
    with Weir(data=data, projects="shop", arguments=plain) as server:
        server.admin = server.key("admin")
        assert again == estimates(server)
