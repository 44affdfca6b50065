"""People over a real server and the command line: the set-up link, roles, what a secret leaves behind, other origins."""
import json
import pathlib
import re

import pytest

from weir import Weir, wait_for

PASSWORD = "canary-password-9c1f"


class Browser:
    """Keeps cookies, and sends what a page of weir's own would."""

    def __init__(self, weir):
        self.weir, self.cookies, self.csrf = weir, {}, ""

    def ask(self, method, path, body=None, **headers):
        own = {"Origin": self.weir.url, "Content-Type": "application/json", "User-Agent": "canary-browser"}
        if self.cookies:
            own["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if self.csrf:
            own["X-Weir-CSRF"] = self.csrf
        status, answer, content = self.weir.request(method, path, body, {**own, **headers})
        if "set-cookie" in answer:
            name, _, value = answer["set-cookie"].split(";")[0].partition("=")
            self.cookies[name] = value
        parsed = json.loads(content) if content and answer.get("content-type") == "application/json" else content
        if isinstance(parsed, dict) and "csrf" in parsed:
            self.csrf = parsed["csrf"]
        return status, parsed, answer

    def sign_in(self, email, password=PASSWORD):
        return self.ask("POST", "/api/v1/session", {"email": email, "password": password})


@pytest.fixture(scope="module")
def weir():
    with Weir() as server:
        yield server


@pytest.fixture(scope="module")
def boss(weir):
    """The first owner, by the link that weir printed."""
    token = wait_for(lambda: re.search(r"/ui/setup#(\S+)", weir.log()), "the set-up link is printed").group(1)
    browser = Browser(weir)
    status, session, _ = browser.ask("POST", "/api/v1/setup",
                                     {"token": token, "email": "boss@example.com", "name": "Boss", "password": PASSWORD})
    assert status == 200, session
    assert session["user"]["role"] == "owner"
    browser.setup_token = token
    return browser


def test_the_set_up_link_works_once(weir, boss):
    stranger = Browser(weir)
    body = {"token": boss.setup_token, "email": "x@example.com", "name": "X", "password": PASSWORD}
    assert stranger.ask("POST", "/api/v1/setup", body)[0] == 409
    assert stranger.ask("GET", "/api/v1/session")[1]["setup_needed"] is False


def test_who_sees_one_project_sees_no_other_in_sql(weir, boss):
    assert weir.send({"type": "secret_of_app"}, app="app")[0] == 201
    assert weir.send({"type": "of_website"}, app="website")[0] == 201
    weir.wait_loaded()
    weir.run("user", "create", "editor@example.com", "--role", "editor", "--project", "website",
             stdin=(PASSWORD + "\n").encode())
    editor = Browser(weir)
    assert editor.sign_in("editor@example.com")[0] == 200
    status, rows, _ = editor.ask("POST", "/api/v1/sql?format=TSV", "select project, name from events")
    assert (status, rows) == (200, b"website\tof_website\n")
    for statement in ("select name from events where project = 'app'",
                      "select name from (select * from events union all select * from weir.events) where name like 'secret%'"):
        status, rows, _ = editor.ask("POST", "/api/v1/sql?format=TSV", statement)
        assert b"secret_of_app" not in bytes(rows if isinstance(rows, bytes) else json.dumps(rows).encode()), statement
    assert editor.ask("GET", "/api/v1/live?project=app")[0] == 404
    assert editor.ask("GET", "/api/v1/trace?id=live:0")[0] == 404
    assert editor.ask("GET", "/api/v1/system")[0] == 403
    assert editor.ask("POST", "/api/v1/journal/replay")[0] == 403
    assert editor.ask("POST", "/api/v1/seed?project=website&events=1")[0] == 403


def test_the_command_line_looks_after_people(weir, boss):
    link = weir.run("user", "invite", "viewer@example.com", "--role", "viewer", "--project", "app").stdout.decode().strip()
    assert link.startswith("/ui/invite#")
    guest = Browser(weir)
    token = link.split("#")[1]
    assert guest.ask("POST", "/api/v1/invitations/accept", {"token": token, "name": "V", "password": PASSWORD})[0] == 200
    assert "viewer of app" in weir.run("user", "list").stdout.decode()
    weir.run("user", "change", "viewer@example.com", "--role", "admin", "--project", "website", "--name", "Vera")
    assert re.search(r"Vera +viewer of app, admin of website", weir.run("user", "list").stdout.decode())
    weir.run("user", "change", "viewer@example.com", "--no-role", "--project", "app")
    assert [each["name"] for each in guest.ask("GET", "/api/v1/projects")[1]["projects"]] == ["website"]
    weir.run("user", "change", "viewer@example.com", "--password", stdin=b"another-long-password\n")
    assert guest.ask("GET", "/api/v1/projects")[0] == 401
    assert guest.sign_in("viewer@example.com", "another-long-password")[0] == 200
    weir.run("user", "delete", "viewer@example.com")
    assert guest.ask("GET", "/api/v1/projects")[0] == 401
    refused = weir.run("user", "delete", "boss@example.com", check=False)
    assert refused.returncode == 1 and b"no owner would be left" in refused.stderr


def test_a_shared_link_of_the_command_line_opens_its_project_and_may_be_framed_where_it_says(weir, boss):
    link = weir.run("share", "create", "--project", "website", "--name", "w", "--origin", "https://intranet.example",
                    "--format", "plain").stdout.decode().strip()
    status, page, headers = Browser(weir).ask("GET", link)
    assert status == 200
    assert headers["content-security-policy"].endswith("frame-ancestors https://intranet.example")
    assert "x-frame-options" not in headers
    guest = Browser(weir)
    assert guest.ask("POST", "/api/v1/share", {"token": link.rsplit("/", 1)[1]})[1]["share"]["project"] == "website"
    status, answer, _ = guest.ask("POST", "/api/v1/query",
                                  {"site_id": "website", "metrics": ["visitors"], "date_range": "day"})
    assert status == 200, answer
    assert guest.ask("POST", "/api/v1/query", {"site_id": "app", "metrics": ["visitors"], "date_range": "day"})[0] == 404
    assert guest.ask("POST", "/api/v1/sql", "select 1")[0] == 403
    again = weir.run("share", "create", "--project", "website", "--name", "w", "--replace", "--format", "plain")
    assert again.stdout.decode().strip() != link
    assert guest.ask("GET", "/api/v1/projects")[0] == 401
    assert Browser(weir).ask("GET", link)[2]["content-security-policy"].endswith("frame-ancestors 'none'")


def test_an_unknown_account_takes_as_long_as_a_wrong_password(weir, boss):
    """By the work that is done: the thread that hashes passwords has used as much time for either."""
    def hashing_ticks():
        for task in pathlib.Path(f"/proc/{weir.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "api-passwords":
                fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
                return int(fields[11]) + int(fields[12])
        raise AssertionError("no thread hashes passwords")

    def cost(email):
        before = hashing_ticks()
        for _ in range(2):
            assert Browser(weir).sign_in(email, "wrong-" + PASSWORD)[0] == 401
        return hashing_ticks() - before
    known, unknown = cost("boss@example.com"), cost("nobody@example.com")
    assert known > 0 and unknown > 0
    assert 0.5 < known / unknown < 2, (known, unknown)


def test_other_origins_may_send_events_and_nothing_else(weir, boss):
    for origin in ("https://evil.example", "null"):
        status, headers, _ = weir.send({"type": "a"}, headers={"Origin": origin})
        assert status == 201 and headers["access-control-allow-origin"] == origin
        assert "set-cookie" not in headers
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST",
                     "Access-Control-Request-Headers": "content-type,x-weir-csrf"}
        for path in ("/api/v1/session", "/api/v1/projects", "/api/v1/query", "/api/v1/share", "/api/v1/users"):
            status, headers, _ = weir.request("OPTIONS", path, headers=preflight)
            assert "access-control-allow-origin" not in headers, path
            status, _, headers = boss.ask("GET", path, Origin=origin)
            assert "access-control-allow-origin" not in headers, path
            assert boss.ask("POST", path, {}, Origin=origin)[0] in (403, 404, 405), path
    # What signs in reads no cookie of a capture route and gives none.
    status, headers, _ = weir.send({"type": "a"}, headers={"Cookie": f"weir_session={boss.cookies['weir_session']}"})
    assert status == 201 and "set-cookie" not in headers


def test_no_answer_leads_elsewhere(weir):
    for path in ("/", "/ui", "//evil.example", "/ui//evil.example", "/?next=https://evil.example", "/ui/login?next=//evil.example",
                 "/%2f%2fevil.example", "/\\evil.example"):
        status, headers, _ = weir.request("GET", path)
        assert headers.get("location", "/ui/") == "/ui/", (path, status, headers)


def test_no_secret_is_written_anywhere(weir, boss):
    boss.ask("POST", "/api/v1/session", {"email": "boss@example.com", "password": "canary-wrong-77aa"})
    key = weir.key("stats")
    weir.request("GET", "/api/v1/projects", headers={"Authorization": "Bearer " + key + "x"})
    share = weir.run("share", "create", "--project", "app", "--name", "s", "--format", "plain").stdout.decode().strip()
    token = share.rsplit("/", 1)[1]
    session = Browser(weir).ask("POST", "/api/v1/share", {"token": token})[1]["share_session"]
    invited = weir.run("user", "invite", "c@example.com", "--role", "viewer", "--project", "app").stdout.decode().strip().split("#")[1]
    secret = boss.ask("POST", "/api/v1/account/second-factor", {})[1]["secret"]
    secrets = [PASSWORD, "canary-wrong-77aa", boss.cookies["weir_session"], boss.csrf, key, token, session, invited, secret]
    assert all(len(one) > 15 for one in secrets)
    _, _, metrics = weir.request("GET", "/metrics", port=weir.metrics_port)
    audit = json.dumps(boss.ask("GET", "/api/v1/audit?limit=1000")[1])
    log = weir.log().replace(boss.setup_token, "")
    for one in secrets:
        assert one not in log
        assert one not in metrics.decode()
        assert one not in audit
    # Nor in clear in any file of the data directory.
    files = [path for path in weir.data.rglob("*") if path.is_file() and path.stat().st_size < 50_000_000]
    assert any(path.name == "settings.db" for path in files)
    for path in files:
        content = path.read_bytes()
        for one in secrets:
            assert one.encode() not in content, path
