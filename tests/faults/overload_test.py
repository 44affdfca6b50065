"""Overload: a project that floods is refused at its share, others are served, and what was answered 201 is counted once."""
import json
import re
import socket
import threading

from oracle import check
from weir import Weir, wait_for

IN_FLIGHT_BYTES = 8 << 20
# All that weir may hold by its options: requests in flight, the journal's queue, and its own parts.
RESIDENT_MB = (IN_FLIGHT_BYTES >> 20) + 64 + 200


def batch(prefix, events, event_bytes):
    names = [f"{prefix}-{i}" for i in range(events)]
    return names, json.dumps([{"type": "e", "user_id": n, "details": {"text": "x" * event_bytes}} for n in names]).encode()


class Upload:
    """A batch of a project, sent but for its last byte until finish()."""

    def __init__(self, weir, project, prefix):
        self.names, body = batch(prefix, 20, 9_000)
        self.socket = socket.create_connection(("127.0.0.1", weir.port), timeout=60)
        self.socket.sendall(f"POST /v1/events HTTP/1.1\r\nHost: a\r\nX-App: {project}\r\nContent-Type: application/json\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n".encode())
        self.rest = body
        try:
            self.socket.sendall(body[:-1])
            self.rest = body[-1:]
        except ConnectionError:
            pass  # refused from its head, and not read on

    def finish(self):
        """The answer's head."""
        try:
            self.socket.sendall(self.rest)
        except ConnectionError:
            pass
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.socket.recv(65536)
            assert piece, f"closed without an answer: {answer!r}"
            answer += piece
        self.socket.close()
        return answer.partition(b"\r\n\r\n")[0].decode()


def status_of(head):
    status = int(head.split()[1])
    if status == 503:
        assert int(re.search(r"(?im)^retry-after: (\d+)", head).group(1)) >= 5, head
    return status


class Flood(threading.Thread):
    """Posts batches without a pause, whatever it is answered."""

    def __init__(self, weir, number):
        super().__init__(daemon=True)
        self.weir, self.number = weir, number
        self.acknowledged, self.refused, self.failure = [], 0, None
        self.stopping = threading.Event()

    def run(self):
        sent = 0
        while not self.stopping.is_set():
            names, body = batch(f"a-flood{self.number}-{sent}", 5, 9_000)
            sent += 1
            status, headers, _ = self.weir.send(body)
            if status == 201:
                self.acknowledged += names
            elif status == 503 and int(headers["retry-after"]) >= 5:
                self.refused += 1
            else:
                self.failure = f"{status} {headers}"
                return


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def test_a_project_that_floods_is_refused_and_the_others_are_not():
    """H15, H16: one project holds its share of what may be in flight and goes on flooding; all events of the other are
    taken, each 201 counts once, memory is bounded, and afterwards everything is taken again."""
    with Weir(arguments=["--collect.rate_per_address", "0", "--http.in_flight_bytes_max", str(IN_FLIGHT_BYTES)]) as weir:
        acknowledged, uploads = [], []
        overload = 'weir_http_refused_total{reason="overload"}'
        while weir.metrics().get(overload, 0) == 0:
            # Twice as many as there is room for in all are certainly more than one project gets.
            assert len(uploads) < 2 * IN_FLIGHT_BYTES / 180_000
            uploads.append(Upload(weir, "app", f"a-upload{len(uploads)}"))
        floods = [Flood(weir, n) for n in range(4)]
        for flood in floods:
            flood.start()

        def all_refused():
            assert not any(f.failure for f in floods), [f.failure for f in floods]
            return all(f.refused > 0 for f in floods)
        wait_for(all_refused, "each flood was refused")
        for n in range(200):
            names, body = batch(f"b-{n}", *((1, 100) if n % 4 else (20, 9_000)))
            status, _, answer = weir.send(body, app="website")
            assert status == 201, (n, status, answer)
            acknowledged += names
        for flood in floods:
            flood.stopping.set()
        for flood in floods:
            flood.join(60)
            assert not flood.is_alive() and flood.failure is None, flood.failure
            acknowledged += flood.acknowledged
        statuses = []
        for upload in uploads:
            statuses.append(status_of(upload.finish()))
            if statuses[-1] == 201:
                acknowledged += upload.names
        assert set(statuses) == {201, 503}, statuses
        names, body = batch("a-afterwards", 20, 9_000)
        assert weir.send(body)[0] == 201
        acknowledged += names
        assert peak_mb(weir.process.pid) < RESIDENT_MB
        check(weir, acknowledged, ids=False)
