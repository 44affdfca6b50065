"""No acknowledged event is lost or counted twice, whichever process is killed whenever. The client keeps its own list of
what was acknowledged; the seed of each run stands in the failure message."""
import json
import os
import random
import signal
import threading
import time

import pytest

from weir import Weir, wait_for

SEED = int(os.environ.get("WEIR_FAULT_SEED", time.time_ns() % 1_000_000))
KILLS = int(os.environ.get("WEIR_FAULT_KILLS", 6))


class Client(threading.Thread):
    """Posts batches one after the other and remembers which were answered 201. With ids it repeats a batch until it is
    acknowledged, as an SDK does; without, what got no answer stays unknown."""

    def __init__(self, weir, name, rng, ids):
        super().__init__(daemon=True)
        self.weir, self.prefix, self.rng, self.ids = weir, name, rng, ids
        self.acknowledged, self.unknown, self.repeated = [], [], 0
        self.stopping = threading.Event()

    def run(self):
        number = 0
        while not self.stopping.is_set():
            names = [f"{self.prefix}-{number + i}" for i in range(self.rng.randint(1, 80))]
            number += len(names)
            body = [{"type": "e", "user_id": n, **({"id": n} if self.ids else {})} for n in names]
            status = self.post(body)
            while self.ids and status != 201 and not self.stopping.is_set():
                self.repeated += 1
                status = self.post(body)
            (self.acknowledged if status == 201 else self.unknown).extend(names)

    def post(self, body):
        try:
            status = self.weir.send(body)[0]
        except OSError:
            status = None  # no answer is no promise: stored or not, both are right
        assert status in (None, 201, 503), status
        if status != 201:
            self.stopping.wait(0.02)
        return status


def check(weir, clients, note):
    weir.wait_loaded(120)
    stored = {name: int(count) for name, count in weir.query("select user_id, count() from events group by user_id")}
    positions, rows = weir.query("select uniqExact(_p, _o), count() from events")[0]
    assert positions == rows, f"a position stands twice ({note})"
    acknowledged = [i for c in clients for i in c.acknowledged]
    unknown = {i for c in clients for i in c.unknown}
    missing = [i for i in acknowledged if i not in stored]
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged events are lost, first {missing[:3]} ({note})"
    twice = [i for i, count in stored.items() if count != 1]
    assert not twice, f"{len(twice)} events are counted more than once, first {twice[:3]} ({note})"
    stray = set(stored) - set(acknowledged) - unknown
    assert not stray, f"{len(stray)} rows that nobody sent ({note})"
    assert not list(weir.data.glob("clickhouse.aside-*")), f"a store was set aside for nothing ({note})"
    values = weir.metrics()
    outcomes = sum(v for k, v in values.items() if k.startswith('weir_load_outcomes{partition="live"'))
    assert values['weir_journal_end_position{partition="live"}'] == rows + outcomes, note
    if not any(c.ids for c in clients):
        assert outcomes == 0, note
    return len(acknowledged)


@pytest.mark.parametrize("victim,ids", [("weir", True), ("store", True), ("both", True), ("both", False)])
def test_killed_at_random_counts_each_acknowledged_event_once(victim, ids):
    """L1 to L4, L6, S1, S2, S7: whichever process is killed whenever, with clients that repeat by id and without."""
    rng = random.Random(f"{SEED} {victim} {ids}")
    note = f"WEIR_FAULT_SEED={SEED}"
    with Weir(arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB"]) as weir:
        clients = [Client(weir, f"c{i}", random.Random(rng.random()), ids) for i in range(4)]
        for client in clients:
            client.start()
        for kill in range(KILLS):
            before = sum(len(c.acknowledged) for c in clients)
            enough = before + rng.randint(50, 1500)
            wait_for(lambda: sum(len(c.acknowledged) for c in clients) >= enough, f"events acknowledged ({note})", 60)
            if victim in ("store", "both"):
                try:
                    os.kill(int((weir.data / "clickhouse" / "pid").read_text().split()[0]), signal.SIGKILL)
                except (ProcessLookupError, FileNotFoundError, IndexError):
                    pass  # it is being started again already
            if victim in ("weir", "both"):
                weir.kill()
                weir.start(ready=False)
                wait_for(lambda: reachable(weir), f"weir answers again ({note})", 60)
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(30)
            assert not client.is_alive()
        assert check(weir, clients, note) > 0


def reachable(weir):
    assert weir.process.poll() is None, weir.log()[-3000:]
    try:
        return weir.request("GET", "/health")[0] == 200
    except OSError:
        return False
