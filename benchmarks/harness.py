"""What the rows of benchmarks/run are made of: a weir and an nginx of their own, the load driver, and what is read off
them. Python's library alone."""
import atexit
import glob
import json
import lzma
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TREE, "tests", "integration"))
from ports import free_port  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


# --- processes -----------------------------------------------------------------------------------------------------

def stat_fields(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        return f.read().decode("ascii", "replace").rpartition(")")[2].split()


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        try:
            fields = stat_fields(pid)
            total += int(fields[11]) + int(fields[12])
        except (OSError, IndexError):
            pass
    return total / TICKS


def resident_mb(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024
    except (OSError, AttributeError):
        return 0.0


def children(pid):
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            child = int(path.split("/")[2])
            if int(stat_fields(child)[1]) == pid:
                found.append(child)
        except (OSError, IndexError, ValueError):
            pass
    return found


def wait_until(condition, seconds, what, pause=0.02):
    """Polls `condition` until it answers something true, and answers that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(pause)


def directory_bytes(path):
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                pass
    return total


class Failed(Exception):
    """A row cannot be measured; the text says why."""


class PeakMemory:
    """The most memory a server's processes held at one moment while the block ran."""

    def __init__(self, server):
        self.server = server
        self.weir = self.store = self.sum = 0.0

    def sample(self):
        weir, store = resident_mb(self.server.pid), sum(resident_mb(p) for p in self.server.store_pids)
        if weir + store > self.sum:
            self.weir, self.store, self.sum = weir, store, weir + store

    def __enter__(self):
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(0.1):
            self.sample()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.sample()


class Weir:
    """One `weir serve` on a data directory of its own."""

    def __init__(self, run, options=(), data=None):
        self.run = run
        on = run.arguments.on
        self.data = data or on or tempfile.mkdtemp(prefix="data-", dir=run.work)
        self.port, metrics = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1/events"
        self.metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        self.log = open(os.path.join(run.work, "weir.log"), "ab")
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [run.weir, "--data", self.data, "serve", "--listen", f"127.0.0.1:{self.port}", "--metrics.listen",
             f"127.0.0.1:{metrics}", "--projects", "app,website", "--collect.rate_per_address", "0",
             "--http.trusted_proxies", "127.0.0.1", *options],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        run.servers.append(self)
        wait_until(self.ready, 60, "start")
        self.start_seconds = time.monotonic() - begin
        # Ready means ready to take events; the store may still be starting then.
        self.store_pids = []
        if "collect" not in options:
            wait_until(lambda: self.metrics().get("weir_store_up") == 1, 60, "the store")
            wait_until(self.answers, 60, "the first answer", pause=0.01)
            self.store_pids = children(self.pid)
        self.answer_seconds = time.monotonic() - begin
        if on and not data and self.store_pids:
            self.settle()
            self.rest()

    def ready(self):
        if self.process.poll() is not None:
            raise Failed(f"weir serve ended with {self.process.returncode}; see {self.log.name}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def answers(self):
        try:
            return self.query("select count() from events") != ""
        except Failed:
            return False

    def metrics(self):
        with urllib.request.urlopen(self.metrics_url, timeout=10) as answer:
            text = answer.read().decode()
        values = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    def positions(self):
        """(end of the journal, loaded so far), summed over the partitions."""
        values = self.metrics()
        total = lambda name: sum(v for k, v in values.items() if k.partition("{")[0] == name)
        return total("weir_journal_end_position"), total("weir_load_position")

    def settle(self, seconds=300):
        """Waits until every event of the journal can be queried; answers the seconds it took."""
        begin = time.monotonic()

        def caught_up():
            end, loaded = self.positions()
            return loaded >= end
        wait_until(caught_up, seconds, "catching up")
        return time.monotonic() - begin

    def rest(self, seconds=1800):
        """Waits until the store has merged what it had to: three seconds with hardly any CPU used."""
        def idle():
            before = sum(self.cpu())
            time.sleep(3)
            return sum(self.cpu()) - before < 0.3
        wait_until(idle, seconds, "merges")

    def query(self, sql):
        result = subprocess.run([self.run.weir, "--data", self.data, "query", "--format", "TSV", sql],
                                capture_output=True, text=True)
        if result.returncode != 0:
            raise Failed("weir query: " + result.stderr.strip())
        return result.stdout.rstrip("\n")

    def rows(self):
        return int(self.query("select count() from events"))

    def cpu(self):
        """CPU seconds so far: weir's own and its ClickHouse's."""
        return cpu_seconds([self.pid]), cpu_seconds(self.store_pids)

    def watch(self):
        return ["--watch", f"weir={self.pid}"] + (
            ["--watch", "store=" + ",".join(map(str, self.store_pids))] if self.store_pids else [])

    def stop(self, remove=True):
        if self in self.run.servers:
            self.run.servers.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        if remove and self.data.startswith(self.run.work):
            shutil.rmtree(self.data, ignore_errors=True)


class Nginx:
    """The yardstick: an nginx that reads each request and answers 201."""

    def __init__(self, run):
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
        if binary is None:
            raise Failed("nginx is not installed (package nginx-light)")
        self.run = run
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1/events"
        folder = os.path.join(run.work, "nginx")
        os.makedirs(folder, exist_ok=True)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{folder}/nginx.conf", "w") as f:
            f.write(f"""daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
{temporary}access_log off;
keepalive_requests 1000000000;
client_body_buffer_size 256k;
server {{ listen 127.0.0.1:{self.port} reuseport; location / {{ return 201; }} }}
}}
""")
        self.process = subprocess.Popen([binary, "-p", folder, "-c", f"{folder}/nginx.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run.servers.append(self)

        def listening():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_until(listening, 10, "nginx")
        self.pids = wait_until(lambda: children(self.process.pid), 10, "nginx workers")

    def watch(self):
        return ["--watch", "nginx=" + ",".join(map(str, self.pids))]

    def stop(self):
        if self in self.run.servers:
            self.run.servers.remove(self)
        self.process.terminate()
        self.process.wait()


# --- the run -------------------------------------------------------------------------------------------------------

class Run:
    def __init__(self, arguments):
        self.arguments = arguments
        self.seconds = arguments.duration
        self.rounds = arguments.rounds
        build = os.path.abspath(arguments.build)
        self.weir, self.load_program = f"{build}/weir", f"{build}/benchmarks/weir-load"
        for program in (self.weir, self.load_program):
            if not os.access(program, os.X_OK):
                sys.exit(f"benchmarks/run: {program} is missing: build weir and weir-load first, or name the build "
                         "directory with --build")
        self.work = tempfile.mkdtemp(prefix="weir-benchmark-", dir=arguments.work)
        self.servers = []
        self.rows = []
        self.notes = []
        self.current = ""      # the row under way
        self.disturbance = {}  # cores that other programs used meanwhile, at most, by row
        self.test_data = os.environ.get("WEIR_TEST_DATA", "")
        self.user_agents = self.write_user_agents()
        atexit.register(self.clean_up)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def clean_up(self):
        for server in list(self.servers):
            server.stop()
        if self.arguments.keep:
            print(f"kept {self.work}", file=sys.stderr)
        else:
            shutil.rmtree(self.work, ignore_errors=True)

    def write_user_agents(self):
        """Real user agents where the recorded data is at hand; the driver's own short list otherwise."""
        path = os.path.join(self.test_data, "data/ua/user-agents-npm/user-agents.json.xz")
        if not self.test_data or not os.path.exists(path):
            return []
        with lzma.open(path, "rt") as f:
            agents = [row["userAgent"] for row in json.load(f)]
        target = os.path.join(self.work, "user-agents")
        with open(target, "w") as f:
            f.write("\n".join(agents) + "\n")
        return ["--user-agents", target]

    def load(self, server, *options, duration=None, warmup=1.0, refusals=()):
        """Runs weir-load against a server; answers its JSON. `refusals`: statuses that are no surprise."""
        command = [self.load_program, "--url", server.url, "--json", "--spread-addresses", "50000", *self.user_agents,
                   *server.watch(), *options]
        if "--events" not in options:
            command += ["--duration", str(duration or self.seconds), "--warmup", str(warmup)]
        busy, mine = machine_busy(), self.own_cpu()
        begin = time.monotonic()
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise Failed("weir-load: " + result.stderr.strip())
        answer = json.loads(result.stdout)
        others = (machine_busy() - busy - (self.own_cpu() - mine)) / (time.monotonic() - begin)
        self.disturbance[self.current] = max(self.disturbance.get(self.current, 0), others)
        bad = {s: n for s, n in answer["statuses"].items() if not s.startswith("2") and s not in refusals}
        if bad or answer["errors"]["broken"]:
            self.notes.append(f"{self.current}: answers {bad}, {answer['errors']['broken']} connections broken; "
                              f"{answer['first_error']}")
        return answer

    def own_cpu(self):
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = resource.getrusage(resource.RUSAGE_SELF)
        total = usage.ru_utime + usage.ru_stime + own.ru_utime + own.ru_stime
        for server in self.servers:
            total += sum(server.cpu()) if isinstance(server, Weir) else cpu_seconds(server.pids)
        return total

    def row(self, measure, must, aim, measured, cpu="", ok=None, good=None):
        verdict = "" if ok is None else "aim" if good else "must" if ok else "MISSED"
        self.rows.append((measure, must, aim, measured, cpu, verdict))
        print(f"  {measure}: {measured}" + (f"  ({cpu})" if cpu else "") + (f"  [{verdict}]" if verdict else ""),
              flush=True)


def machine_busy():
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS  # all but idle and waiting for the disk


def rate(n):
    return f"{n / 1000:.1f} k/s" if n < 1e6 else f"{n / 1e6:.2f} M/s"


def milliseconds(us):
    return f"{us / 1000:.2f} ms"


def per_event(answer, name):
    return answer["cpu_seconds"].get(name, 0) * 1e6 / max(1, answer["accepted_events"])


def accept_all(answer):
    if answer["accepted_events"] == 0:
        raise Failed(f"nothing was accepted: {answer['statuses']} {answer['first_error']}")
    return answer
