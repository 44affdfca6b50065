"""What a 201 promises, seen from outside: the system calls before it. A kill alone would not show a missing sync, since the
kernel keeps what was written."""
import re

from tracing import traced
from weir import Weir, wait_for

CALL = re.compile(r"^(?P<pid>\d+) +(?P<time>[\d.]+) (?P<call>\w+)\((?P<fd>\d+)(?P<rest>.*)$")
RESUMED = re.compile(r"^(?P<pid>\d+) +(?P<time>[\d.]+) <\.\.\. (?P<call>\w+) resumed>.* = (?P<result>-?\d+)")


def test_no_answer_precedes_its_sync(tmp_path):
    """L2, L3: between a request and its 201 the journal was written and a sync begun after that write has returned."""
    output = tmp_path / "trace"
    with Weir(arguments=["--collect.rate_per_address", "0"]) as weir:
        with traced(weir.process.pid, output, "-y", "-ttt", "-e", "trace=pwrite64,pwritev,pwritev2,fdatasync,fsync,sendmsg",
                    "-e", "signal=none", "-s", "16"):
            for n in range(50):
                assert weir.send({"type": f"e{n}"})[0] == 201
        weir.wait_loaded()
        assert weir.count() == 50
    answers, written, syncing, synced = 0, 0, {}, 0
    answered_upto = 0
    for line in output.read_text(errors="replace").splitlines():
        resumed = RESUMED.match(line)
        if resumed:
            if resumed["call"] in ("fdatasync", "fsync") and resumed["pid"] in syncing:
                covered = syncing.pop(resumed["pid"])
                if resumed["result"] == "0":
                    synced = max(synced, covered)
            continue
        call = CALL.match(line)
        if not call:
            continue
        journal = "/journal/live/" in call["rest"]
        if call["call"].startswith("pwrite") and journal:
            written += 1
        elif call["call"] in ("fdatasync", "fsync") and journal:
            if "unfinished" in call["rest"]:
                syncing[call["pid"]] = written
            elif call["rest"].endswith(" = 0"):
                synced = max(synced, written)
        elif call["call"] == "sendmsg" and "HTTP/1.1 201" in call["rest"]:
            answers += 1
            # One request at a time: each 201 stands behind a write of its own, and a sync of that.
            assert synced > answered_upto, f"answer {answers} went out before its write was synced: {line}"
            answered_upto = synced
    assert answers == 50


def test_a_failed_sync_is_never_answered(tmp_path):
    """L14: fdatasync fails once and would succeed the next time: the request is refused, and weir ends itself."""
    with Weir(arguments=["--collect.rate_per_address", "0"]) as weir:
        assert weir.send({"type": "before", "id": "0"})[0] == 201
        weir.wait_loaded()
        with traced(weir.process.pid, tmp_path / "trace", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=1"):
            try:
                status = weir.send({"type": "during", "id": "1"})[0]
            except OSError:
                status = None
            assert status in (None, 503)
            wait_for(lambda: weir.process.poll() is not None, "weir ends, so that its supervisor starts it again", 40)
        assert weir.process.returncode != 0
        weir.process = None
        weir.start()
        assert weir.send({"type": "during", "id": "1"})[0] == 201
        weir.wait_loaded()
        assert weir.query("select name, count() from events group by name order by name") == [["before", 1], ["during", 1]]
