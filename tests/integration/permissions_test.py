"""Every route that the unit test of the permission matrix (src/weir/api/permission_matrix_test.cc) has not, over a real server:
each sort of caller, about a project of theirs and about a foreign one. What a route demands is read from /api/openapi.json, which is
made from the table of access; what callers may is said here once more, by docs/http-api.md."""
import http.client
import json
import urllib.parse

import pytest

from people_test import PASSWORD, Browser
from weir import Weir

OWN, FOREIGN = "website", "app"
CANARY = "foreign-canary"

VIEWER, EDITOR = {"view"}, {"view", "sql", "edit"}
ADMIN = EDITOR | {"manage", "people"}
OWNER = ADMIN | {"own", "accounts"}
ROLES = {"viewer": VIEWER, "editor": EDITOR, "admin": ADMIN}
SCOPES = {"capture": set(), "stats": {"view"}, "sql": {"view", "sql"}, "admin": EDITOR | {"manage"}}

LOG_LINE = '192.0.2.1 - - [02/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"\n'
QUESTION = {"metrics": ["pageviews"], "dimensions": ["event:name"], "date_range": "all", "traffic": ["human", "bot", "spam", "internal"]}


def question(project, _):
    return "", {**QUESTION, "site_id": project}


# Of each route: what is asked of a project, as (query, body); `ids` are those of an event of each. `None` is asked of no project.
REQUESTS = {
    ("post", "/api/v1/query"): question,
    ("post", "/api/v2/query"): question,
    ("post", "/api/v1/sql"): lambda project, ids: ("format=TSV", f"select name, project from events where project = '{project}'"),
    ("get", "/api/v1/sql/schema"): None,
    ("get", "/api/v1/live"): lambda project, ids: (f"project={project}", None),
    ("post", "/api/v1/explain"): lambda project, ids: (f"project={project}", {"type": "pageview", "url": "https://a.example/"}),
    ("get", "/api/v1/trace"): lambda project, ids: (f"id={ids[project]}", None),
    ("get", "/api/v1/system"): None,
    ("post", "/api/v1/import/access-log"): lambda project, ids: (f"project={project}", LOG_LINE),
    ("post", "/api/v1/seed"): lambda project, ids: (f"project={project}&events=1", None),
    ("post", "/api/v1/journal/replay"): None,
    ("post", "/api/v1/journal/resend"): None,
    ("get", "/api/v1/journal/days"): lambda project, ids: (f"project={project}", None),
    ("post", "/api/v1/journal/re-enrich"): lambda project, ids: (f"project={project}&day=2026-01-02", None),
}
# These can be asked without saying of which project; then the answer is about those the caller sees.
NAMES_NO_PROJECT = {"/api/v1/sql"}
# What the unit test asks.
ELSEWHERE = ("/api/openapi.json", "/api/v1/session", "/api/v1/setup", "/api/v1/share", "/api/v1/invitations", "/api/v1/account",
             "/api/v1/users", "/api/v1/policy", "/api/v1/audit", "/api/v1/projects", "/api/v1/keys", "/api/v1/names", "/api/v1/rules",
             "/api/v1/goals", "/api/v1/segments", "/api/v1/annotations", "/api/v1/properties", "/api/v1/queries")


class Caller:
    """`own`, `foreign`, `everywhere`: what they may in the one project, in the other, in all, those to come included."""

    def __init__(self, name, headers, own=(), foreign=(), everywhere=(), known=True):
        self.name, self.headers, self.known = name, headers, known
        self.own, self.foreign, self.everywhere = set(own), set(foreign), set(everywhere)

    def ask(self, weir, method, path, query, body):
        """(status, what was answered); of a stream its head alone."""
        headers = dict(self.headers)
        if isinstance(body, dict):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "text/plain"
        connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=60)
        try:
            connection.request(method.upper(), path + ("?" + query if query else ""), body=body, headers=headers)
            answer = connection.getresponse()
            streams = answer.getheader("Content-Type") == "text/event-stream"
            return answer.status, "" if streams else answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def weir():
    with Weir(projects=f"{OWN},{FOREIGN}") as server:
        server.wait_packs()
        yield server


@pytest.fixture(scope="module")
def ids(weir):
    """An event of each project; the other's says so."""
    of = {OWN: "event-of-ours", FOREIGN: CANARY + "-id"}
    for project, name in ((OWN, "ours"), (FOREIGN, CANARY)):
        assert weir.send({"type": name, "id": of[project], "timestamp": "2026-01-02T10:00:00Z"}, app=project)[0] == 201
    weir.wait_loaded()
    return {project: urllib.parse.quote(name) for project, name in of.items()}


@pytest.fixture(scope="module")
def callers(weir):
    def person(name, *grants):
        email = name + "@example.com"
        first, *more = grants or [("viewer", OWN)]
        weir.run("user", "create", email, "--role", first[0], *(["--project", first[1]] if first[1] else []),
                 stdin=(PASSWORD + "\n").encode())
        if not grants:
            weir.run("user", "change", email, "--no-role", "--project", OWN)
        browser = Browser(weir)
        assert browser.sign_in(email)[0] == 200
        return {"Origin": weir.url, "Cookie": "; ".join(f"{k}={v}" for k, v in browser.cookies.items()), "X-Weir-CSRF": browser.csrf}

    def key(scope, project=None):
        return {"Authorization": "Bearer " + weir.key(scope, project, scope)}

    all_of_them = [Caller("nobody", {}, known=False),
                   Caller("owner", person("owner", ("owner", None)), OWNER, OWNER, OWNER),
                   Caller("roleless", person("roleless"))]
    for role, may in ROLES.items():
        all_of_them.append(Caller(role, person(role, (role, OWN)), may))
        all_of_them.append(Caller(role + "-of-all", person(role + "-of-all", (role, None)), may, may, may))
    for scope, may in SCOPES.items():
        everywhere = may | ({"own"} if scope == "admin" else set())
        all_of_them.append(Caller("key-" + scope, key(scope, OWN), may))
        all_of_them.append(Caller("key-" + scope + "-of-all", key(scope), everywhere, everywhere, everywhere))
    link = weir.run("share", "create", "--project", OWN, "--name", "s", "--format", "plain").stdout.decode().strip()
    session = Browser(weir).ask("POST", "/api/v1/share", {"token": link.rsplit("/", 1)[1]})[1]["share_session"]
    all_of_them.append(Caller("share", {"X-Weir-Share": session}, VIEWER))
    return all_of_them


@pytest.fixture(scope="module")
def routes(weir):
    """(method, path) to what the route demands."""
    paths = json.loads(weir.request("GET", "/api/openapi.json")[2])["paths"]
    return {(method, path): operation["x-weir-access"] for path, methods in paths.items() for method, operation in methods.items()}


def test_each_route_is_asked_here_or_by_the_unit_test(routes):
    asked = set(REQUESTS)
    assert asked <= set(routes)
    assert [route for route in routes if route not in asked and not route[1].startswith(ELSEWHERE)] == []
    assert [route for route in asked if route[1].startswith(ELSEWHERE)] == []


@pytest.mark.parametrize("route", REQUESTS, ids=lambda route: f"{route[0]} {route[1]}")
def test_each_caller_gets_what_is_theirs(weir, ids, callers, routes, route):
    method, path = route
    demanded = routes[route]
    needed = demanded["permission"]
    about = REQUESTS[route]
    for caller in callers:
        for project, here in ((OWN, caller.own), (FOREIGN, caller.foreign)):
            query, body = about(project, ids) if about else ("", None)
            status, said = caller.ask(weir, method, path, query, body)
            what = f"{caller.name}, {project}: {method} {path}?{query}: {status} {said[:500]}"
            if not caller.known:
                assert status == 401, what
            elif demanded["who"] == "all_projects":
                assert status == (200 if needed in caller.everywhere else 403), what
            elif needed not in caller.own and needed not in caller.foreign:
                assert status == 403, what
            elif about and path not in NAMES_NO_PROJECT and "view" not in here:
                assert status == 404, what
            elif about and path not in NAMES_NO_PROJECT and needed not in here:
                assert status in (403, 404), what
            else:
                assert status == 200, what
            if "view" not in caller.foreign:
                assert CANARY not in said.replace(ids[FOREIGN], ""), what


def test_nothing_was_written_into_the_foreign_project_by_who_may_not(weir, callers):
    before = weir.count(f"project = '{FOREIGN}'")
    for caller in callers:
        if "manage" in caller.foreign:
            continue
        for path, query, body in (("/api/v1/import/access-log", f"project={FOREIGN}", LOG_LINE.replace("/a", "/of-" + caller.name)),
                                  ("/api/v1/seed", f"project={FOREIGN}&events=3&seed=7", None)):
            assert caller.ask(weir, "post", path, query, body)[0] in (401, 403, 404), caller.name
    weir.wait_loaded()
    assert weir.count(f"project = '{FOREIGN}'") == before
