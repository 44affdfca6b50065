"""One event in, one right answer out: the whole path with the real parts."""
import concurrent.futures
import json
import os
import signal
import subprocess

import pytest

from weir import BINARY, Weir, wait_for

FIRST_EVENT = ('{"type":"click","user_id":"1","session_id":"FaAa31","timestamp":"2024-04-17T04:04:12","locale":"en",'
               '"path":"/getting-started","appVersion":"0.0.1","details":{"meta_a":"meta_a","meta_b":"meta_b"}}')


@pytest.fixture(scope="module")
def weir():
    with Weir() as server:
        yield server


def test_first_event_is_answered_201_and_found(weir):
    status, headers, body = weir.send(FIRST_EVENT)
    assert (status, body) == (201, b"")
    wait_for(lambda: weir.count("name = 'click'") == 1, "the event is a row", 10)
    out = weir.run("query", "select name, user_id, path, app_version, properties['meta_a'] from events where name = 'click'").stdout
    assert out == b"click\t1\t/getting-started\t0.0.1\tmeta_a\n"


def test_every_column_of_the_view(weir):
    event = {"type": "pageview", "id": "abc-1", "anonymous_id": "anon", "timestamp": "2026-03-01T10:00:00.250Z",
             "url": "https://Shop.example/a/b?utm_source=s&utm_medium=m&utm_campaign=c&utm_term=t&utm_content=o&gclid=G1",
             "referrer": "https://news.example/x", "title": "A", "screen": "1920x1080", "locale": "de-DE",
             "appVersion": "1.2", "revenue": {"amount": "12.50", "currency": "EUR"},
             "details": {"plan": "pro", "n": 3, "f": 1.5, "yes": True, "none": None, "deep": {"a": [1, "x"]}}}
    assert weir.send(event, app="website")[0] == 201
    wait_for(lambda: weir.count("event_id = 'abc-1'") == 1, "the event is a row", 10)
    row = weir.query("select project, event_id, name, toString(timestamp), time_rule, kind, user_id, anonymous_id, "
                     "hostname, path, title, referrer, utm_source, utm_medium, utm_campaign, utm_term, utm_content, "
                     "click_id, screen, locale, app_version, properties['plan'], properties['n'], properties['f'], "
                     "properties['yes'], properties['deep'], mapContains(properties, 'none'), numbers['n'], numbers['f'], "
                     "toFloat64(revenue_amount), revenue_currency, traffic, visitor_id > 0, session_id > 0 "
                     "from events where event_id = 'abc-1'")[0]
    assert row == ["website", "abc-1", "pageview", "2026-03-01 10:00:00.250", "client", "pageview", "", "anon",
                   "shop.example", "/a/b", "A", "https://news.example/x", "s", "m", "c", "t", "o", "gclid:G1", "1920x1080",
                   "de-DE", "1.2", "pro", "3", "1.5", "true", '{"a":[1,"x"]}', 0, 3, 1.5, 12.5, "EUR", "human", 1, 1]
    columns = {r[0] for r in weir.query("describe events")}
    assert {"project", "event_id", "name", "timestamp", "received_at", "time_rule", "kind", "user_id", "anonymous_id",
            "visitor_id", "session_id", "client_session_id", "hostname", "path", "title", "referrer", "source", "medium",
            "channel", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "click_id", "country", "region", "city",
            "browser", "browser_version", "os", "os_version", "device", "screen", "locale", "app_version", "properties",
            "numbers", "revenue_amount", "revenue_currency", "traffic", "traffic_reason", "sdk", "ip", "_p", "_o"} <= columns


def test_a_batch_keeps_its_good_events(weir):
    before = weir.metrics().get('weir_collect_events_total{project="app",outcome="accepted"}', 0)
    status, _, body = weir.send([{"type": "a"}, {"nothing": 1}, {"type": "b", "timestamp": "yesterday"}, {"type": "c"}])
    answer = json.loads(body)
    assert status == 201
    assert answer["accepted"] == 2
    assert [r["index"] for r in answer["rejected"]] == [1, 2]
    after = weir.metrics()['weir_collect_events_total{project="app",outcome="accepted"}']
    assert after - before == 2


def test_sessions_are_cut_at_half_an_hour(weir):
    events = [{"type": "pageview", "user_id": "visits", "path": f"/{i}", "timestamp": f"2026-01-05T{t}:00Z"}
              for i, t in enumerate(("10:00", "10:29", "10:59", "11:30"))]
    assert weir.send(events)[0] == 201
    wait_for(lambda: weir.count("user_id = 'visits'") == 4, "rows", 10)
    rows = weir.query("select path, session_id from events where user_id = 'visits' order by timestamp")
    ids = [r[1] for r in rows]
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_health_ready_and_metrics(weir):
    assert weir.request("GET", "/health")[0] == 200
    status, _, body = weir.request("GET", "/ready")
    assert status == 200 and json.loads(body)
    values = weir.metrics()
    for name in ("weir_journal_end_position", "weir_load_position", "weir_load_lag_events", "weir_load_lag_seconds"):
        assert f'{name}{{partition="live"}}' in values, name
    for name in ("weir_store_up", "process_resident_memory_bytes", "weir_collect_request_seconds_count",
                 "weir_journal_append_seconds_count", "weir_load_insert_seconds_count"):
        assert any(key.startswith(name) for key in values), name


def test_import_and_replay_ask_for_the_right_key(weir):
    def key(scope, *of_project):
        made = weir.run("key", "create", "--name", "door", "--scope", scope, "--format", "plain", *of_project)
        return {"Authorization": f"Bearer {made.stdout.decode().strip()}"}

    routes = {"/api/v1/import/access-log?project=website": {"admin", "admin of website"},
              "/api/v1/journal/replay?partition=live": {"admin"},
              "/api/v1/journal/resend?partition=live": {"admin"},
              "/api/v1/journal/re-enrich?project=website&day=2020-01-01": {"admin"}}
    callers = {scope: key(scope) for scope in ("capture", "stats", "sql", "admin")}
    callers.update({f"{scope} of website": key(scope, "--project", "website") for scope in ("sql", "admin")})
    callers["admin of app"] = key("admin", "--project", "app")
    for path, let_in in routes.items():
        assert weir.request("POST", path)[0] == 401
        assert weir.request("POST", path, headers={"Authorization": "Bearer weir_a_wrong_secret"})[0] == 401
        for caller, headers in callers.items():
            status, _, answer = weir.request("POST", path, "", {**headers, "Content-Type": "text/plain"})
            if caller in let_in:
                assert status not in (401, 403, 404), (path, caller, answer)
            else:  # a project that is not the key's does not exist for it
                assert status == 403 or (status == 404 and caller == "admin of app"), (path, caller, status, answer)


def test_metrics_are_not_public(weir):
    assert weir.request("GET", "/metrics")[0] == 404


def test_second_process_names_the_first_ones_pid(weir):
    done = subprocess.run(weir.command(), capture_output=True, timeout=5)
    assert done.returncode == 1
    assert str(weir.process.pid) in done.stderr.decode()


def test_journal_can_be_looked_at_while_it_runs(weir):
    assert weir.send({"type": "looked at"})[0] == 201
    assert b"live: 0.." in weir.run("journal", "inspect").stdout
    assert b"whole" in weir.run("journal", "verify").stdout
    lines = weir.run("journal", "export", "--records-only").stdout.splitlines()
    assert json.loads(lines[0])["name"]


def test_port_taken_says_which_option(weir):
    other = Weir(arguments=[])
    other.port = weir.port
    try:
        other.start(ready=False)
        assert other.process.wait(20) == 1
        assert str(weir.port) in other.log() and "listen" in other.log()
    finally:
        other.process = None
        other.__exit__(None, None, None)


def test_a_stop_is_announced_before_requests_are_refused():
    with Weir(arguments=["--serve.drain_delay", "60s"]) as weir:
        weir.process.send_signal(signal.SIGTERM)
        wait_for(lambda: weir.request("GET", "/ready")[0] == 503, "not ready", 10)
        assert weir.request("GET", "/health")[0] == 200
        assert weir.send({"type": "late"})[0] == 201
        weir.process.send_signal(signal.SIGTERM)  # cuts the delay short
        assert weir.process.wait(30) == 0


def test_killed_and_started_again_counts_each_event_once():
    with Weir() as weir:
        for i in range(20):
            assert weir.send([{"type": "e", "user_id": f"{i}-{j}"} for j in range(50)])[0] == 201
        weir.kill()
        weir.start()
        weir.wait_loaded()
        assert weir.count() == 1000
        assert int(weir.one("select uniqExact(_p, _o) from events")) == 1000
        assert weir.stop() == 0
        weir.start()
        weir.wait_loaded()
        assert weir.count() == 1000


def test_collecting_goes_on_while_the_store_is_killed():
    with Weir() as weir:
        assert weir.send({"type": "before"})[0] == 201
        weir.wait_loaded()
        assert weir.signal_store(signal.SIGKILL)
        assert weir.send({"type": "after"})[0] == 201
        weir.wait_loaded()
        assert weir.query("select name, count() from events group by name order by name") == [["after", 1], ["before", 1]]


def test_stop_is_clean_and_leaves_no_process():
    weir = Weir()
    with weir:
        weir.send({"type": "x"})
        engine = weir.store_pid()
        assert weir.stop() == 0
        assert not os.path.exists(f"/proc/{engine}")


def test_without_a_server_commands_say_how_to_start_it(tmp_path):
    for command in (["query", "select 1"], ["project", "list"], ["key", "list"], ["rule", "list"]):
        done = subprocess.run([BINARY, "--data", tmp_path / "none", *command], capture_output=True)
        assert done.returncode == 1
        assert b"weir serve" in done.stderr, command


def test_an_id_counts_once_across_connections_and_restarts():
    """S21, S22: one id a thousand times, in parallel, across a kill; other content; another project."""
    with Weir(arguments=["--collect.rate_per_address", "0"]) as server:
        def hammer(body, times, app="app"):
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                done = list(pool.map(lambda _: server.send(body, app=app)[0], range(times)))
            assert done == [201] * times

        same = {"type": "buy", "id": "order-1", "user_id": "1", "timestamp": "2026-01-02T03:04:05Z"}
        hammer(same, 500)
        hammer([dict(same, id=f"order-{i % 7}") for i in range(100)], 5)
        server.wait_loaded()
        server.kill()
        server.start()
        hammer(same, 500)
        server.send(same, app="website")
        server.send(dict(same, user_id="2"))
        server.wait_loaded()
        rows = server.query("select project, event_id, count(), any(user_id) from events group by project, event_id "
                            "order by project, event_id")
        assert rows == [["app", f"order-{i}", 1, "1"] for i in range(7)] + [["website", "order-1", 1, "1"]]
        # In the run so far accepted = rows + duplicates; the kill took the counters of the first half with it.
        metrics = server.metrics()
        accepted = 500 + 500 + 500 + 1 + 1
        assert metrics['weir_load_outcomes{partition="live",outcome="duplicate"}'] == accepted - 8
        assert metrics['weir_load_id_conflicts_total{partition="live"}'] == 1
        assert json.loads(server.run("journal", "replay").stdout)["missing"] == 0
        assert server.stop() == 0
        server.start()  # the index now comes from its files
        server.send(same)
        server.wait_loaded()
        assert server.count() == 8


def test_where_is_my_event():
    """`weir event`: by the client's id, by the view's event_id, by position; waiting, stored, duplicate, unknown."""
    with Weir() as server:
        def ask(identity, *arguments):
            return json.loads(server.run("event", identity, "--format", "json", *arguments).stdout)["sightings"]

        server.send({"type": "buy", "id": "order-1", "user_id": "1", "path": "/shop"})
        server.send({"type": "buy", "id": "order-1", "user_id": "1", "path": "/shop"})
        server.send({"type": "buy", "id": "order-1", "user_id": "1"}, app="website")
        server.send({"type": "plain", "user_id": "2"})
        server.wait_loaded()
        first, other = ask("order-1")
        assert (first["position"], first["project"], first["stage"]) == ("live:0", "app", "stored")
        assert first["row"]["path"] == "/shop" and first["record"]["id"] == "order-1"
        assert (other["position"], other["project"], other["stage"]) == ("live:2", "website", "stored")
        assert ask("order-1", "--project", "website") == [other]
        [again] = ask("live:1")
        assert (again["stage"], again["outcome"], again["first"]) == ("settled", "duplicate", "live:0")
        [shown] = ask(server.one("select event_id from events where name = 'plain'"))
        assert (shown["position"], shown["row"]["name"]) == ("live:3", "plain")
        text = server.run("event", "order-1").stdout.decode()
        assert "live:0  project app  accepted" in text and "stored" in text and "/shop" in text
        for unknown in ("order-2", "live:99", "w9-9"):
            missed = server.run("event", unknown, check=False)
            assert missed.returncode == 1 and b"no accepted event" in missed.stderr, missed

        # While the store is stopped the journal's end knows.
        assert server.signal_store(signal.SIGSTOP)
        try:
            server.send({"type": "late", "id": "order-3"})
            [late] = ask("order-3")
            assert (late["stage"], late["position"], late["before"]) == ("waiting", "live:4", 0)
        finally:
            server.signal_store(signal.SIGCONT)
        server.wait_loaded()
        assert ask("order-3")[0]["stage"] == "stored"

        limited = server.run("key", "create", "--name", "t", "--scope", "admin", "--project", "website", "--format", "plain")
        auth = {"Authorization": f"Bearer {limited.stdout.decode().strip()}"}
        status, _, body = server.request("GET", "/api/v1/trace?id=order-1", headers=auth)
        assert status == 200 and [s["position"] for s in json.loads(body)["sightings"]] == ["live:2"]
        assert server.request("GET", "/api/v1/trace?id=live:0", headers=auth)[0] == 404
        assert server.request("GET", "/api/v1/trace?id=order-1")[0] == 401
        assert server.request("GET", "/api/v1/trace?id=", headers=auth)[0] == 400
