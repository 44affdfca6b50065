"""The same client against a ClickHouse server that weir did not start."""
import json
import subprocess

import pytest

from clickhouse_node import ClickHouseNode
from weir import Weir, wait_for


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with ClickHouseNode(tmp_path_factory.mktemp("node")) as server:
        yield server


def test_events_go_into_a_server_of_the_operators(node):
    with Weir(arguments=["--store.url", node.url]) as weir:
        assert not (weir.data / "clickhouse" / "pid").exists()
        for i in range(10):
            assert weir.send([{"type": "out", "user_id": f"{i}-{j}"} for j in range(20)])[0] == 201
        weir.wait_loaded()
        assert weir.count("name = 'out'") == 200
        weir.kill()
        weir.start()
        weir.wait_loaded()
        assert weir.query("select count(), uniqExact(_p, _o) from events where name = 'out'") == [[200, 200]]


def test_an_empty_journal_beside_a_filled_store_is_refused(node):
    with Weir(arguments=["--store.url", node.url, "--serve.new_journal", "true"]) as weir:
        weir.send({"type": "mine"})
        weir.wait_loaded()
        lost = Weir(arguments=["--store.url", node.url])
        try:
            done = subprocess.run(lost.command(), capture_output=True, timeout=30)
            assert done.returncode == 1
            assert b"--serve.new_journal" in done.stderr
            lost.arguments += ["--serve.new_journal", "true"]
            lost.start()
            assert lost.send({"type": "other journal"})[0] == 201
            lost.wait_loaded()
            assert lost.count("name = 'other journal'") == 1
            assert lost.stop() == 0
        finally:
            lost.__exit__(None, None, None)


def test_a_server_that_dies_is_waited_for(tmp_path):
    with ClickHouseNode(tmp_path) as node, Weir(arguments=["--store.url", node.url]) as weir:
        assert weir.send({"type": "a"})[0] == 201
        weir.wait_loaded()
        node.kill()
        assert weir.send({"type": "b"})[0] == 201
        wait_for(lambda: weir.metrics()["weir_store_up"] == 0, "the store is known to be away")
        assert weir.request("GET", "/ready")[0] == 200  # events are still taken
        node.start()
        weir.wait_loaded()
        assert weir.query("select name, count() from events group by name order by name") == [["a", 1], ["b", 1]]


def test_a_row_the_store_refuses_becomes_a_dead_letter_and_costs_no_other(tmp_path):
    """S14: one row the store cannot take. The others are stored; the letter is listed, kept, and stored once it can be."""
    with ClickHouseNode(tmp_path) as node, Weir(arguments=["--store.url", node.url]) as weir:
        def letters():
            lines = weir.run("journal", "dead", "--json").stdout.decode().splitlines()
            return [json.loads(line) for line in lines]

        def resend():
            return json.loads(weir.run("journal", "dead", "--resend").stdout)

        weir.send({"type": "first"})
        weir.wait_loaded()
        assert letters() == []
        node.ask("ALTER TABLE weir_data.events ADD CONSTRAINT no_poison CHECK name != 'poison'")
        for i in range(5):
            weir.send([{"type": "poison" if j == 7 * i else "fine", "user_id": f"{i}-{j}", "id": f"{i}-{j}"}
                       for j in range(40)])
        weir.wait_loaded()
        assert weir.query("select name, count() from events group by name order by name") == [["fine", 195], ["first", 1]]
        dead = letters()
        assert [json.loads(letter["record"])["id"] for letter in dead] == [f"{i}-{7 * i}" for i in range(5)]
        assert all("no_poison" in letter["reason"] and letter["partition"] == "live" for letter in dead)
        assert b"no_poison" in weir.run("journal", "dead").stdout
        assert weir.metrics()['weir_load_outcomes{partition="live",outcome="dead"}'] == 5

        assert resend() == {"partition": "live", "tried": 5, "stored": 0}
        weir.kill()
        weir.start()
        weir.wait_loaded()
        assert len(letters()) == 5 and weir.count() == 196
        node.ask("ALTER TABLE weir_data.events DROP CONSTRAINT no_poison")
        assert resend() == {"partition": "live", "tried": 5, "stored": 5}
        assert letters() == []
        assert weir.query("select count(), uniqExact(_p, _o), countIf(name = 'poison') from events") == [[201, 201, 5]]
        assert json.loads(weir.run("journal", "replay").stdout)["missing"] == 0


def test_a_table_that_lost_a_column_is_waited_for(tmp_path):
    """S13: what is about the table and not about an event gives up nothing."""
    with ClickHouseNode(tmp_path) as node, Weir(arguments=["--store.url", node.url]) as weir:
        weir.send({"type": "before"})
        weir.wait_loaded()
        node.ask("DROP VIEW weir.events")  # it holds on to the columns
        for change, back, said in (("RENAME COLUMN sdk TO other", "RENAME COLUMN other TO sdk", "No such column sdk"),
                                   ("DROP COLUMN visit_gap_ms, ADD COLUMN visit_gap_ms Array(UInt32)",
                                    "DROP COLUMN visit_gap_ms, ADD COLUMN visit_gap_ms UInt32", "does not take our columns")):
            for part in change.split(", "):
                node.ask(f"ALTER TABLE weir_data.events {part}")
            assert weir.send([{"type": "meanwhile"}] * 3)[0] == 201
            wait_for(lambda: said in weir.log(), "the refusal is in the log")
            assert weir.run("journal", "dead").stdout == b""
            for part in back.split(", "):
                node.ask(f"ALTER TABLE weir_data.events {part}")
            weir.wait_loaded()
        assert node.ask("SELECT count(), uniqExact(_p, _o) FROM weir_data.events") == "7\t7\n"
        assert weir.run("journal", "dead").stdout == b""
