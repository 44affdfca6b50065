"""Runs the real weir binary for a test: its own data directory, free ports, nothing shared with another test."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("WEIR_BINARY", ROOT / "build/release/weir"))
# How long a test waits before it gives a condition up. Generous, because it is a verdict only when it is reached.
PATIENCE_SECONDS = 90


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=PATIENCE_SECONDS):
    """Calls `condition` until it answers something true, which is returned; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.05)  # between two looks, not instead of one


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Weir:
    """One server. `start()` returns when it is ready; leaving the `with` block stops it."""

    def __init__(self, data, *arguments, projects="app,website", environment=None):
        self.data = pathlib.Path(data)
        self.port = free_port()
        self.metrics_port = free_port()
        self.arguments = list(arguments)
        self.projects = projects
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")} | (environment or {})
        self.log = self.data.parent / f"{self.data.name}.log"
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def spawn(self):
        command = [str(BINARY), "--data", str(self.data), "serve", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--metrics.listen", f"127.0.0.1:{self.metrics_port}"]
        if self.projects:
            command += ["--projects", self.projects]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command + self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )
        return self

    def start(self):
        self.spawn()
        wait_until(self.is_ready, f"{BINARY} is ready; its log:\n{self.words()}")
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"weir ended with {self.process.returncode}:\n{self.words()}")
        try:
            return self.request("GET", "/ready").status == 200
        except OSError:
            return False

    def words(self):
        return self.log.read_text(errors="replace")[-8000:] if self.log.exists() else ""

    def stop(self):
        """SIGTERM, and the exit code once weir and its ClickHouse are gone."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def kill(self):
        """SIGKILL, as a power cut would be."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def request(self, method, path, body=None, headers=None, source=None, port=None):
        connection = http.client.HTTPConnection(
            "127.0.0.1", port or self.port, timeout=30, source_address=(source, 0) if source else None
        )
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def capture(self, events, project="app", headers=None, **where):
        """POSTs one event (a dict) or several (a list)."""
        headers = {"X-App": project, "Content-Type": "application/json"} | (headers or {})
        return self.request("POST", "/", json.dumps(events).encode(), headers, **where)

    def command(self, *arguments, check=True, stdin=None):
        """`weir ARGUMENTS` against this data directory."""
        done = subprocess.run(
            [str(BINARY), "--data", str(self.data), *arguments],
            input=stdin, capture_output=True, text=True, env=self.environment, timeout=600, check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"weir {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def query(self, sql):
        """Rows of one SQL statement, each a list of texts."""
        output = self.command("query", "--format", "TSV", sql).stdout
        return [line.split("\t") for line in output.splitlines()]

    def wait_for_rows(self, sql, expected):
        """Until `sql` answers `expected`: what was acknowledged takes a moment to become visible."""
        last = []

        def matches():
            last[:] = self.query(sql)
            return last == expected

        try:
            wait_until(matches, sql)
        except AssertionError as error:
            raise AssertionError(f"{error}\nexpected {expected}\nfound    {last}") from None
