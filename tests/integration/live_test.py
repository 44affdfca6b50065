"""What happens right now: the live stream over a real server, what weir tells of itself, and who may ask."""
import http.client
import json
import socket
import threading
import time
import urllib.parse

import pytest

from weir import Weir, wait_for

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"}


class Stream:
    """Reads server-sent events on a thread: `events` are (name, parsed data)."""

    def __init__(self, weir, query, key):
        self.connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=60)
        self.connection.request("GET", "/api/v1/live?" + query, headers={"Authorization": "Bearer " + key})
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.events = []
        self.ended = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        if self.status == 200:
            self.thread.start()

    def read(self):
        name = None
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line[6:])))
            self.ended = True
        except (OSError, http.client.HTTPException):
            pass  # closed by us

    def of(self, name):
        return [data for event, data in self.events if event == name]

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)


@pytest.fixture(scope="module")
def weir():
    with Weir() as server:
        yield server


def key(weir, scope, project=None):
    arguments = ["key", "create", "--name", f"{scope}-{time.monotonic_ns()}", "--scope", scope, "--format", "plain"]
    return weir.run(*arguments, *(["--project", project] if project else [])).stdout.decode().strip()


def test_events_are_seen_as_they_are_stored(weir):
    counts = Stream(weir, "project=app", key(weir, "stats"))
    rows = Stream(weir, "project=app&rows=yes", key(weir, "sql", "app"))
    signups = Stream(weir, "project=app&rows=yes&filter=" + urllib.parse.quote('[["is","name",["signup"]]]'),
                     key(weir, "sql"))
    wait_for(lambda: counts.of("now") and rows.of("now"), "counts")
    weir.send({"type": "pageview", "url": "https://example.com/a?utm_source=news"}, headers=BROWSER)
    weir.send({"type": "signup", "id": "first", "details": {"plan": "<b>\"pro\"\n"}}, headers=BROWSER)
    weir.send({"type": "elsewhere"}, app="website", headers=BROWSER)
    wait_for(lambda: len(rows.of("row")) >= 2 and signups.of("row"), "rows")
    # What is shown is stored, and says what the store says.
    shown = {row["event_id"]: row for row in rows.of("row")}
    assert [row["name"] for row in rows.of("row")] == ["pageview", "signup"]
    stored = json.loads(weir.run("query", "--format", "JSONEachRow",
                                 "select * from events where event_id = 'first'").stdout)
    row = shown["first"]
    for column in set(row) - {"visitor_id", "session_id"}:
        assert row[column] == stored[column], column
    assert row["visitor_id"] == str(stored["visitor_id"]) and row["session_id"] == str(stored["session_id"])
    assert "ip" not in row
    assert [row["event_id"] for row in signups.of("row")] == ["first"]
    wait_for(lambda: counts.of("now")[-1]["visitors"] == 1, "the visitor is counted")
    now = counts.of("now")[-1]
    assert (now["pageviews_30m"], now["events_30m"], now["visitors_30m"]) == (1, 2, 1)
    assert now["pages"] == [["/a", 1]] and now["sources"] == [["news", 1]]
    assert not counts.of("row")
    for stream in (counts, rows, signups):
        stream.close()


def test_a_stop_ends_streams_and_does_not_wait_for_them():
    with Weir() as weir:
        stream = Stream(weir, "project=app&rows=yes", key(weir, "sql"))
        wait_for(lambda: stream.of("now"), "counts")
        # Far below http.drain_timeout, which is what a stream that stays would take.
        assert weir.stop(seconds=8) == 0
        stream.thread.join(5)
        assert stream.ended


@pytest.mark.parametrize("method,path,body,allowed,of_one_project", [
    ("GET", "/api/v1/sql/schema", None, {"sql", "admin"}, True),
    ("GET", "/api/v1/system", None, {"admin"}, False),
    ("POST", "/api/v1/explain?project=app", '{"type":"a"}', {"sql", "admin"}, True),
])
def test_who_may_ask(weir, method, path, body, allowed, of_one_project):
    def status(secret):
        return weir.request(method, path, body, {"Authorization": "Bearer " + secret} if secret else {})[0]
    assert status(None) == 401 and status("weir_wrong") == 401
    for scope in ("capture", "stats", "sql", "admin"):
        assert status(key(weir, scope)) == (200 if scope in allowed else 403), scope
        assert status(key(weir, scope, "app")) == (200 if scope in allowed and of_one_project else 403), scope


def test_explain_says_what_would_become_of_events_of_a_project(weir):
    def ask(body, project="app", secret=None):
        secret = secret or key(weir, "sql")
        status, _, answer = weir.request("POST", "/api/v1/explain?project=" + project, body,
                                         {"Authorization": "Bearer " + secret})
        return status, json.loads(answer)
    before = weir.count()
    status, answer = ask('[{"type":"a","user_agent":"Googlebot/2.1"},{"typo":1}]')
    assert status == 200
    good, bad = answer["events"]
    assert good["traffic"] == "bot" and "Googlebot" in good["reasons"]["traffic"]
    assert "type" in bad["error"]
    assert weir.count() == before
    assert ask('{"type":"a"}', "nowhere")[0] == 404
    assert ask('{"type":"a"}', "app", key(weir, "sql", "website"))[0] == 404
    assert ask("")[0] == 400
    status, answer = ask("[" + ",".join(['{"type":"a"}'] * 150) + "]")
    assert status == 200 and len(answer["events"]) == 100


def test_the_schema_names_what_sql_sees(weir):
    _, _, answer = weir.request("GET", "/api/v1/sql/schema", headers={"Authorization": "Bearer " + key(weir, "sql")})
    schema = json.loads(answer)
    described = [row[:2] for row in weir.query("describe table events")]
    events = next(table for table in schema["tables"] if table["name"] == "events")
    assert [[c["name"], c["type"]] for c in events["columns"]] == described
    assert schema["limits"]["seconds"] == 60 and schema["limits"]["rows"] == 1_000_000


def test_the_system_tells_how_it_does(weir):
    weir.wait_loaded()
    secret = key(weir, "admin")

    def ask():
        return json.loads(weir.request("GET", "/api/v1/system", headers={"Authorization": "Bearer " + secret})[2])
    wait_for(lambda: ask()["rates"], "two samples")
    state = ask()
    live = state["journal"][0]
    assert live["partition"] == "live" and live["end"] == live["loaded"] and live["lag_events"] == 0
    assert state["store"]["up"] and state["store"]["rows"] == weir.count()
    parts = {part["name"]: part["bytes"] for part in state["disk"]["parts"]}
    assert parts["journal"] > 0 and parts["clickhouse"] > 0
    assert state["disk"]["total_bytes"] >= state["disk"]["free_bytes"] > 0
    assert state["memory_bytes"] > 10_000_000
    assert {pack["name"] for pack in state["packs"]} >= {"regexes.yaml"}
    assert state["collected"]["accepted"] == live["end"]
