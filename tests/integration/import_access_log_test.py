"""Access logs of others: every line once, however often and under whatever name its file comes."""
import collections
import gzip
import http.client
import json
import lzma
import subprocess
import urllib.parse

import pytest

from weir import BINARY, ROOT, TEST_DATA, Weir, wait_for

SAMPLES = ROOT / "tests" / "data" / "weblogs"
LOG = TEST_DATA / "data" / "weblogs" / "semicomplete-2015-05-17-18.log.xz" if TEST_DATA else None
needs_log = pytest.mark.skipif(LOG is None or not LOG.exists(), reason="WEIR_TEST_DATA does not hold data/weblogs")


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="app,website,halves,packed,stream,keys,samples,users,bare,formats,rules,others,follow") as server:
        yield server


def imported(weir, project, *files, arguments=(), **options):
    """The summary that the command prints."""
    done = weir.run("import", "access-log", "--project", project, "--output", "json", *arguments, *files, **options)
    report = json.loads(done.stdout)
    total = report["total"]
    assert total["lines"] == total["imported"] + total["already_imported"] + sum(total["skipped"].values())
    return report


def line(second, path="/", client="192.0.2.1", day="17/May/2015"):
    return (f'{client} - - [{day}:{10 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} +0000] "GET {path} HTTP/1.1" '
            f'200 3 "-" "Mozilla/5.0"\n')


def expect_the_whole_log(weir, project):
    """What tests/data's origin counted with a plain pass over the same file."""
    expected = json.loads((LOG.parent / "semicomplete-2015-05-17-18.expected.json").read_text())
    wait_for(lambda: weir.count(f"project = '{project}'") >= expected["lines"], "every line is a row", 120)
    here = f"from events where project = '{project}'"
    assert weir.count(f"project = '{project}'") == expected["lines"]
    status = dict(weir.query(f"select properties['status'], toUInt32(count()) {here} group by 1"))
    assert status == expected["status"]
    days = dict(weir.query(f"select formatDateTime(timestamp, '%d/%b/%Y'), toUInt32(count()) {here} group by 1"))
    assert days == expected["per_day"]
    assert int(weir.one(f"select toUInt64(sum(numbers['bytes'])) {here}")) == expected["bytes"]
    # A visitor is an address, a user agent and a day.
    assert int(weir.one(f"select uniqExact(visitor_id) {here}")) == expected["distinct_ip_ua_day"]
    targets = dict(weir.query("select path || if(properties['query'] = '', '', '?' || properties['query']), "
                              f"toUInt32(count()) {here} group by 1"))
    assert {p: targets[p] for p, _ in expected["top_paths"]} == dict(expected["top_paths"])
    hosts = collections.Counter()
    for referrer, count in weir.query(f"select referrer, toUInt32(count()) {here} group by 1"):
        hosts[urllib.parse.urlsplit(referrer).netloc or "(none)"] += count
    assert {h: hosts[h] for h, _ in expected["top_referrer_hosts"]} == dict(expected["top_referrer_hosts"])
    assert int(weir.one(f"select count() {here} and kind = 'pageview' and name != 'pageview'")) == 0
    assert int(weir.one(f"select count() {here} and name = 'pageview' and (properties['method'] != 'GET' or not "
                        "(properties['status'] = '304' or properties['status'] like '2__'))")) == 0


@needs_log
def test_a_real_log_counts_exactly_and_twice_the_same(weir):
    total = imported(weir, "website", LOG)["total"]
    assert (total["lines"], total["imported"], total["combined"]) == (4525, 4525, 4525)
    expect_the_whole_log(weir, "website")
    again = imported(weir, "website", LOG)["total"]
    assert (again["imported"], again["already_imported"]) == (0, 4525)
    weir.wait_loaded()
    expect_the_whole_log(weir, "website")


@needs_log
def test_overlapping_halves_are_the_whole(weir, tmp_path):
    lines = lzma.open(LOG, "rb").read().splitlines(keepends=True)
    (tmp_path / "access.log.1").write_bytes(b"".join(lines[:3000]))
    with gzip.open(tmp_path / "access.log.2.gz", "wb") as packed:
        packed.write(b"".join(lines[1500:]))
    first = imported(weir, "halves", tmp_path / "access.log.1")["total"]
    assert first["imported"] == 3000
    second = imported(weir, "halves", tmp_path / "access.log.2.gz", tmp_path / "access.log.1")["total"]
    assert (second["imported"], second["already_imported"]) == (1525, 4500)
    expect_the_whole_log(weir, "halves")


@needs_log
def test_packed_renamed_and_piped_files_are_the_same_file(weir, tmp_path):
    text = lzma.open(LOG, "rb").read()
    (tmp_path / "a.gz").write_bytes(text)  # the name lies
    assert imported(weir, "packed", tmp_path / "a.gz")["files"][0]["packing"] == "plain"
    (tmp_path / "b").write_bytes(gzip.compress(text))
    (tmp_path / "c.log").write_bytes(LOG.read_bytes())
    report = imported(weir, "packed", tmp_path / "b", tmp_path / "c.log", "-", stdin=text)
    assert [f["packing"] for f in report["files"]] == ["gzip", "xz", "plain"]
    assert (report["total"]["imported"], report["total"]["already_imported"]) == (0, 3 * 4525)
    expect_the_whole_log(weir, "packed")


def test_odd_lines_of_both_servers(weir):
    total = imported(weir, "samples", SAMPLES / "nginx.log", SAMPLES / "apache.log")["total"]
    assert total["lines"] == total["imported"] == 31
    wait_for(lambda: weir.count("project = 'samples'") == 31, "rows", 30)
    rows = weir.query("select name, path, properties['status'], properties['request'], utm_source, utm_medium, referrer "
                      "from events where project = 'samples' order by timestamp, _o")
    assert ["pageview", "/", "200", "", "news", "email", 'https://example.org/?q="quoted"'] in rows
    assert ["request", "", "400", "\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xFC\\x03\\x03\\x8A\\x10", "", "", ""] in rows
    assert ["request", "/café", "404", "", "", "", "caf\ufffd"] in rows
    assert weir.one("select hostname from events where project = 'samples' and path = '/list'") == "shop.example.org"
    assert weir.one("select toString(timestamp) from events where project = 'samples' and path = '/leap'") == \
        "2024-03-01 00:00:00.000"
    assert weir.count("project = 'samples' and user_id != ''") == 0


def test_users_only_when_asked_for(weir):
    imported(weir, "users", SAMPLES / "apache.log", arguments=["--users"])
    wait_for(lambda: weir.count("project = 'users'") == 7, "rows", 30)
    assert weir.query("select user_id from events where project = 'users' and user_id != ''") == [["frank"]]


def test_every_line_is_accounted_for(weir, tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(1) + line(1) + "\n# comment\ngarbage\n" + line(2, day="17/May/1985") + line(3, day="17/May/2095") +
                   "x" * 70_000 + "\n" + line(4)[:-30])
    report = imported(weir, "stream", log)
    total = report["total"]
    assert total["lines"] == 9
    assert total["imported"] == 2
    assert total["skipped"] == {"blank": 1, "comment": 1, "too_long": 1, "unreadable": 2, "too_early": 1, "too_late": 1,
                                "retention": 0, "asset": 0, "redirect": 0, "error": 0, "not_page": 0}
    assert [e["line"] for e in total["examples"]] == [5, 9]
    text = weir.run("import", "access-log", "--project", "stream", log).stdout.decode()
    assert f"unreadable: {log}:5:" in text


def test_a_growing_log_adds_its_new_lines_only(weir, tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(line(s, "/grow") for s in range(50)))
    assert imported(weir, "app", log)["total"]["imported"] == 50
    with open(log, "a") as grown:
        grown.write(line(49, "/grow") + "".join(line(s, "/grow") for s in range(50, 60)))
    total = imported(weir, "app", log)["total"]
    assert (total["imported"], total["already_imported"]) == (11, 50)
    wait_for(lambda: weir.count("path = '/grow'") == 61, "rows", 30)


def test_over_http_with_keys(weir, tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(1, "/key"))
    for scope, outcome in (("stats", 1), ("capture", 1), ("admin", 0)):
        key = weir.run("key", "create", "--name", f"import-{scope}", "--scope", scope, "--format", "plain").stdout.decode().strip()
        done = subprocess.run([str(BINARY), "--url", weir.url, "--key", key, "import", "access-log", "--project", "keys", str(log)],
                              capture_output=True, timeout=60)
        assert done.returncode == outcome, done.stderr.decode()
    body = line(2, "/key") + line(2, "/key")
    path = "/api/v1/import/access-log?project=keys"
    assert weir.request("POST", path, body, {"Content-Type": "text/plain"})[0] == 401
    auth = {"Authorization": f"Bearer {key}"}
    status, _, answer = weir.request("POST", path, body, {**auth, "Content-Type": "text/plain"})
    assert status == 200 and json.loads(answer)["imported"] == 2
    for query, headers, wanted in (("?project=none", {"Content-Type": "text/plain"}, 404),
                                   ("", {"Content-Type": "text/plain"}, 400),
                                   ("?project=keys&format=haproxy", {"Content-Type": "text/plain"}, 400),
                                   ("?project=keys&assets=maybe", {"Content-Type": "text/plain"}, 400),
                                   ("?project=keys&pages_only=maybe", {"Content-Type": "text/plain"}, 400),
                                   ("?project=keys&host=a%20b", {"Content-Type": "text/plain"}, 400),
                                   ("?project=keys&users=maybe", {"Content-Type": "text/plain"}, 400),
                                   ("?project=keys", {"Content-Type": "application/json"}, 415),
                                   ("?project=keys", {"Content-Type": "application/x-weir-log"}, 400)):
        got, _, answer = weir.request("POST", "/api/v1/import/access-log" + query, "1:1,0:1\n" + line(3), {**auth, **headers})
        assert got == wanted, answer
    connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=30)
    connection.putrequest("POST", path)
    for name, value in {**auth, "Content-Type": "text/plain", "Content-Length": 9 << 20}.items():
        connection.putheader(name, str(value))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_answers_to_mistakes(weir, tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(1))

    def fails(code, *arguments, says):
        done = weir.run("import", "access-log", *arguments, check=False)
        assert done.returncode == code, done
        assert says in done.stderr.decode(), done.stderr

    fails(2, log, says="--project")
    fails(2, "--project", "app", says="FILE")
    fails(2, "--project", "app", "--format", "haproxy", log, says="combined")
    fails(2, "--project", "app", "--assets", "eat", log, says="--assets")
    fails(2, "--project", "app", "--host", "a b", log, says="--host")
    fails(2, "--project", "app", "--follow", "-", says="--follow")
    fails(2, "--project", "app", "--follow", "--dry-run", log, says="--follow")
    fails(1, "--project", "nobody", log, says="nobody")
    fails(1, "--project", "app", tmp_path / "absent", says="absent")
    fails(1, "--project", "app", tmp_path, says="directory")
    (tmp_path / "json").write_text('{"request":"GET /"}\n' * 5)
    fails(1, "--project", "app", tmp_path / "json", says="no line could be read")
    (tmp_path / "haproxy").write_text("Mar  2 09:00:01 host haproxy[7]: 192.0.2.1:5000 [02/Mar/2026:09:00:01.5] in out/a 0/0 200\n")
    fails(1, "--project", "app", tmp_path / "haproxy", says="HAProxy")
    (tmp_path / "nonsense").write_text("nonsense\n" * 5)
    fails(1, "--project", "app", tmp_path / "nonsense", says="no line could be read")
    (tmp_path / "short.gz").write_bytes(gzip.compress(line(1).encode() * 1000)[:-20])
    fails(1, "--project", "app", tmp_path / "short.gz", says="too early")
    (tmp_path / "empty").write_text("")
    assert weir.run("import", "access-log", "--project", "app", tmp_path / "empty").returncode == 0


def test_a_dry_run_needs_no_server_and_an_import_says_how_to_start_one(tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(1) + "nonsense\n")
    command = [str(BINARY), "--data", str(tmp_path / "none"), "import", "access-log", str(log), "--project", "app"]
    done = subprocess.run([*command, "--dry-run", "--output", "json"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    total = json.loads(done.stdout)["total"]
    assert (total["lines"], total["imported"], total["skipped"]["unreadable"]) == (2, 1, 1)
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert "weir serve" in done.stderr.decode()


def test_killed_in_the_middle_and_given_again(tmp_path):
    """The server dies during an import; the command waits for it, goes on, and every line counts once."""
    log = tmp_path / "access.log"
    lines = 120_000
    with open(log, "w") as out:
        for i in range(lines):
            out.write(line(i // 10, f"/{i % 7}", f"192.0.2.{i % 5}"))
    with Weir() as weir:
        command = subprocess.Popen([str(BINARY), "--data", str(weir.data), "import", "access-log", "--project", "app",
                                    "--output", "json", str(log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        position = 'weir_journal_end_position{partition="bulk"}'
        wait_for(lambda: command.poll() is not None or weir.metrics().get(position, 0) > lines // 20, "some lines are in", 60)
        weir.kill()
        weir.start()
        out, errors = command.communicate(timeout=180)
        assert command.returncode == 0, errors.decode()
        total = json.loads(out)["total"]
        assert total["imported"] + total["already_imported"] == total["lines"] == lines
        again = imported(weir, "app", log)["total"]
        assert again["already_imported"] == lines
        weir.wait_loaded(120)
        assert weir.count() == lines
        assert int(weir.one("select uniqExact(event_id) from events")) == lines


def test_logs_of_other_forms(weir):
    names = ["vhost.log", "nginx_json.log", "caddy.log", "cloudfront.log", "iis.log"]
    report = imported(weir, "formats", *(SAMPLES / name for name in names))
    assert [f["format"] for f in report["files"]] == ["vhost", "json", "json", "w3c", "w3c"]
    total = report["total"]
    assert (total["imported"], total["vhost"], total["json"], total["w3c"]) == (10, 3, 3, 4)
    # Caddy's other messages, and the heads of W3C logs.
    assert (total["skipped"]["unreadable"], total["skipped"]["comment"]) == (1, 6)
    assert imported(weir, "formats", *(SAMPLES / name for name in names))["total"]["already_imported"] == 10
    wait_for(lambda: weir.count("project = 'formats'") == 10, "rows", 30)
    rows = weir.query("select name, hostname, path, utm_source, referrer, toString(timestamp) from events "
                      "where project = 'formats' and kind = 'pageview' order by hostname, path")
    second = "2026-03-02 08:00:01"
    assert rows == [
        ["pageview", "blog.example.org", "/post/1", "", "https://example.net/", second + ".250"],
        ["pageview", "docs.example.org", "/docs/start", "mail", "https://example.net/", second + ".000"],
        ["pageview", "intra.example.org", "/default.aspx", "", "https://example.net/", "2026-03-02 08:00:03.000"],
        ["pageview", "shop.example.org", "/café", "", "https://example.net/", second + ".000"],
        ["pageview", "shop.example.org", "/stations", "news", "https://example.net/", second + ".000"]]


def test_a_named_format_reads_no_other(weir):
    report = imported(weir, "formats", SAMPLES / "vhost.log", arguments=["--format", "vhost"])
    assert report["total"]["already_imported"] == 3
    done = weir.run("import", "access-log", "--project", "formats", "--format", "json", SAMPLES / "vhost.log", check=False)
    assert done.returncode == 1 and b"no line could be read" in done.stderr
    assert b"not one whole JSON object" in done.stdout


def test_a_long_w3c_log_keeps_its_fields_from_chunk_to_chunk(weir, tmp_path):
    log = tmp_path / "ex.log"
    count = 60_000  # several chunks
    with open(log, "w") as out:
        out.write("#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)\n")
        for i in range(count):
            out.write(f"2026-03-02 {8 + i // 36000:02}:{i // 600 % 60:02}:{i // 10 % 60:02} 192.0.2.{i % 250} GET /w3c/{i % 10} 200 Sample+{i}\n")
    total = imported(weir, "others", log)["total"]
    assert (total["imported"], total["skipped"]["comment"], total["w3c"]) == (count, 1, count)


def test_rules_for_what_is_no_page(weir, tmp_path):
    log = tmp_path / "access.log"
    log.write_text(line(1, "/page") + line(2, "/app.css") + line(3, "/feed.xml") +
                   line(4, "/old").replace('" 200 ', '" 301 ') + line(5, "/none").replace('" 200 ', '" 404 '))
    total = imported(weir, "rules", log, arguments=["--pages-only"])["total"]
    skipped = {k: v for k, v in total["skipped"].items() if v}
    assert (total["imported"], skipped) == (1, {"asset": 1, "redirect": 1, "error": 1, "not_page": 1})
    total = imported(weir, "rules", log, arguments=["--assets", "skip"])["total"]
    assert (total["imported"], total["already_imported"], total["skipped"]["asset"]) == (3, 1, 1)
    total = imported(weir, "rules", log, arguments=["--assets", "mark"])["total"]
    assert (total["imported"], total["already_imported"]) == (1, 4)
    wait_for(lambda: weir.count("project = 'rules'") == 5, "rows", 30)
    assert dict(weir.query("select name, groupArray(path) from (select * from events where project = 'rules' order by path) "
                           "group by name")) == {
        "pageview": ["/page"], "asset": ["/app.css"], "request": ["/feed.xml", "/none", "/old"]}


def test_the_sites_own_host_tells_its_links_from_others(weir, tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(line(s, f"/host/{s}").replace('"-"', f'"{referrer}"') for s, referrer in
                           enumerate(("https://shop.example.org/a", "https://other.example.net/a", "-"))))
    assert imported(weir, "others", log, arguments=["--host", "WWW.example.org"])["total"]["imported"] == 3
    wait_for(lambda: weir.count("startsWith(path, '/host/')") == 3, "rows", 30)
    assert weir.query("select hostname, source, channel from events where startsWith(path, '/host/') order by path") == [
        ["www.example.org", "", "Direct"], ["www.example.org", "other.example.net", "Referral"],
        ["www.example.org", "", "Direct"]]
    # What a line is does not depend on it.
    assert imported(weir, "others", log)["total"]["already_imported"] == 3


class Follower:
    """`weir import access-log --follow`, stopped by SIGTERM at the end."""

    def __init__(self, weir, project, *logs):
        self.process = subprocess.Popen([str(BINARY), "--data", str(weir.data), "import", "access-log", "--project", project,
                                         "--output", "json", "--follow", *map(str, logs)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)

    def stop(self):
        self.process.terminate()
        out, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors.decode()
        return json.loads(out)["total"]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def append(log, text):
    with open(log, "a") as out:
        out.write(text)


def test_a_log_is_followed_across_rotations_and_restarts(tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(line(s, "/before") for s in range(10)))

    with Weir() as weir:
        def rows(path, count):
            wait_for(lambda: weir.count(f"path = '{path}'") == count, f"{count} rows of {path}", 60)

        with Follower(weir, "app", log) as follower:
            rows("/before", 10)
            append(log, line(1, "/grown"))
            rows("/grown", 1)
            append(log, line(2, "/half")[:40])
            log.rename(tmp_path / "access.log.1")
            append(tmp_path / "access.log.1", line(2, "/half")[40:])  # its server ends the line after the renaming
            log.write_text(line(3, "/renamed"))
            rows("/half", 1)
            rows("/renamed", 1)
            # copytruncate, with a line that came in the last moment
            append(log, line(4, "/last-moment"))
            (tmp_path / "access.log.2").write_bytes(log.read_bytes())
            log.write_text("")
            append(log, line(5, "/truncated"))
            rows("/truncated", 1)
            rows("/last-moment", 1)
            weir.kill()
            append(log, line(6, "/while-away"))
            weir.start()
            rows("/while-away", 1)
            weir.stop()
            append(log, line(7, "/while-stopped"))
            weir.start()
            rows("/while-stopped", 1)
            follower.stop()
        # From the begin again: the file that bears the name, and the rotated ones.
        with Follower(weir, "app", log, tmp_path / "access.log.1", tmp_path / "access.log.2") as again:
            append(log, line(8, "/again"))
            rows("/again", 1)
            total = again.stop()
        weir.wait_loaded()
        assert weir.count() == 18
        assert int(weir.one("select uniqExact(event_id) from events")) == 18
        assert total["imported"] == 1


def test_what_is_packed_cannot_be_followed(weir, tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(line(1).encode()))
    with Follower(weir, "follow", tmp_path / "a.gz") as follower:
        out, errors = follower.process.communicate(timeout=60)
        assert follower.process.returncode == 1
        assert b"cannot be followed" in errors
