"""No acknowledged event is lost or counted twice, whichever process is killed whenever. The client keeps its own list of
what was acknowledged; the seed of each run stands in the failure message."""
import os
import random
import signal
import time

import pytest

from oracle import Clients
from weir import Weir, wait_for

SEED = int(os.environ.get("WEIR_FAULT_SEED", time.time_ns() % 1_000_000))
KILLS = int(os.environ.get("WEIR_FAULT_KILLS", 6))


@pytest.mark.parametrize("victim,ids", [("weir", True), ("store", True), ("both", True), ("both", False)])
def test_killed_at_random_counts_each_acknowledged_event_once(victim, ids):
    """L1 to L4, L6, S1, S2, S7: whichever process is killed whenever, with clients that repeat by id and without."""
    rng = random.Random(f"{SEED} {victim} {ids}")
    note = f"WEIR_FAULT_SEED={SEED}"
    with Weir(arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB"]) as weir:
        with Clients(weir, 4, rng, ids) as clients:
            for kill in range(KILLS):
                enough = clients.acknowledged() + rng.randint(50, 1500)
                wait_for(lambda: clients.acknowledged() >= enough, f"events acknowledged ({note})", 60)
                if victim in ("store", "both"):
                    weir.signal_store(signal.SIGKILL)  # or it is being started again already
                if victim in ("weir", "both"):
                    weir.kill()
                    weir.start(ready=False)
                    wait_for(lambda: reachable(weir), f"weir answers again ({note})", 60)
            clients.check(note)


def reachable(weir):
    assert weir.process.poll() is None, weir.log()[-3000:]
    try:
        return weir.request("GET", "/health")[0] == 200
    except OSError:
        return False
