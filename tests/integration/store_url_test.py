"""The same client against a ClickHouse server that weir did not start."""
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
