"""There is no more room: on the volume, for files, in a file. Events are refused with 503 and taken again by themselves."""
import contextlib
import json
import os
import resource
import subprocess

import pytest

from weir import Weir, wait_for

UNCOMPRESSED = ["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB", "--journal.compression", "none"]


@contextlib.contextmanager
def small_volume(tmp_path, options):
    volume = tmp_path / "volume"
    volume.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", volume]).returncode != 0:
        pytest.skip("cannot mount a small volume here")
    try:
        yield volume
    finally:
        subprocess.run(["umount", "-l", volume])


def send_until_refused(weir, name, limit=400):
    """Batches of 100 KiB until one is refused; answers how many events were accepted."""
    body = [{"type": name, "details": {"pad": "x" * 10_000}}] * 10
    for n in range(limit):
        status, headers, answer = weir.send(body)
        if status == 503:
            assert "retry-after" in headers
            assert json.loads(answer)["error"]["code"] == "overloaded"
            return n * len(body)
        assert status == 201
    raise AssertionError("nothing was refused")


def check_exact(weir, name, accepted):
    weir.wait_loaded(60)
    assert weir.count(f"name = '{name}'") == accepted
    assert weir.query("select count() - uniqExact(_p, _o) from events") == [[0]]


def test_the_disk_fills_up_and_empties_again(tmp_path):
    """L17: a volume of its own runs full: events are refused with 503, none of the accepted is lost, and it resumes."""
    with small_volume(tmp_path, "size=160m") as volume:
        data = volume / "data"
        with Weir(data=data, arguments=["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB",
                                        "--journal.compression", "none"]) as weir:
            weir.log_path = tmp_path / "weir.log"
            assert weir.send([{"type": "before"}] * 10)[0] == 201
            ballast = volume / "ballast"
            with open(ballast, "wb") as f:
                try:
                    while True:
                        f.write(b"\0" * 65536)
                        f.flush()
                except OSError:
                    pass
            refused = wait_for(lambda: (lambda a: a if a[0] == 503 else None)(weir.send({"type": "full"})),
                               "events are refused while the disk is full")
            assert "retry-after" in refused[1]
            assert json.loads(refused[2])["error"]["code"] == "overloaded"
            assert weir.request("GET", "/ready")[0] == 503
            ballast.unlink()
            wait_for(lambda: weir.send({"type": "after"})[0] == 201, "events are taken again")
            weir.wait_loaded(60)
            assert weir.count("name = 'before'") == 10
            assert weir.count("name = 'after'") >= 1
            assert weir.stop() == 0


def test_no_more_files_can_be_made(tmp_path):
    """L19: the volume has bytes, but no inode for the journal's next segment."""
    with small_volume(tmp_path, "size=900m") as volume:
        with Weir(data=volume / "data", arguments=UNCOMPRESSED) as weir:
            weir.log_path = tmp_path / "weir.log"
            assert weir.send({"type": "first"})[0] == 201
            weir.wait_loaded()
            in_use = os.statvfs(volume)
            used = in_use.f_files - in_use.f_ffree
            subprocess.run(["mount", "-o", f"remount,nr_inodes={used + 4}", volume], check=True)
            files = []
            with contextlib.suppress(OSError):
                for n in range(100):
                    (volume / f"file{n}").touch()
                    files.append(volume / f"file{n}")
            accepted = send_until_refused(weir, "filling")
            wait_for(lambda: weir.request("GET", "/ready")[0] == 503, "it says that it takes nothing")
            subprocess.run(["mount", "-o", f"remount,nr_inodes={used + 5000}", volume], check=True)
            for file in files:
                file.unlink()
            wait_for(lambda: weir.send({"type": "after"})[0] == 201, "events are taken again")
            check_exact(weir, "filling", accepted)
            assert weir.stop() == 0


def test_a_limit_on_the_size_of_files(tmp_path):
    """L20: SIGXFSZ ends nothing; a file that may not grow is a disk that is full."""
    with Weir(arguments=UNCOMPRESSED) as weir:
        assert weir.send([{"type": "before"}] * 10)[0] == 201
        weir.wait_loaded()
        before = resource.prlimit(weir.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(weir.process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        assert send_until_refused(weir, "refused") == 0
        assert weir.process.poll() is None
        resource.prlimit(weir.process.pid, resource.RLIMIT_FSIZE, before)
        wait_for(lambda: weir.send({"type": "after"})[0] == 201, "events are taken again")
        check_exact(weir, "before", 10)
        assert weir.count("name = 'refused'") == 0
        assert weir.stop() == 0
