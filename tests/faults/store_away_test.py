"""The store is slow, away for long, has no room or fails to sync: collecting goes on, nothing is refused, and what waited
is stored once. How fast it catches up is measured by `benchmarks/run --only catching_up`."""
import os
import signal

from oracle import Clients
from tracing import traced
from volumes import fill, small_volume
from weir import Weir, wait_for

UNLIMITED = ["--collect.rate_per_address", "0"]
IMPATIENT = ["--load.retry_pause_max", "200ms"]
LAG = 'weir_load_lag_events{partition="live"}'
POSITION = 'weir_load_position{partition="live"}'
BATCHES = int(os.environ.get("WEIR_FAULT_BATCHES", 40))


def test_a_slow_store_makes_the_lag_grow_and_nothing_else(tmp_path):
    """S8: ClickHouse stands still again and again, each time for less than would count as hanging."""
    with Weir(arguments=UNLIMITED) as weir, Clients(weir, 2, pause=0.02) as clients:
        engine = weir.store_pid()
        most = 0
        for _ in range(5):
            assert weir.signal_store(signal.SIGSTOP)
            try:
                before = clients.acknowledged()
                wait_for(lambda: clients.acknowledged() > before + 500, "events are taken meanwhile")
                most = max(most, weir.metrics()[LAG])
            finally:
                weir.signal_store(signal.SIGCONT)
            loaded = weir.metrics()[POSITION]
            wait_for(lambda: weir.metrics()[POSITION] > loaded, "it is loaded in between")
        assert most >= 500
        assert clients.repeated() == 0, "something was refused"
        clients.check()
        assert weir.store_pid() == engine, "a slow store was taken for one that hangs"
        assert weir.stop() == 0


def test_a_store_that_was_away_for_long_catches_up(tmp_path, library):
    """S9: the engine cannot be started, weir itself is killed and started meanwhile, and then all of it is loaded.
    WEIR_FAULT_BATCHES=7200 is an hour of 2,000 events a second."""
    away = tmp_path / "libchdb.so"
    away.symlink_to(library)
    with Weir(arguments=[*UNLIMITED, "--store.library", str(away)]) as weir:
        assert weir.send([{"type": "e", "user_id": "first", "id": "first"}])[0] == 201
        weir.wait_loaded()
        away.unlink()
        away.write_text("not a library")
        assert weir.signal_store(signal.SIGKILL)
        for batch in range(BATCHES):
            # Each batch repeats one id of the batch before, which counts once.
            names = [f"{batch}-{i}" for i in range(1000)] + ([f"{batch - 1}-0"] if batch > 0 else [])
            assert weir.send([{"type": "e", "user_id": n, "id": n} for n in names])[0] == 201
            if batch == BATCHES // 2:
                weir.kill()
                weir.start(ready=False)
                wait_for(lambda: answers_ready(weir), "it takes events without its store")
        assert weir.metrics()[LAG] >= BATCHES * 1000, "the store was there"
        assert weir.request("GET", "/ready")[0] == 200
        away.unlink()
        away.symlink_to(library)
        weir.wait_loaded(60 + BATCHES)
        assert weir.query("select count(), uniqExact(user_id) from events") == [[BATCHES * 1000 + 1, BATCHES * 1000 + 1]]
        assert weir.check_accounting()["duplicate"] == BATCHES - 1
        assert not list(weir.data.glob("clickhouse.aside-*")), "a store was set aside for nothing"
        assert weir.stop() == 0


def test_the_stores_disk_is_full(tmp_path):
    """S11: ClickHouse's directory is a volume of its own and has no room; the journal's has."""
    data = tmp_path / "data"
    with Weir(data=data, arguments=["--roles", "collect"]) as weir:
        assert weir.stop() == 0
    with small_volume(data / "clickhouse", "size=120m,mode=700") as volume, \
            Weir(data=data, arguments=[*UNLIMITED, *IMPATIENT]) as weir, Clients(weir, 2) as clients:
        wait_for(lambda: weir.metrics()[POSITION] > 500, "events are loaded")
        ballast = fill(volume)
        before = clients.acknowledged()
        wait_for(lambda: weir.metrics()[LAG] > 5000, "nothing is loaded any more")
        wait_for(lambda: "rows failed" in weir.log(), "loading says so")
        assert weir.request("GET", "/ready")[0] == 200
        assert clients.acknowledged() > before and clients.repeated() == 0, "something was refused"
        ballast.unlink()
        clients.check()
        assert weir.stop() == 0


def test_a_sync_of_the_store_fails(tmp_path):
    """S12: fsync and fdatasync of ClickHouse fail for a while: nothing is believed to be stored that is not."""
    with Weir(arguments=[*UNLIMITED, *IMPATIENT]) as weir, Clients(weir, 1) as clients:
        wait_for(lambda: weir.metrics()[POSITION] > 500, "events are loaded")
        trace = tmp_path / "trace"
        with traced(weir.store_pid(), trace, "-e", "trace=fsync,fdatasync", "-e",
                    "inject=fsync,fdatasync:error=EIO:when=1..6"):
            wait_for(lambda: trace.read_text().count("(INJECTED)") == 6, "syncs fail", 60)
        assert "rows failed" in weir.log(), "no insert failed"
        clients.check()
        assert weir.stop() == 0


def answers_ready(weir):
    try:
        return weir.request("GET", "/ready")[0] == 200
    except OSError:
        return False
