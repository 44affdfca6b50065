"""The system lets weir start no more threads. Seen as a user of its own, whom alone the limit binds."""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile

import pytest

from weir import BINARY, Weir, wait_for

USER = 61_234
REASON = "could not be started: Resource temporarily unavailable"


class Limited(Weir):
    """A weir of that user, with at most so many threads. Its store is away, since the private one's are processes and
    threads of the same user."""

    def __init__(self, threads, data, binary):
        super().__init__(data=data, arguments=["--store.url", "http://127.0.0.1:1", "--http.threads", "2"])
        self.threads, self.binary = threads, binary

    def start(self, ready=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.binary), *self.command()[1:]], stdout=log, stderr=log, user=USER, group=USER, extra_groups=[],
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (self.threads, self.threads)))
        return self

    def comes_up(self):
        """Or has ended."""
        if self.process.poll() is not None:
            return True
        try:
            return self.request("GET", "/health")[0] == 200
        except OSError:
            return False


@pytest.fixture
def home():
    """A directory that the user can use, and a program in it."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-threads-"))
    os.chown(directory, USER, USER)
    shutil.copy(BINARY, directory / "weir")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def test_no_more_threads(home):
    """O9: with one thread allowed, with two, and so on until it starts: before, it says why it does not, and ends."""
    for threads in range(1, 60):
        data = home / f"data-{threads}"
        with Limited(threads, data, home / "weir") as weir:
            wait_for(weir.comes_up, "it runs or has ended")
            if weir.process.poll() is None:
                assert threads > 5, "weir has more threads than that"
                assert weir.send({"type": "e"})[0] == 201
                assert weir.stop() == 0
                return
            assert weir.process.returncode == 1, f"{threads} threads: {weir.log()}"
            assert REASON in weir.log().splitlines()[-1], f"{threads} threads: {weir.log()}"
            weir.process = None
    raise AssertionError("it never started")
