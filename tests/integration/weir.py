"""A real weir server for tests: its own data directory, free ports, and the questions tests ask of it."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WEIR_BINARY", ROOT / "build" / "release" / "weir"))
TEST_DATA = pathlib.Path(os.environ["WEIR_TEST_DATA"]) if os.environ.get("WEIR_TEST_DATA") else None


def wait_for(condition, what, seconds=30.0):
    """Waits until condition() is true (its value is returned) or fails the test, naming what did not happen."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Weir:
    """Use as a context manager: starts, waits until it is ready, stops, and shows the log when the test failed."""

    def __init__(self, data=None, projects="app,website", arguments=(), environment=None, log=None):
        self.own_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="weir-test-"))
        self.port = free_port()
        self.metrics_port = free_port()
        self.projects = projects
        self.arguments = list(arguments)
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.log_path = log or self.data.parent / (self.data.name + ".log")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        return [str(BINARY), "--data", str(self.data), "serve", "--listen", f"127.0.0.1:{self.port}",
                "--metrics.listen", f"127.0.0.1:{self.metrics_port}", "--projects", self.projects, *self.arguments]

    def start(self, ready=True):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=self.environment)
        log.close()
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30.0):
        def check():
            assert self.process.poll() is None, f"weir ended with {self.process.returncode}:\n{self.log()}"
            try:
                status, _, body = self.request("GET", "/ready")
            except OSError:
                return False
            # Events are taken before the store is up; tests want to ask it.
            return status == 200 and json.loads(body)["checks"].get("store", "ok") == "ok"
        wait_for(check, "ready", seconds)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, seconds=40.0):
        """SIGTERM; returns the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        if kind is not None:
            print(self.log()[-6000:])
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)
            self.log_path.unlink(missing_ok=True)

    # --- requests -----------------------------------------------------------------------------------------------
    def request(self, method, path, body=None, headers=None, port=None, timeout=30):
        """(status, headers with lower-case names, body bytes) over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode()
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def send(self, body, app="app", headers=None, path="/"):
        return self.request("POST", path, body,
                            {**({"X-App": app} if app else {}), "Content-Type": "application/json", **(headers or {})})

    def metrics(self):
        """Values of /metrics by their full name with labels."""
        status, _, body = self.request("GET", "/metrics", port=self.metrics_port)
        assert status == 200
        values = {}
        for line in body.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    # --- the command line ---------------------------------------------------------------------------------------
    def run(self, *arguments, check=True, stdin=None, timeout=120):
        done = subprocess.run([str(BINARY), "--data", str(self.data), *map(str, arguments)], capture_output=True,
                              input=stdin, timeout=timeout, env=self.environment)
        if check:
            assert done.returncode == 0, f"weir {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr.decode()}"
        return done

    def query(self, sql):
        """Rows as lists of Python values."""
        out = self.run("query", "--format", "JSONCompactEachRow", sql).stdout.decode()
        return [json.loads(line) for line in out.splitlines()]

    def one(self, sql):
        return self.query(sql)[0][0]

    def key(self, scope, project=None, name="test"):
        """The secret of a new key."""
        of = ["--project", project] if project else []
        return self.run("key", "create", "--name", name, "--scope", scope, *of, "--format", "plain").stdout.decode().strip()

    def count(self, where="1"):
        return int(self.one(f"select count() from events where {where}"))

    def wait_loaded(self, seconds=60.0):
        """Waits until every accepted record of both partitions is a row."""
        def check():
            values = self.metrics()
            return all(values[f'weir_load_lag_events{{partition="{p}"}}'] == 0 and
                       values[f'weir_load_reconciles_total{{partition="{p}"}}'] > 0 for p in ("live", "bulk"))
        wait_for(check, "all records loaded", seconds)

    def wait_packs(self):
        """Waits for the data packs, where the build has them."""
        if (ROOT / "build" / "packs" / "regexes.yaml").exists():
            wait_for(lambda: self.metrics().get('weir_enrich_pack_ok{pack="regexes.yaml"}') == 1, "the packs are loaded", 30)

    def wait_visits(self, seconds=300.0):
        """Waits until no visit is to be put right behind the loader."""
        self.wait_loaded(seconds)
        wait_for(lambda: self.metrics()["weir_load_visitors_dirty"] == 0, "all visits put right", seconds)

    def check_accounting(self, note=""):
        """accepted = rows + duplicates + dead + expired + erased + damaged + pending, and no position is two rows; for a
        journal that never began a new epoch. Answers the terms by name."""
        self.wait_loaded()
        rows, positions = map(int, self.query("select count(), uniqExact(_p, _o) from events")[0])
        assert rows == positions, f"{rows - positions} rows stand at another's position ({note})"
        terms, values = {"rows": rows}, self.metrics()
        for term, metric in (("accepted", "weir_journal_end_position"), ("damaged", "weir_journal_damaged_records"),
                             ("pending", "weir_load_lag_events")):
            terms[term] = sum(int(values[f'{metric}{{partition="{p}"}}']) for p in ("live", "bulk"))
        for outcome in ("duplicate", "dead", "expired", "erased", "moved"):
            terms[outcome] = sum(int(v) for k, v in values.items()
                                 if k.startswith("weir_load_outcomes{") and f'outcome="{outcome}"' in k)
        assert terms["accepted"] == sum(v for k, v in terms.items() if k != "accepted"), f"{terms} ({note})"
        return terms

    # --- its private ClickHouse ---------------------------------------------------------------------------------
    def store_pid(self):
        """Its process, or None while there is none."""
        try:
            return int((self.data / "clickhouse" / "pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None

    def signal_store(self, number):
        """Answers whether there was one to take the signal."""
        pid = self.store_pid()
        try:
            if pid is not None:
                os.kill(pid, number)
            return pid is not None
        except ProcessLookupError:
            return False
