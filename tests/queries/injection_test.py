"""Texts of attacks in every parameter of a question: either they are refused with a message of weir's own, or they mean what is
written and nothing else."""
import json

import pytest

from asking import ask
from attacks import SQL
from weir import Weir

DAY = "2026-03-02"
TEXTS = [text for text in SQL if text.strip()]
# What only ClickHouse says, or a statement.
LEAKS = ("DB::", "Exception", "weir_data", "SELECT ", "FROM (", "uniqExact", "/tmp/", ".cc:")


@pytest.fixture(scope="module")
def weir():
    """One event for each text, which has it in every field that takes one."""
    with Weir(projects="shop,other", arguments=["--collect.rate_per_address", "0"]) as server:
        server.admin = server.key("admin")
        events = [{"type": text, "kind": "pageview", "user_id": f"u{n}", "timestamp": f"{DAY}T10:00:00Z", "path": "/" + text, "title": text, "locale": text,
                   "screen": text, "appVersion": text, "referrer": text, "details": {text: text, "plan": text}}
                  for n, text in enumerate(TEXTS)]
        status, _, body = server.send(events, app="shop")
        assert status == 201 and json.loads(body)["rejected"] == []
        server.send([{"type": "secret-of-another", "user_id": "x", "timestamp": f"{DAY}T10:00:00Z"}], app="other")
        server.wait_loaded()
        yield server
        assert server.count() == len(TEXTS) + 1


def question(**more):
    return {"site_id": "shop", "metrics": ["events"], "date_range": [DAY, DAY], **more}


def answered(weir, body):
    status, answer = ask(weir, weir.admin, body)
    assert status in (200, 400, 404, 413), (status, answer, body)
    if status != 200:
        said = answer["error"]["message"]
        rest = said
        for text in sorted(SQL, key=len, reverse=True):  # what was sent may be shown
            rest = rest.replace(text, "").replace(json.dumps(text)[1:-1], "")
        assert not [leak for leak in LEAKS if leak in rest], (said, body)
        return None
    assert "secret-of-another" not in json.dumps(answer), body
    return answer


def count(weir, filters):
    answer = answered(weir, question(filters=filters))
    assert answer is not None, filters
    return answer["results"][0]["metrics"][0]


FIELDS = {"event:name": "{}", "event:title": "{}", "event:page": "/{}", "event:app_version": "{}", "event:props:plan": "{}",
          "visit:locale": "{}", "visit:screen": "{}", "visit:referrer": "{}", "visit:entry_page": "/{}"}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_value_means_itself(weir, text):
    for dimension, form in FIELDS.items():
        value = form.format(text)
        assert count(weir, [["is", dimension, [value]]]) == 1, (dimension, value)
        assert count(weir, [["is_not", dimension, [value]]]) == len(TEXTS) - 1, (dimension, value)
        assert count(weir, [["is", dimension, [value, "no such"]]]) == 1, (dimension, value)
        assert count(weir, [["contains", dimension, [value]]]) == sum(value in form.format(t) for t in TEXTS), (dimension, value)
        wild = count(weir, [["matches_wildcard", dimension, [value]]])
        assert wild == 1 if "*" not in value else wild >= 1, (dimension, value)
        answered(weir, question(filters=[["matches", dimension, [value]]]))
        assert count(weir, [["has_done", ["is", dimension, [value]]]]) == 1


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_name_is_one_of_the_list_or_refused(weir, text):
    """A property's name is any text."""
    rows = answered(weir, question(dimensions=[f"event:props:{text}"], pagination={"limit": 10_000}))["results"]
    assert sorted((row["dimensions"][0], row["metrics"][0]) for row in rows) == sorted([(text, 1), ("(none)", len(TEXTS) - 1)])
    assert count(weir, [["is", f"event:props:{text}", [text]]]) == 1
    refused = [
        question(metrics=[text]), question(metrics=["events", f"events{text}"]), question(dimensions=[text]),
        question(dimensions=[f"event:{text}"]), question(dimensions=[f"time:{text}"]), question(dimensions=[f"visit:{text}"]),
        question(filters=[[text, "event:name", ["x"]]]), question(filters=[["is", text, ["x"]]]), question(filters=[text]),
        question(filters=[["is", "segment", [text]]]), question(filters=[["is", "event:goal", [text]]]),
        question(filters=[["greater", "event:props:plan", [text]]]), question(filters=[["is", "event:name", ["x"], {text: True}]]),
        question(order_by=[[text, "asc"]]), question(order_by=[["events", text]]), question(date_range=text),
        question(date_range=[text, DAY]), question(date_range=[DAY, f"{DAY}{text}"]), question(relative_date=text),
        question(timezone=text), question(timezone=f"Europe/Berlin{text}"), question(traffic=[text]), question(accuracy=text),
        question(pagination={"limit": text}), question(pagination={"offset": text}), question(pagination={text: 1}),
        question(include={text: True}), question(include={"comparisons": {"mode": text}}),
        question(include={"comparisons": {"mode": "custom", "date_range": [text, DAY]}}), question(**{text: 1}),
        {**question(), "site_id": text},
    ]
    for body in refused:
        assert answered(weir, body) is None, body


def test_goals_and_segments_mean_themselves(weir):
    """Texts in what people make, not only in what is asked."""
    for n, text in enumerate(TEXTS):
        for body in ({"event": text}, {"page": "/" + text.replace("*", "")}, {"event": text, "property": {"name": text, "value": text}}):
            name = f"{text} {n} {len(body)} {next(iter(body))}".strip()
            status, goal = ask(weir, weir.admin, {"project": "shop", "name": name, **body}, "/api/v1/goals")
            assert status == 201, goal
            assert count(weir, [["is", "event:goal", [name]]]) == 1 or "*" in text, body
            rows = answered(weir, question(dimensions=["event:goal"]))["results"]
            assert (name, 1) in [(row["dimensions"][0], row["metrics"][0]) for row in rows] or "*" in text
            assert weir.request("DELETE", f"/api/v1/goals/{goal['id']}", headers={"Authorization": f"Bearer {weir.admin}"})[0] == 204
    for text in TEXTS:
        status, segment = ask(weir, weir.admin, {"project": "shop", "name": text, "filters": [["is", "event:name", [text]]]}, "/api/v1/segments")
        assert status == 201, segment
        assert count(weir, [["is", "segment", [segment["id"]]]]) == 1
        assert weir.request("DELETE", f"/api/v1/segments/{segment['id']}", headers={"Authorization": f"Bearer {weir.admin}"})[0] == 204


def test_the_statement_that_is_shown_answers_the_same(weir):
    """`include.sql` is written with the values in it; whoever runs it gets the same numbers."""
    for text in TEXTS:
        answer = answered(weir, question(dimensions=["event:title"], filters=[["is", "event:props:plan", [text]]], include={"sql": True}))
        assert [row["dimensions"] + row["metrics"] for row in answer["results"]] == [[text, 1]]
        rows = weir.query(answer["meta"]["sql"][0])
        assert [[row[0], int(row[1])] for row in rows] == [[text, 1]], (text, rows)
