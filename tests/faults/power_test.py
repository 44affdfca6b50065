"""The power goes, at a random moment: a real ext4 forgets all that was not synced. What was answered 201 is there, once."""
import os
import random
import subprocess
import time

from oracle import Clients
from visits import events_of, late_order, send, stored, worked_out
from volumes import Volume, small_volume
from weir import Weir, wait_for

SEED = int(os.environ.get("WEIR_FAULT_SEED", time.time_ns() % 1_000_000))
CUTS = int(os.environ.get("WEIR_FAULT_CUTS", 3))


def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path):
    """L8, L9, S3, S4: journal and store on one volume lose their power together."""
    rng = random.Random(SEED)
    note = f"WEIR_FAULT_SEED={SEED}"
    with Volume(tmp_path) as volume, \
            Weir(data=volume.path / "data", log=tmp_path / "weir.log",
                 arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB"]) as weir:
        with Clients(weir, 3, rng, pause=0.05) as clients:
            for cut in range(CUTS):
                enough = clients.acknowledged() + rng.randint(1, 3000)
                wait_for(lambda: clients.acknowledged() >= enough, f"events are acknowledged ({note})", 90)
                if rng.random() < 0.7:  # else before this life inserts anything
                    rows = rng.randint(1, 3000)
                    wait_for(lambda: weir.metrics().get('weir_load_rows_total{partition="live"}', 0) >= rows,
                             f"rows are inserted ({note})", 120)
                volume.cut()
                weir.kill()
                volume.unmount()
                volume.mount()
                weir.start()
            clients.check(note, 120 + 10 * CUTS)  # most of what came in short lives is loaded now
        assert weir.stop() == 0


def test_a_power_cut_while_visits_are_rewritten(tmp_path):
    """S3: late events change rows in place; the power goes while that is under way. Every visit comes out as its events say."""
    rng = random.Random(SEED)
    events = events_of(SEED, 4000)
    arriving = late_order(events, rng)
    with Volume(tmp_path) as volume, \
            Weir(data=volume.path / "data", log=tmp_path / "weir.log", arguments=["--collect.rate_per_address", "0"]) as weir:
        parts = [arriving[n::CUTS + 2] for n in range(CUTS + 2)]  # each as late as the one before
        send(weir, parts[0], "app")
        weir.wait_loaded(60)
        for part in parts[1:-1]:
            send(weir, part, "app")
            wait_for(lambda: weir.metrics().get("weir_load_visit_rows_rewritten_total", 0) > 0, f"visits are rewritten (WEIR_FAULT_SEED={SEED})", 120)
            volume.cut()
            weir.kill()
            volume.unmount()
            volume.mount()
            weir.start()
        send(weir, parts[-1], "app")
        weir.wait_visits()
        assert stored(weir, "app") == worked_out(weir, events), f"WEIR_FAULT_SEED={SEED}"
        weir.check_accounting()


def test_writes_that_the_disk_took_and_lost(tmp_path):
    """L16: the file system takes the writes, the disk below has no room for them: the sync says so, once. Nothing behind
    it is acknowledged, weir ends itself, and what was acknowledged before is there."""
    with small_volume(tmp_path / "disk", "size=90m") as disk, Volume(tmp_path, disk / "image") as volume:
        acknowledged = []
        with Weir(data=volume.path / "data", log=tmp_path / "weir.log",
                  arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "4MiB",
                             "--journal.compression", "none", "--roles", "collect"]) as weir:
            for n in range(2000):
                names = [f"{n}-{i}" for i in range(5)]
                try:
                    status = weir.send([{"type": "e", "user_id": name, "id": name, "details": {"pad": "x" * 20_000}}
                                        for name in names])[0]
                except OSError:
                    break
                if status != 201:
                    assert status == 503
                    break
                acknowledged.extend(names)
            assert acknowledged
            wait_for(lambda: weir.process.poll() is not None, f"weir ends itself: {weir.log()[-800:]}", 60)
            assert weir.process.returncode != 0
            weir.process = None
        volume.abandon()
        subprocess.run(["mount", "-o", "remount,size=900m", str(disk)], check=True)
        volume.repair()
        volume.mount()
        with Weir(data=volume.path / "data", arguments=["--collect.rate_per_address", "0"],
                  log=tmp_path / "weir.log") as weir:
            weir.wait_loaded(120)
            stored = {name: int(count)
                      for name, count in weir.query("select user_id, count() from events group by user_id")}
            assert [n for n in acknowledged if n not in stored] == []
            assert [n for n, count in stored.items() if count != 1] == []
            weir.check_accounting()
            assert weir.stop() == 0
