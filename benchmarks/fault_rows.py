"""What faults and overload cost: the rows of benchmarks/run in which something is away, full or too much."""
import concurrent.futures
import os
import signal
import statistics
import subprocess
import tempfile
import time

from harness import accept_all, Failed, milliseconds, PeakMemory, rate, TREE, wait_until, Weir


def engine_library():
    """Where weir looks for the private ClickHouse."""
    path = os.environ.get("WEIR_LIBCHDB") or f"{TREE}/build/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
    if not os.path.exists(path):
        raise Failed(f"{path} is missing")
    return path


def catching_up(run):
    """The store is away for what an hour of 2,000 events a second brings (--away-events), then comes back while as many
    a second go on arriving."""
    live = 2000
    library = os.path.join(tempfile.mkdtemp(prefix="library-", dir=run.work), "libchdb.so")
    os.symlink(engine_library(), library)
    server = Weir(run, ["--store.library", library])
    os.rename(library, library + ".away")
    for pid in server.store_pids:
        os.kill(pid, signal.SIGKILL)
    answer = accept_all(run.load(server, "--batch", "100", "--connections", "16", "--events",
                                 str(run.arguments.away_events)))
    away = answer["events"]["accepted"]
    end, loaded = server.positions()
    if end - loaded < 0.9 * away:
        raise Failed("the store was not away")
    arriving = subprocess.Popen([run.load_program, "--url", server.url, "--mode", "open", "--rate", str(live / 100),
                                 "--batch", "100", "--warmup", "0", "--duration", "3600", "--spread-addresses", "50000"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        os.rename(library + ".away", library)
        back = time.monotonic()
        wait_until(lambda: server.positions()[1] > loaded, 120, "the store")
        begin, first = time.monotonic(), server.positions()[1]

        def caught_up():
            end, loaded = server.positions()
            return end - loaded < 3 * live
        wait_until(caught_up, 3600, "catching up", pause=0.1)
        seconds, last = time.monotonic() - begin, server.positions()[1]
    finally:
        arriving.terminate()
        arriving.wait()
    server.settle()
    stored, positions = map(int, server.query("select count(), uniqExact(_p, _o) from events").split())
    end = server.positions()[0]
    if not stored == positions == end:
        raise Failed(f"{end} events were accepted, {stored} can be queried, of {positions} positions")
    speed = (last - first) / seconds
    run.row(f"catching up after {away / 1e6:.1f} M events without the store, events/s", f"3x live ({3 * live / 1e3:.0f}k)", "",
            f"{rate(speed)}, {speed / live:.0f}x live ({seconds:.0f} s, begun {begin - back:.1f} s after the store could "
            "be started)", "", speed >= 3 * live, speed >= 3 * live)
    server.stop()


def recovery(run):
    """Start to ready after a kill that left a nearly full open segment behind."""
    for compression in ("none", "lz4"):
        options = ["--roles", "collect", "--journal.compression", compression]
        written = lambda: server.metrics()['weir_journal_written_bytes_total{partition="live"}']
        server = Weir(run, options)
        empty = server.start_seconds
        send = lambda count: run.load(server, "--batch", "100", "--connections", "16", "--events", str(int(count)))
        events = accept_all(send(20_000))["events"]["accepted"]
        segment = 128 << 20
        events += accept_all(send((0.95 * segment / written() - 1) * events))["events"]["accepted"]
        full = written() / segment
        if not 0.85 < full < 1:
            raise Failed(f"the segment is {full:.0%} full")
        server.process.kill()
        server.process.wait()
        server.stop(remove=False)
        server = Weir(run, options, data=server.data)
        if server.positions()[0] != events:
            raise Failed(f"{events} events were accepted, {server.positions()[0]} recovered")
        run.row(f"start to ready after a kill, open segment of 128 MiB {full:.0%} full, {compression}", "", "",
                f"{server.start_seconds:.2f} s with {events / 1e3:.0f} k events (empty directory {empty:.2f} s)")
        server.stop()


REFUSALS = ("429", "503")


def overload(run):
    """Batches from 1,000 connections at ten times the highest rate."""
    server = Weir(run)
    goodputs, ratios, offered, late, memory = [], [], [], [], []
    for _ in range(run.rounds):
        peak = accept_all(run.load(server, "--batch", "100", "--connections", "16"))
        server.settle(600)
        with PeakMemory(server) as loaded:
            flood = accept_all(run.load(server, "--batch", "100", "--connections", "1000", "--mode", "open", "--rate",
                                        str(10 * peak["requests_per_second"]), warmup=2.0, refusals=REFUSALS))
        server.settle(600)
        goodputs.append(flood["events_per_second"])
        ratios.append(flood["events_per_second"] / peak["events_per_second"])
        offered.append(flood["requests_per_second"] / peak["requests_per_second"])
        late.append(flood["refused_us"]["p99"])
        memory.append(loaded.weir)
    ratio, refused = statistics.median(ratios), statistics.median(late)
    run.row("overload: accepted events, against the peak", "0.8x", "1.0x",
            f"{ratio:.2f}x ({rate(statistics.median(goodputs))}; {statistics.median(offered):.1f}x the requests)", "",
            ratio >= 0.8, ratio >= 1)
    run.row("  refused within, p99", "100 ms", "", milliseconds(refused), "", refused <= 100_000)
    run.row("  resident memory of weir, round by round", "", "", ", ".join(f"{m:.0f}" for m in memory) + " MB")
    server.stop()


def fairness(run):
    """Answer time of a quiet project: alone, and while another floods from 1,000 connections."""
    server = Weir(run)

    def ask():
        return accept_all(run.load(server, "--project", "website", "--mode", "open", "--rate", "300", "--arrivals",
                                   "poisson"))
    alone = ask()
    server.settle(600)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        flood = pool.submit(run.load, server, "--batch", "100", "--connections", "1000", duration=run.seconds + 3,
                            refusals=REFUSALS)
        wait_until(lambda: server.metrics().get("weir_http_connections", 0) >= 1000, 30, "the flood")
        beside = ask()
        flooding = flood.result()
    p99 = lambda answer: answer["latency_us"]["p99"]
    ratio = p99(beside) / p99(alone)
    run.row("p99 of a quiet project beside a flood, against alone", "2x", "",
            f"{ratio:.1f}x (p50 {milliseconds(alone['latency_us']['p50'])} to "
            f"{milliseconds(beside['latency_us']['p50'])}, p99 {milliseconds(p99(alone))} to {milliseconds(p99(beside))}, "
            f"flood {rate(flooding['events_per_second'])})", "", ratio <= 2)
    server.stop()
