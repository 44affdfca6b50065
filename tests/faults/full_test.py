"""There is no more room: on the volume, for files, in a file. Events are refused with 503 and taken again by themselves."""
import contextlib
import json
import os
import resource
import subprocess

from volumes import fill, small_volume
from weir import Weir, wait_for

UNCOMPRESSED = ["--collect.rate_per_address", "0", "--journal.segment_bytes", "1MiB", "--journal.compression", "none"]


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
    weir.check_accounting()
    assert weir.count(f"name = '{name}'") == accepted


def test_the_disk_fills_up_and_empties_again(tmp_path):
    """L17: a volume of its own runs full: events are refused with 503, none of the accepted is lost, and it resumes."""
    with small_volume(tmp_path / "volume", "size=160m") as volume:
        with Weir(data=volume / "data", log=tmp_path / "weir.log", arguments=UNCOMPRESSED) as weir:
            assert weir.send([{"type": "before"}] * 10)[0] == 201
            ballast = fill(volume)
            refused = wait_for(lambda: (lambda a: a if a[0] == 503 else None)(weir.send({"type": "full"})),
                               "events are refused while the disk is full")
            assert "retry-after" in refused[1]
            assert json.loads(refused[2])["error"]["code"] == "overloaded"
            assert weir.request("GET", "/ready")[0] == 503
            ballast.unlink()
            wait_for(lambda: weir.send({"type": "after"})[0] == 201, "events are taken again")
            check_exact(weir, "before", 10)
            assert weir.count("name = 'after'") >= 1
            assert weir.stop() == 0


def test_no_more_files_can_be_made(tmp_path):
    """L19: the volume has bytes, but no inode for the journal's next segment."""
    with small_volume(tmp_path / "volume", "size=900m") as volume:
        with Weir(data=volume / "data", log=tmp_path / "weir.log", arguments=UNCOMPRESSED) as weir:
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
