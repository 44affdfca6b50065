"""The machine's wall clock jumps, as libfaketime shows it to weir; what runs monotonic goes on."""
import datetime
import pathlib
import time

import pytest

from oracle import Clients
from weir import Weir, wait_for

HOUR, YEAR = 3600, 365 * 86_400
POSITION = 'weir_load_position{partition="live"}'


@pytest.fixture
def clock(tmp_path):
    """A clock that can be set, and the environment that makes a program believe it."""
    libraries = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("faketime is not installed")

    class Clock:  # each look at the clock reads its file
        file = tmp_path / "clock"
        environment = {"LD_PRELOAD": str(libraries[0]), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
                       "DONT_FAKE_MONOTONIC": "1"}

        def set(self, offset):
            """Seconds beside the real time."""
            new = self.file.with_suffix(".new")
            new.write_text(f"{offset:+d}\n")
            new.replace(self.file)
    Clock().set(0)
    return Clock()


def jumps():
    """Two hours and ten years to both sides, and the first day of 1970."""
    return [2 * HOUR, -2 * HOUR, 10 * YEAR, -10 * YEAR, HOUR - int(time.time()), 0]


@pytest.mark.parametrize("when", ["under load", "at start"])
def test_the_clock_jumps(clock, when):
    """O6: nothing is lost, refused or counted twice; answers, loading and stopping take as long as ever."""
    def month(jump):
        then = datetime.datetime.fromtimestamp(time.time() + jump, datetime.timezone.utc)
        return 100 * then.year + then.month

    with Weir(arguments=["--collect.rate_per_address", "0"], environment=clock.environment) as weir, \
            Clients(weir, 1, pause=0.02) as clients:
        begun, ended = [], []  # in these months
        for jump in jumps():
            if when == "at start":
                assert weir.stop() == 0
            clock.set(jump)
            if when == "at start":
                weir.start()
            begun.append(month(jump))
            taken, loaded = clients.acknowledged(), weir.metrics()[POSITION]
            wait_for(lambda: clients.acknowledged() >= taken + 300, f"events are taken {jump} s beside the time")
            wait_for(lambda: weir.metrics()[POSITION] > loaded, f"events are loaded {jump} s beside the time")
            assert weir.request("GET", "/ready")[0] == 200
            assert weir.send({"type": "jump", "timestamp": "2015-05-17T10:00:00Z", "user_id": "then"})[0] == 201
            assert weir.send({"type": "jump", "timestamp": 1, "user_id": "too early"})[0] == 400
            ended.append(month(jump))
        if when == "under load":
            assert clients.repeated() == 0, "something was refused"
            assert "the clock was set" in weir.log()
            # Within a process time does not run backwards.
            begun, ended = ([max(all[:n + 1]) for n in range(len(all))] for all in (begun, ended))
        clients.check()
        received = {month for [month] in weir.query("select distinct toYYYYMM(received_at) from events")}
        assert set(ended) <= received <= set(begun + ended)
        months = int(weir.one("select uniqExact(toYYYYMM(timestamp)) from events"))
        assert months <= 1 + len(received), f"{months} partitions"
        assert weir.stop() == 0
