"""A key of one project and what belongs to another: nothing of it in any answer, by any way of asking."""
import json

import pytest

from asking import ask
from weir import Weir

CANARY = "canary-of-another-project"
DAY = "2026-03-02"

# Each way to somebody else's rows, to the tables below the view, to the machine.
STATEMENTS = [
    "select * from events", "select * from weir.events", "select count() from events where project = 'theirs'",
    "select * from weir_data.events", "select * from weir_data.projects", "select * from (select * from events where 1 or project = 'theirs')",
    "select * from events union all select * from weir.events", "select * from events union all select * from weir_data.events",
    "with e as (select * from weir_data.events) select * from e", "select (select groupArray(name) from weir.events)",
    "select * from events where project in (select project from weir.events)", "select * from events prewhere 1",
    "select e.name from events e join weir.events f on 1 = 1", "select * from events as a cross join weir_data.events as b",
    "select name from events final", "select name from events sample 1", "select * from merge('weir', 'events')",
    "select * from merge('weir_data', '.*')", "select * from view(select * from weir_data.events)",
    "select * from cluster('default', 'weir_data', 'events')", "select * from remote('127.0.0.1', 'weir_data', 'events')",
    "select * from url('http://127.0.0.1:1/', 'LineAsString')", "select * from file('*')", "select * from executable('cat', 'TSV', 'x String')",
    "select * from s3('http://127.0.0.1:1/x')", "select * from sqlite('settings.db', 'keys')", "select * from numbers(3) as n, weir.events",
    "select file('/etc/passwd')", "select file('settings.db')", "SELECT /* x */ `file`('/proc/self/environ')", "select FiLe('/etc/hostname')",
    "select dictGet('x', 'y', 1)", "select joinGet('weir_data.visit_changes', 'o', 1, 1)", "select hasColumnInTable('weir_data', 'events', 'name')",
    "select * from system.tables", "select * from system.processes", "select query from system.query_log", "select * from system.parts_columns",
    "select * from information_schema.tables", "select name from system.users", "select getSetting('max_memory_usage')",
    "show tables", "show create view weir.events", "show create table weir_data.events", "show databases", "show processlist", "show grants",
    "describe table weir_data.events", "exists weir_data.events", "explain select * from weir_data.events",
    "explain estimate select * from weir_data.events", "explain indexes = 1 select * from events where project = 'theirs'",
    "explain plan select count() from weir_data.events", "explain pipeline select * from weir_data.events",
    "explain query tree select * from weir.events", "explain ast select 1", "explain table override weir_data.events x",
    "insert into weir_data.events select * from weir_data.events", "create view v as select * from weir_data.events", "drop view weir.events",
    "alter table weir_data.events delete where 1", "truncate table weir_data.events", "system flush logs", "kill query where 1", "use system",
    "set readonly = 0", "select 1 settings readonly = 0", "select * from events settings additional_table_filters = {}",
    "select * from events into outfile '/tmp/x'", "select * from events format Null; select * from weir_data.events",
    "grant select on *.* to weir_reader_all", "execute as default select 1", "select currentUser()", "select * from weir_data.reader_0",
    "select * from weir_data.life", "backup table weir_data.events to File('x')", "attach table weir_data.events",
    "select * from loop(weir_data.events)", "select * from mergeTreeIndex('weir_data', 'events')", "select * from generateRandom('a String') limit 0",
    "select * from input('x String')", "select transform(1, [1], (select groupArray(name) from weir_data.events))",
    "select * from events where name = (select any(name) from weir_data.events where project_id != 1)",
    "select * from events qualify row_number() over () > 0", "select evalMLMethod(1)", "select catboostEvaluate('x', 1)",
]


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="ours,theirs") as server:
        server.admin = server.key("admin")
        for project, text in (("ours", "ours"), ("theirs", CANARY)):
            status, _, _ = server.send([{"type": text, "path": f"/{text}", "title": text, "user_id": text, "timestamp": f"{DAY}T10:00:00Z",
                                         "details": {text: text}}], app=project)
            assert status == 201
        server.run("key", "add", "--project", "theirs", "--value", "their-outside-name")
        server.wait_loaded()
        yield server


@pytest.fixture(scope="module")
def theirs(weir):
    _, _, body = weir.request("GET", "/api/v1/projects/theirs", headers={"Authorization": f"Bearer {weir.admin}"})
    return json.loads(body)["id"]


def sql(weir, key, statement, form="JSONEachRow"):
    return weir.request("POST", f"/api/v1/sql?format={form}", statement, {"Authorization": f"Bearer {key}", "Content-Type": "text/plain"})


def test_the_owner_of_all_sees_it(weir):
    """So that what is not found below could have been."""
    assert CANARY in sql(weir, weir.admin, "select * from events")[2].decode()
    status, answer = ask(weir, weir.admin, {"site_id": "theirs", "metrics": ["visitors"], "date_range": [DAY, DAY], "dimensions": ["event:page"]})
    assert status == 200 and CANARY in json.dumps(answer)


@pytest.mark.parametrize("scope", ["sql", "admin"])
def test_sql_of_a_projects_key_shows_nothing_of_another(weir, theirs, scope):
    key = weir.key(scope, "ours")
    assert json.loads(sql(weir, key, "select name from events")[2]) == {"name": "ours"}
    for statement in STATEMENTS:
        status, _, body = sql(weir, key, statement)
        text = body.decode(errors="replace")
        assert CANARY not in text and theirs not in text and "root:" not in text, (statement, text[:500])
        if status == 200:  # what is allowed sees the project's own alone
            assert not {line for line in text.splitlines() if '"project":"theirs"' in line}, statement
        else:
            assert status in (400, 403, 404), (statement, status, text)
    assert int(weir.one("select count() from events")) == 2


def test_a_question_of_a_projects_key_knows_no_other_project(weir, theirs):
    for scope in ("stats", "sql", "admin"):
        key = weir.key(scope, "ours")
        body = {"metrics": ["visitors"], "date_range": [DAY, DAY], "dimensions": ["event:page"]}
        for path in ("/api/v1/query", "/api/v2/query"):
            status, answer = ask(weir, key, {"site_id": "ours", **body}, path)
            assert status == 200 and answer["results"] == [{"dimensions": ["/ours"], "metrics": [1]}]
            seen = set()
            for name in ("theirs", theirs, "their-outside-name", "no-such-project", "1"):
                for field in ("site_id", "project"):
                    status, answer = ask(weir, key, {field: name, **body}, path)
                    assert status in (400, 404) and CANARY not in json.dumps(answer), (name, answer)
                    if field == "site_id":
                        seen.add((status, answer["error"]["code"]))
            # Whether it exists cannot be told.
            assert seen == {(404, "not_found")}, seen


def test_what_others_made_stands_for_nothing(weir):
    """Segments and goals of another project, by their ids and names."""
    made = {}
    for kind, body in (("segments", {"filters": [["is", "event:name", ["ours"]]]}), ("goals", {"event": "ours"})):
        status, made[kind] = ask(weir, weir.admin, {"project": "theirs", "name": f"their-{kind}", **body}, f"/api/v1/{kind}")
        assert status == 201, made[kind]
    key = weir.key("stats", "ours")
    for f in (["is", "segment", [made["segments"]["id"]]], ["is", "event:goal", ["their-goals"]], ["is", "event:goal", [made["goals"]["id"]]]):
        status, answer = ask(weir, key, {"site_id": "ours", "metrics": ["visitors"], "date_range": [DAY, DAY], "filters": [f]})
        assert status == 400, (f, answer)


def test_keys_that_may_not_ask(weir):
    body = {"site_id": "ours", "metrics": ["visitors"], "date_range": [DAY, DAY]}
    assert ask(weir, weir.key("capture"), body)[0] == 403
    assert ask(weir, "weir_no_such_key", body)[0] == 401
    assert weir.request("POST", "/api/v1/query", body)[0] == 401
    assert sql(weir, weir.key("stats", "ours"), "select 1")[0] == 403
