"""The power goes, at a random moment: a real ext4 forgets all that was not synced. What was answered 201 is there, once."""
import fcntl
import os
import random
import shutil
import struct
import subprocess
import threading
import time

import pytest

from weir import Weir, wait_for

SEED = int(os.environ.get("WEIR_FAULT_SEED", time.time_ns() % 1_000_000))
CUTS = int(os.environ.get("WEIR_FAULT_CUTS", 3))
EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2  # what stands in the file system's own log, unwritten, is lost as well


class Volume:
    """An ext4 of its own in a file, which can lose its power."""

    def __init__(self, directory, image=None):
        self.image, self.path = image or directory / "image", directory / "volume"
        self.path.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(1 << 30)
        self.run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))

    @staticmethod
    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(f"{command[0]}: {done.stderr.strip()}")

    def mount(self):
        self.run("mount", "-o", "loop", str(self.image), str(self.path))

    def cut(self):
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(directory)

    def unmount(self):
        wait_for(lambda: subprocess.run(["umount", str(self.path)], capture_output=True).returncode == 0 or
                 not os.path.ismount(self.path), "the volume can be unmounted", 30)


@pytest.fixture
def volume(tmp_path):
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4")
    volume = Volume(tmp_path)
    try:
        volume.mount()
    except OSError as error:
        pytest.skip(f"cannot mount a file here: {error}")
    yield volume
    subprocess.run(["umount", "-l", str(volume.path)], capture_output=True)


def send_until(weir, stop, acknowledged, lock, prefix):
    """Batches until told to stop; each is repeated, with its ids, until it is acknowledged."""
    number = 0
    while not stop.is_set():
        names = [f"{prefix}-{number + i}" for i in range(1 + number % 40)]
        number += len(names)
        while not stop.is_set():
            try:
                if weir.send([{"type": "e", "user_id": n, "id": n} for n in names])[0] == 201:
                    with lock:
                        acknowledged.extend(names)
                    break
            except OSError:
                pass
            stop.wait(0.02)


def test_a_power_cut_takes_nothing_that_was_acknowledged(volume, tmp_path):
    """L8, L9, S3, S4: journal and store on one volume lose their power together."""
    rng = random.Random(SEED)
    note = f"WEIR_FAULT_SEED={SEED}"
    acknowledged, lock = [], threading.Lock()
    with Weir(data=volume.path / "data",
              arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB"]) as weir:
        weir.log_path = tmp_path / "weir.log"
        for cut in range(CUTS):
            stop = threading.Event()
            clients = [threading.Thread(target=send_until, args=(weir, stop, acknowledged, lock, f"{cut}-{i}"))
                       for i in range(3)]
            enough = len(acknowledged) + rng.randint(1, 6000)
            for client in clients:
                client.start()
            wait_for(lambda: len(acknowledged) >= enough, f"events are acknowledged ({note})", 90)
            volume.cut()
            weir.kill()
            stop.set()
            for client in clients:
                client.join(30)
            volume.unmount()
            volume.mount()
            weir.start()
            weir.wait_loaded(120)
            stored = {name: int(count)
                      for name, count in weir.query("select user_id, count() from events group by user_id")}
            missing = [n for n in acknowledged if n not in stored]
            assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged are lost, first {missing[:3]} ({note})"
            twice = [n for n, count in stored.items() if count != 1]
            assert not twice, f"{len(twice)} are counted more than once, first {twice[:3]} ({note})"
            rows, positions = weir.query("select count(), uniqExact(_p, _o) from events")[0]
            assert rows == positions, note
            assert not list(weir.data.glob("clickhouse.aside-*")), f"a store was set aside for nothing ({note})"
            values = weir.metrics()
            outcomes = sum(v for k, v in values.items() if k.startswith('weir_load_outcomes{partition="live"'))
            assert values['weir_journal_end_position{partition="live"}'] == rows + outcomes, note
        assert weir.stop() == 0


def test_writes_that_the_disk_took_and_lost(tmp_path):
    """L16: the file system takes the writes, the disk below has no room for them: the sync says so, once. Nothing behind
    it is acknowledged, weir ends itself, and what was acknowledged before is there."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", disk]).returncode != 0:
        pytest.skip("cannot mount a small disk here")
    volume = None
    try:
        volume = Volume(tmp_path, disk / "image")
        try:
            volume.mount()
        except OSError as error:
            pytest.skip(f"cannot mount a file here: {error}")
        acknowledged = []
        with Weir(data=volume.path / "data", arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "4MiB",
                                                        "--journal.compression", "none", "--roles", "collect"]) as weir:
            weir.log_path = tmp_path / "weir.log"
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
        subprocess.run(["umount", "-l", str(volume.path)], check=True)
        subprocess.run(["mount", "-o", "remount,size=900m", str(disk)], check=True)
        wait_for(lambda: subprocess.run(["e2fsck", "-fp", str(volume.image)], capture_output=True).returncode in (0, 1),
                 "the file system is sound", 30)
        volume.mount()
        with Weir(data=volume.path / "data", arguments=["--collect.rate_per_address", "0"]) as weir:
            weir.log_path = tmp_path / "weir.log"
            weir.wait_loaded(120)
            stored = {name: int(count)
                      for name, count in weir.query("select user_id, count() from events group by user_id")}
            assert [n for n in acknowledged if n not in stored] == []
            assert [n for n, count in stored.items() if count != 1] == []
            assert weir.stop() == 0
    finally:
        if volume is not None:
            subprocess.run(["umount", "-l", str(volume.path)], capture_output=True)
        subprocess.run(["umount", "-l", str(disk)], capture_output=True)
