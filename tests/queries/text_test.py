"""The *.test files beside this one: a small history, questions, and the answers they must get, by the query API and by the
reference.

A file is blocks of lines; `#` begins a comment.

    zone Europe/Berlin                                of the project; times of the history are local there
    goal {"name": "Signed up", "event": "signup"}     also `segment {"name": ..., "filters": [...]}`
    rule path /admin* internal                        labels events, before they come

    ann  2026-03-02 10:00:00  pageview /pricing  source=newsletter plan=pro
    ann  +1m30s               signup             revenue=12.50EUR

    ask visitors bounce_rate                          metrics
    by visit:source                                   dimensions
    in 2026-03-01 2026-03-31                          date_range; one word is a preset
    today 2026-03-10                                  what presets count from
    zone Asia/Kathmandu                               the viewer's, if not the project's
    where ["is", "event:page", ["/pricing"]]          one filter a line
    with {"include": {"total_rows": true}}            other fields of the request
    answer
      newsletter | 1 | 0                              dimensions, then metrics; `-` is null
    meta total_rows 1                                 a field of the answer's meta, as JSON

With a comparison each metric is written `now < before (change)`. An answer `error TEXT` is a 400 whose message holds TEXT."""
import datetime
import json
import pathlib
import re

import pytest

from asking import ask, differences
from events import exported, journal_of
from reference import Reference
from times import zone_of
from weir import Weir

FILES = sorted(pathlib.Path(__file__).parent.glob("*.test"))
FIELDS = {"referrer": "referrer", "title": "title", "agent": "user_agent", "ip": "ip", "version": "appVersion", "session": "session_id",
          "locale": "locale", "screen": "screen", "id": "id"}
TAGS = {"source": "utm_source", "medium": "utm_medium", "campaign": "utm_campaign", "term": "utm_term", "content": "utm_content"}
SPANS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


class File:
    """One *.test file, read."""

    def __init__(self, path):
        self.project, self.zone = path.stem.replace("_", "-"), "UTC"
        self.goals, self.segments, self.rules, self.events, self.asked = [], [], [], [], []
        self.last = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                self.read(line.split("  #")[0].rstrip() if not line.startswith("#") else "", number)
            except Exception as error:
                raise AssertionError(f"{path.name}:{number}: {error!r}: {line}") from error

    def read(self, line, number):
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        question = self.asked[-1] if self.asked else None
        if line.startswith("  "):
            question["answer"].append([cell.strip() for cell in line.strip().split(" | ")])
        elif word == "ask":
            self.asked.append({"line": number, "metrics": rest.split(), "by": [], "where": [], "with": {}, "meta": [], "answer": None})
        elif question is not None and word:
            self.read_question(question, word, rest)
        elif word == "zone":
            self.zone = rest
        elif word in ("goal", "segment"):
            getattr(self, word + "s").append(json.loads(rest))
        elif word == "rule":
            self.rules.append(rest.split())
        elif word:
            self.events.append(self.read_event(word, rest.split()))

    def read_question(self, question, word, rest):
        if word == "by":
            question["by"] = rest.split()
        elif word == "where":
            question["where"].append(json.loads(rest))
        elif word == "in":
            question["in"] = rest if len(rest.split()) == 1 else rest.split()
        elif word in ("today", "zone", "error"):
            question[word] = rest
        elif word == "with":
            question["with"] = json.loads(rest)
        elif word == "meta":
            name, _, value = rest.partition(" ")
            question["meta"].append((name, json.loads(value)))
        else:
            assert word == "answer" and not rest, "unknown word"
            question["answer"] = []

    def read_event(self, who, words):
        if words[0].startswith("+"):
            time = self.last[who] + sum(int(n) * SPANS[unit] for n, unit in re.findall(r"(\d+)(ms|[dhms])", words.pop(0)))
        else:
            local = datetime.datetime.fromisoformat(f"{words.pop(0)}T{words.pop(0)}")
            local = local if local.tzinfo else local.replace(tzinfo=zone_of(self.zone))
            time = round(local.timestamp() * 1000)
        self.last[who] = time
        event = {"user_id": who, "timestamp": time, "id": f"{self.project}-{len(self.events)}", "type": words.pop(0)}
        if event["type"] in ("engagement", "identify"):
            event["kind"] = event["type"]
        if words and words[0].startswith("/"):
            event["path"] = words.pop(0)
        tags, host, details = {}, "site.example", {}
        for word in words:
            name, _, value = word.partition("=")
            value = value.replace("%20", " ")
            if name in FIELDS:
                event[FIELDS[name]] = value
            elif name in TAGS:
                tags[TAGS[name]] = value
            elif name == "host":
                host = value
            elif name == "revenue":
                event["revenue"] = {"amount": value[:-3], "currency": value[-3:]}
            else:
                details[name] = float(value) if re.fullmatch(r"-?\d+\.\d+", value) else int(value) if re.fullmatch(r"-?\d+", value) else value
        event["url"] = f"https://{host}{event.get('path', '/')}" + ("?" + "&".join(f"{k}={v}" for k, v in tags.items()) if tags else "")
        return {**event, **({"details": details} if details else {})}


@pytest.fixture(scope="module")
def weir():
    """With a project for each file; `weir.known`: by file, what is read of it, the reference, and the ids of segments by name."""
    with Weir(projects="unused", arguments=["--collect.rate_per_address", "0"]) as server:
        server.admin = server.key("admin")
        server.wait_packs()
        files = [(path, File(path)) for path in FILES]
        segments = {path: fill(server, file) for path, file in files}
        server.wait_visits()
        journal = journal_of(server)
        server.known = {}
        for path, file in files:
            filters = {segments[path][s["name"]]: s["filters"] for s in file.segments}
            server.known[path] = file, Reference(exported(server, file.project, journal), file.goals, filters), segments[path]
        yield server


def fill(weir, file):
    """Makes the project and what belongs to it; answers the ids of segments by name."""
    post = lambda kind, body: created(ask(weir, weir.admin, body, f"/api/v1/{kind}"))
    post("projects", {"name": file.project, "time_zone": file.zone})
    for kind, value, label in file.rules:
        post("rules", {"project": file.project, "kind": kind, "value": value, "label": label, "note": ""})
    for goal in file.goals:
        post("goals", {"project": file.project, **goal})
    ids = {s["name"]: post("segments", {"project": file.project, **s})["id"] for s in file.segments}
    status, _, body = weir.send(file.events, app=file.project, headers={"Authorization": f"Bearer {weir.admin}"})
    assert status == 201 and json.loads(body)["rejected"] == [], body
    return ids


def created(answer):
    assert answer[0] == 201, answer
    return answer[1]


def with_ids(value, ids):
    """Segments stand in the files by their names."""
    if isinstance(value, list) and value[1:2] == ["segment"]:
        return [*value[:2], [ids[name] for name in value[2]]]
    return [with_ids(part, ids) for part in value] if isinstance(value, list) else value


def cells(row):
    """A row of an answer as the files write it."""
    def text(value):
        if isinstance(value, dict):
            return f"{value['value']:g}{value['currency']}"
        return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    metrics = list(map(text, row["metrics"]))
    if row.get("comparison"):
        before, change = row["comparison"]["metrics"], row["comparison"]["change"]
        metrics = [f"{m} < {text(b)} ({text(c)})" for m, b, c in zip(metrics, before, change)]
    return [*map(str, row["dimensions"]), *metrics]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_file(weir, path):
    file, reference, ids = weir.known[path]
    assert file.asked
    for question in file.asked:
        body = {"site_id": file.project, "metrics": question["metrics"], "date_range": question["in"], "dimensions": question["by"],
                "filters": with_ids(question["where"], ids), "timezone": question.get("zone", file.zone),
                **({"relative_date": question["today"]} if "today" in question else {}), **question["with"]}
        status, answer = ask(weir, weir.admin, body)
        place = f"{path.name}:{question['line']}"
        if "error" in question:
            assert status == 400 and question["error"] in answer["error"]["message"], (place, status, answer)
            continue
        assert status == 200, (place, answer)
        assert list(map(cells, answer["results"])) == question["answer"], place
        for name, value in question["meta"]:
            assert answer["meta"].get(name) == value, (place, name, answer["meta"])
        if "pagination" not in body:
            today = datetime.date.fromisoformat(body.get("relative_date", "2000-01-01"))
            assert differences(body, answer, reference, today) == [], place
