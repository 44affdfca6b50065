"""weir seed: a demo history, whole, once, whatever is interrupted."""
import subprocess

import pytest

from weir import BINARY, Weir, wait_for

BULK = 'weir_journal_end_position{partition="bulk"}'
END = "2026-03-02"


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="app,website,short") as server:
        yield server


def seed(weir, project, events, *arguments, **options):
    return weir.run("seed", "--project", project, "--events", events, "--end", END, *arguments, **options)


def fingerprint(weir, project):
    """What must be the same for the same seed; ids included, positions and times of receipt not."""
    # Visitors by an id are hashed with their project's number, which is random; those of the day are not.
    return weir.one("select toString(groupBitXor(cityHash64(event_id, name, kind, timestamp, user_id, anonymous_id, "
                    "if(user_id = '' and anonymous_id = '', visitor_id, 0), "
                    "hostname, path, title, referrer, utm_source, utm_campaign, click_id, screen, locale, app_version, "
                    "properties, revenue_amount, revenue_currency))) || ' ' || toString(count()) "
                    f"from events where project = '{project}'")


def test_a_history_is_whole_and_the_same_again(weir):
    out = seed(weir, "app", 40_000, "--days", 30).stdout.decode()
    assert out.startswith("40,000 events written, 0 were there already; 2026-01-31 to 2026-03-01, seed 1; "), out
    assert seed(weir, "app", 40_000, "--days", 30).stdout.decode().startswith("0 events written, 40,000 were there already")
    seed(weir, "website", 40_000, "--days", 30)
    weir.wait_loaded(120)
    assert weir.count("project = 'app'") == 40_000
    assert int(weir.one("select uniqExact(event_id) from events where project = 'app'")) == 40_000
    # Ids, times, people: all but what a visitor's hash takes from the project itself.
    assert weir.query("select event_id, timestamp, user_id, anonymous_id, properties from events where project = 'app' "
                      "order by event_id limit 100") == \
        weir.query("select event_id, timestamp, user_id, anonymous_id, properties from events where project = 'website' "
                   "order by event_id limit 100")
    here = "from events where project = 'app'"
    assert weir.one(f"select toString(min(timestamp) >= '2026-01-31' and max(timestamp) < '2026-03-02') {here}") == "1"
    assert int(weir.one(f"select uniqExact(toDate(timestamp)) {here}")) == 30
    kinds = {k for k, in weir.query(f"select distinct kind {here}")}
    assert kinds == {"pageview", "engagement", "event", "identify"}
    names = {n for n, in weir.query(f"select distinct name {here}")}
    assert {"signup", "view_product", "add_to_cart", "checkout", "purchase", "download", "outbound_link"} <= names
    assert int(weir.one(f"select uniqExact(revenue_currency) {here} and revenue_amount > 0")) > 3
    assert int(weir.one(f"select count() {here} and kind = 'engagement' and numbers['engaged_ms'] <= 0")) == 0
    # Visits have several pages, and nobody's clock runs backwards.
    assert float(weir.one(f"select count() / uniqExact(session_id) {here} and kind = 'pageview'")) > 1.5


def test_mistakes_are_told(weir):
    def fails(code, *arguments, says):
        done = weir.run("seed", *arguments, check=False)
        assert done.returncode == code, done
        assert says in done.stderr.decode(), done.stderr

    fails(1, "--project", "nobody", "--events", 10, says="nobody")
    fails(2, "--project", "app", says="--events")
    fails(2, "--events", 10, says="--project")
    fails(2, "--project", "app", "--events", 0, says="expected 1 to")
    fails(2, "--project", "app", "--events", 2_000_000_000, says="expected 1 to")
    fails(2, "--project", "app", "--events", 10, "--days", 0, says="--days 0")
    fails(2, "--project", "app", "--events", 10, "--days", 4000, says="--days 4000")
    fails(2, "--project", "app", "--events", 30_000_000, "--days", 1, says="a day")
    fails(2, "--project", "app", "--events", 10, "--end", "2026-02-30", says="2026-11-29")
    fails(2, "--project", "app", "--events", 10, "--end", "2100-01-01", says="more than a day after")
    fails(2, "--project", "app", "--events", 10, "--seed", "x", says="--seed")
    key = weir.run("key", "create", "--name", "seed", "--scope", "stats", "--format", "plain").stdout.decode().strip()
    path = "/api/v1/seed?project=app&events=10"
    assert weir.request("POST", path)[0] == 401
    assert weir.request("POST", path, headers={"Authorization": f"Bearer {key}"})[0] == 403
    admin = weir.run("key", "create", "--name", "seed2", "--scope", "admin", "--format", "plain").stdout.decode().strip()
    for query, wanted in (("?project=app", 400), ("?project=app&events=x", 400), ("?project=app&events=10&end=now", 400),
                          ("?events=10", 400), ("?project=none&events=10", 404)):
        assert weir.request("POST", "/api/v1/seed" + query, headers={"Authorization": f"Bearer {admin}"})[0] == wanted, query
    # What the project would throw away is not made.
    status, _, _ = weir.request("PATCH", "/api/v1/projects/short", {"retention_days": 7},
                                {"Authorization": f"Bearer {admin}", "Content-Type": "application/json"})
    assert status == 200
    fails(1, "--project", "short", "--events", 100, "--days", 30, says="keeps events for 7 days")


def test_without_a_server_it_says_how_to_start_one(tmp_path):
    done = subprocess.run([str(BINARY), "--data", str(tmp_path / "none"), "seed", "--project", "app", "--events", "10"],
                          capture_output=True, timeout=60)
    assert done.returncode == 1
    assert "weir serve" in done.stderr.decode()


def test_killed_in_the_middle_every_event_counts_once():
    """The server dies twice; the command waits and goes on. The command dies; it is given again."""
    events = 300_000
    with Weir() as weir:
        command = [str(BINARY), "--data", str(weir.data), "seed", "--project", "app", "--events", str(events), "--end", END]

        def wait_for_progress(process, count):
            wait_for(lambda: process.poll() is not None or weir.metrics().get(BULK, 0) > count, "some events are in", 60)

        first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for count in (30_000, 60_000):
            wait_for_progress(first, count)
            weir.kill()
            weir.start()
        wait_for_progress(first, 90_000)
        first.kill()
        first.communicate(timeout=30)
        done = subprocess.run(command, capture_output=True, timeout=240)
        assert done.returncode == 0, done.stderr.decode()
        weir.wait_loaded(180)
        assert weir.count() == events
        assert int(weir.one("select uniqExact(event_id) from events")) == events
        weir.check_accounting()
        interrupted = fingerprint(weir, "app")
    with Weir() as other:
        seed(other, "app", events)
        other.wait_loaded(180)
        assert fingerprint(other, "app") == interrupted
