"""What every answer of the API carries, whoever makes it and whatever it says."""
import http.client
import json

import pytest

from weir import Weir

GUARDS = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'", "cross-origin-resource-policy": "same-origin",
          "referrer-policy": "no-referrer", "x-frame-options": "DENY", "cache-control": "no-store"}


@pytest.fixture(scope="module")
def weir():
    with Weir() as server:
        yield server


def check(answer, note):
    status, headers, body = answer
    for name, value in GUARDS.items():
        assert headers.get(name) == value, (note, status, name, headers)
    if body:
        assert headers.get("x-content-type-options") == "nosniff", (note, status, headers)


def test_every_route_answers_with_the_guards_to_strangers_and_to_who_may_do_all(weir):
    paths = json.loads(weir.request("GET", "/api/openapi.json")[2])["paths"]
    assert len(paths) > 50
    key = {"Authorization": "Bearer " + weir.key("admin")}
    seen = set()
    for path, methods in paths.items():
        path = path.replace("{id}", "nothing")
        for method in methods:
            # A stream has no end to wait for: what it says first is read below. What is no JSON is refused, where a body is wanted.
            if path == "/api/v1/live":
                continue
            for headers in ({}, key):
                answer = weir.request(method.upper(), path, "no json" if method != "get" else None,
                                      {"Content-Type": "application/json", **headers})
                seen.add(answer[0])
                check(answer, (method, path))
        for method in ("PUT", "OPTIONS", "HEAD"):
            check(weir.request(method, path), (method, path))
    assert {200, 400, 401, 404} <= seen


def test_whatever_is_answered(weir):
    key = {"Authorization": "Bearer " + weir.key("admin")}
    question = {"site_id": "app", "metrics": ["visitors"], "date_range": "7d"}
    asked = [("GET", "/api/v1/nothing", None, 404), ("GET", "/api/", None, 404), ("PUT", "/api/v1/projects", None, 405),
             ("POST", "/api/v1/projects", "x" * 70_000, 413), ("POST", "/api/v1/query", question, 200),
             ("POST", "/api/v1/query?format=csv", question, 200), ("POST", "/api/v1/query?format=parquet", question, 200),
             ("POST", "/api/v1/query", {**question, "site_id": "x"}, 404), ("POST", "/api/v1/query", {**question, "metrics": ["x"]}, 400),
             ("POST", "/api/v1/sql?format=CSV", "select 1", 200), ("POST", "/api/v1/sql", "select nonsense", 400),
             ("POST", "/api/v1/sql?format=TSV", "select * from numbers(200000)", 200), ("GET", "/api/v1/live", None, 400),
             ("POST", "/api/v1/names", {"value": "a.example", "project": "app"}, 201), ("DELETE", "/api/v1/names?value=a.example", None, 204)]
    for method, path, body, status in asked:
        answer = weir.request(method, path, body, key)
        assert answer[0] == status, (method, path, answer)
        check(answer, (method, path))

    connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=30)
    connection.request("GET", "/api/v1/live?project=app", headers=key)
    answer = connection.getresponse()
    headers = {k.lower(): v for k, v in answer.getheaders()}
    assert headers["content-type"] == "text/event-stream"
    check((answer.status, headers, b"data"), "live")
    connection.close()


def test_pages_and_events_are_none_of_it(weir):
    """Shared pages may be framed where their link says so, and capture answers say no more than they have to."""
    assert "cross-origin-resource-policy" not in weir.request("GET", "/ui/")[1]
    assert "x-frame-options" not in weir.send({"type": "t"})[1]
    link = weir.run("share", "create", "--project", "app", "--name", "s", "--origin", "https://a.example", "--format", "plain")
    headers = weir.request("GET", link.stdout.decode().strip())[1]
    assert headers["content-security-policy"].endswith("frame-ancestors https://a.example")
    assert "x-frame-options" not in headers
