"""What README.md tells people to type, typed."""
import os
import re
import signal
import subprocess

import pytest
from ports import free_port
from weir import BINARY, ROOT, Weir, wait_for

README = (ROOT / "README.md").read_text()


@pytest.fixture
def weir():
    with Weir() as server:
        yield server


def block(beginning):
    """The one shell block of README.md that starts so."""
    (found,) = [b for b in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if b.startswith(beginning)]
    return found


def typed(weir, words):
    """Runs a block against `weir` instead of port 8000 and ./weir-data."""
    words = words.replace("localhost:8000", f"127.0.0.1:{weir.port}").replace("build/release/weir", str(BINARY))
    done = subprocess.run(
        ["sh", "-e", "-c", words], capture_output=True, text=True, timeout=60,
        env=weir.environment | {"WEIR_DATA": str(weir.data)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_event(weir):
    answer = typed(weir, block("curl -i http://localhost:8000"))
    head, body = answer.replace("\r\n", "\n").split("\n\n", 1)
    assert head.split()[1] == "201" and body == ""
    ask = block('build/release/weir query "select name, user_id')
    wait_for(lambda: typed(weir, ask) == "click\t1\t/getting-started\t0.0.1\tmeta_a\n", ask)


def test_lines_for_a_project_named_in_the_address(weir):
    send, ask = block("printf").rsplit("build/release/weir", 1)
    assert '{"accepted":2,"rejected":[],"dropped":[]}' in typed(weir, send)
    ask = "build/release/weir" + ask
    wait_for(lambda: sorted(typed(weir, ask).split("\n")) == ["", "pageview\t1", "signup\t1"], ask)


def test_the_history_of_a_log(weir, tmp_path):
    line = '192.0.2.{0} - - [17/May/2015:10:05:{1:02d} +0000] "GET {2} HTTP/1.1" {3} 120 "-" "Mozilla/5.0"\n'
    lines = [line.format(n, n, "/page", 200) for n in range(1, 6)] + [line.format(9, 9, "/logo.png", 200)]
    (tmp_path / "access.log").write_text("".join(lines))
    (tmp_path / "access.log.1").write_text(line.format(10, 10, "/missing", 404))
    words = block("build/release/weir import access-log").replace("/var/log/nginx/", f"{tmp_path}/")
    sql = "select name, count() from events where project = 'website' group by name order by name"
    for _ in range(2):
        typed(weir, words)
        wait_for(lambda: [[n, int(c)] for n, c in weir.query(sql)] == [["pageview", 5], ["request", 2]], sql)


def test_run_starts_a_server_says_what_to_do_next_and_stops_at_ctrl_c(tmp_path):
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if k == "WEIR_BUILD_LOCKED" or not k.startswith("WEIR_")}
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            [str(ROOT / "run"), "--listen", f"127.0.0.1:{port}", "--metrics.listen", ""], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, env=environment | {"WEIR_DATA": str(tmp_path / "data")}, start_new_session=True,
        )
    said = (tmp_path / "log").read_text
    weir = Weir(tmp_path / "data")
    weir.port, weir.process, weir.log_path = port, process, tmp_path / "log"
    try:
        weir.wait_ready(120)
        (curl,) = re.findall(r"^  (curl .*)$", said(), re.MULTILINE)
        (ask,) = re.findall(r"^  (cd .*)$", said(), re.MULTILINE)
        assert " 201 " in subprocess.run(["sh", "-c", curl], capture_output=True, text=True).stdout

        def visible():
            return "/getting-started" in subprocess.run(["sh", "-c", ask], capture_output=True, text=True).stdout

        wait_for(visible, ask)
        assert weir.query("select distinct project from events") == [["app"]]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(timeout=60) == 0, said()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
