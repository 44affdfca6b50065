"""Clients that keep their own list of what was acknowledged, and the check of that list against the store."""
import pathlib
import random
import shutil
import tempfile
import threading

ACKNOWLEDGED, UNKNOWN = "acknowledged", "unknown"


class Client(threading.Thread):
    """Posts batches one after the other and writes down, in a file of its own, which events were answered 201. With ids
    it repeats a batch until it is acknowledged, as an SDK does; without, what got no answer stays unknown."""

    def __init__(self, weir, name, path, rng, ids, pause):
        super().__init__(daemon=True)
        self.weir, self.prefix, self.path, self.rng, self.ids, self.pause = weir, name, path, rng, ids, pause
        self.acknowledged = self.repeated = 0
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        number = 0
        try:
            with open(self.path, "w", buffering=1) as notes:
                while not self.stopping.is_set():
                    names = [f"{self.prefix}-{number + i}" for i in range(self.rng.randint(1, 80))]
                    number += len(names)
                    status = self.post(names)
                    while self.ids and status != 201 and not self.stopping.is_set():
                        self.repeated += 1
                        status = self.post(names)
                    notes.write("".join(f"{ACKNOWLEDGED if status == 201 else UNKNOWN} {name}\n" for name in names))
                    if status == 201:
                        self.acknowledged += len(names)
                    self.stopping.wait(self.pause)
        except Exception as error:
            self.failure = error
            raise

    def post(self, names):
        try:
            status = self.weir.send([{"type": "e", "user_id": n, **({"id": n} if self.ids else {})} for n in names])[0]
        except OSError:
            status = None  # no answer is no promise: stored or not, both are right
        assert status in (None, 201, 503), status
        if status != 201:
            self.stopping.wait(0.02)
        return status


class Clients:
    """Several at once, while the block runs or until stop(). `pause`: seconds between a client's requests."""

    def __init__(self, weir, count, rng=None, ids=True, pause=0):
        rng = rng or random.Random(0)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-oracle-"))
        self.weir, self.ids = weir, ids
        self.all = [Client(weir, f"c{i}", self.directory / str(i), random.Random(rng.random()), ids, pause)
                    for i in range(count)]

    def __enter__(self):
        for client in self.all:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def acknowledged(self):
        """How many events were answered 201 so far."""
        for client in self.all:
            assert client.failure is None, client.failure
        return sum(c.acknowledged for c in self.all)

    def repeated(self):
        """How many requests were not, so far."""
        return sum(c.repeated for c in self.all)

    def stop(self):
        for client in self.all:
            client.stopping.set()
        for client in self.all:
            client.join(60)
            assert not client.is_alive() and client.failure is None, client.failure

    def check(self, note="", seconds=120):
        """Stops them and checks what they wrote down. Answers how many events were acknowledged."""
        self.stop()
        events = {ACKNOWLEDGED: [], UNKNOWN: []}
        for client in self.all:
            for line in client.path.read_text().splitlines():
                kind, name = line.split(" ")
                events[kind].append(name)
        check(self.weir, events[ACKNOWLEDGED], events[UNKNOWN], self.ids, note, seconds)
        return len(events[ACKNOWLEDGED])


def check(weir, acknowledged, unknown=(), ids=True, note="", seconds=120):
    """Every acknowledged event (they are called e, and known by their user_id) is one row, none is two, nobody else's are
    there, and the accounts agree."""
    weir.wait_loaded(seconds)
    # In pieces: an answer has at most a million rows.
    pieces = 1 + (len(acknowledged) + len(unknown)) // 300_000
    stored = {name: int(count) for piece in range(pieces) for name, count in weir.query(
        "select user_id, count() from events where name = 'e' "
        f"and cityHash64(user_id) % {pieces} = {piece} group by user_id")}
    missing = [i for i in acknowledged if i not in stored]
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged events are lost, first {missing[:3]} ({note})"
    twice = [i for i, count in stored.items() if count != 1]
    assert not twice, f"{len(twice)} events are counted more than once, first {twice[:3]} ({note})"
    stray = set(stored) - set(acknowledged) - set(unknown)
    assert not stray, f"{len(stray)} rows that nobody sent ({note})"
    assert not list(weir.data.glob("clickhouse.aside-*")), f"a store was set aside for nothing ({note})"
    terms = weir.check_accounting(note)
    if not ids:
        assert terms["duplicate"] == 0, f"{terms} ({note})"
    assert acknowledged, note
