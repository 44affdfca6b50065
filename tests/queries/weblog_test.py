"""The numbers of the query API about a real log equal a count of the file that shares nothing with weir: its lines are taken apart
here, visits are cut by visits.py. docs/goaccess.md holds them beside GoAccess's report."""
import collections
import datetime
import functools
import lzma
import re

import pytest

from asking import ask
from visits import is_bounce, visits_of
from weir import ROOT, TEST_DATA, Weir

LOG = TEST_DATA / "data" / "weblogs" / "semicomplete-2015-05-17-18.log.xz" if TEST_DATA else None
pytestmark = pytest.mark.skipif(LOG is None or not LOG.exists(), reason="WEIR_TEST_DATA does not hold data/weblogs")
needs_packs = pytest.mark.skipif(not (ROOT / "build" / "packs" / "regexes.yaml").exists(),
                                 reason="tools/packs/fetch has not fetched the packs")
LINE = re.compile(r'(\S+) \S+ \S+ \[([^]]+)\] "((?:[^"\\]|\\.)*)" (\d+) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"$')
DAYS = ["2015-05-17", "2015-05-18"]
EVERYBODY = ["human", "bot", "ai_crawler", "monitor", "spam", "internal"]
Line = collections.namedtuple("Line", "number address time method path status referrer agent page")


def read(number, text):
    address, clock, request, status, _, referrer, agent = LINE.match(text).groups()
    time = round(datetime.datetime.strptime(clock, "%d/%b/%Y:%H:%M:%S %z").timestamp() * 1000)
    method, _, target = request.rpartition(" ")[0].partition(" ")
    path = re.split("[?#]", target)[0]
    name = path.rpartition("/")[2]
    extension = name.rpartition(".")[2] if "." in name else ""
    page = method == "GET" and (status.startswith("2") or status == "304") and (
        extension == "" or extension.isdigit() or extension.lower() in ("html", "htm", "shtml", "xhtml", "php", "cgi", "pl", "py", "rb"))
    return Line(number, address, time, method, path, int(status), "" if referrer == "-" else referrer, agent, page)


@functools.cache
def lines():
    text = lzma.decompress(LOG.read_bytes()).decode("utf-8", "replace")
    return [read(number, line) for number, line in enumerate(text.splitlines())]


def day_of(line):
    return datetime.datetime.fromtimestamp(line.time / 1000, datetime.timezone.utc).date().isoformat()


def visitor_of(line):
    """As weir knows who has no id: an address and a user agent on a day of UTC."""
    return line.address, line.agent, day_of(line)


@functools.cache
def visits():
    return list(visits_of(lines(), visitor_of, lambda line: line.time, lambda line: line.number))


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="site") as server:
        server.wait_packs()
        server.run("import", "access-log", "--project", "site", "--host", "www.semicomplete.com", LOG)
        server.wait_visits()
        server.admin = server.key("admin")
        yield server


def answer(weir, metrics, *dimensions, traffic=tuple(EVERYBODY), filters=()):
    """Rows: the dimensions' values (one alone bare) and the numbers (likewise)."""
    status, body = ask(weir, weir.admin, {
        "site_id": "site", "metrics": metrics.split(), "date_range": DAYS, "dimensions": list(dimensions), "filters": list(filters),
        "traffic": list(traffic), "timezone": "UTC", "pagination": {"limit": 10_000}})
    assert status == 200, body
    return {tuple(row["dimensions"]) if len(dimensions) != 1 else row["dimensions"][0]:
            row["metrics"] if " " in metrics else row["metrics"][0] for row in body["results"]}


def test_the_file_is_read_as_goaccess_reads_it():
    assert len(lines()) == 4525 and len({visitor_of(line) for line in lines()}) == 1025


def test_totals(weir):
    pages = sum(line.page for line in lines())
    bounces = sum(is_bounce(["pageview" if line.page else "event" for line in visit]) for visit in visits())
    seconds = sum(visit[-1].time - visit[0].time for visit in visits()) / 1000
    count = len(visits())
    assert answer(weir, "visitors visits pageviews events views_per_visit bounce_rate visit_duration")[()] == [
        1025, count, pages, 4525, round(pages / count, 2), round(100 * bounces / count), round(seconds / count)]
    assert (count, pages) == (1575, 1942)


def test_days_and_hours(weir):
    visitors = {day: len({visitor_of(line) for line in lines() if day_of(line) == day}) for day in DAYS}
    began = collections.Counter(day_of(visit[0]) for visit in visits())
    assert answer(weir, "visitors visits", "time:day") == {day: [visitors[day], began[day]] for day in DAYS}
    hours = collections.defaultdict(set)
    for visit in visits():
        for line in visit:
            hours[datetime.datetime.fromtimestamp(line.time // 3_600_000 * 3600, datetime.timezone.utc)].add(id(visit))
    assert answer(weir, "visits", "time:hour") == {hour.strftime("%Y-%m-%d %H:%M:%S"): len(found) for hour, found in hours.items()}


def test_pages(weir):
    visitors = collections.defaultdict(set)
    views = collections.Counter(line.path for line in lines() if line.page)
    for line in lines():
        if line.page:
            visitors[line.path].add(visitor_of(line))
    rows = answer(weir, "visitors pageviews", "event:page", filters=[["is", "event:name", ["pageview"]]])
    assert rows == {path: [len(visitors[path]), count] for path, count in views.items()}
    assert list(rows)[0] in [path for path, who in visitors.items() if len(who) == max(map(len, visitors.values()))]


def test_entry_pages(weir):
    entries, exits = collections.Counter(), collections.Counter()
    for visit in visits():
        pages = [line for line in visit if line.page]
        entries[pages[0].path if pages else "(not set)"] += 1
        exits[pages[-1].path if pages else "(not set)"] += 1
    asked = {"visit:entry_page": entries, "visit:exit_page": exits}
    for dimension, expected in asked.items():
        assert sum(answer(weir, "visits", dimension).values()) == sum(expected.values()) == 1575
        assert answer(weir, "visits", dimension)["(not set)"] == expected["(not set)"]


def test_referrers(weir):
    counted = collections.Counter(line.referrer or "Direct / None" for line in lines())
    assert answer(weir, "events", "visit:referrer") == counted
    google = sum("://www.google.com/" in line.referrer for line in lines())
    assert answer(weir, "events", filters=[["contains", "visit:referrer", ["://www.google.com/"]]])[()] == google == 119


@needs_packs
def test_people(weir):
    """What the page shows first, people alone: docs/goaccess.md."""
    assert answer(weir, "visitors visits pageviews", traffic=["human"])[()] == [701, 802, 697]
    browsers = answer(weir, "events", "visit:browser", traffic=["human"])
    assert list(browsers.items())[:5] == [("Chrome", 1104), ("Firefox", 1084), ("Safari", 220), ("Internet Explorer", 193), ("(not set)", 139)]
    assert sum(browsers.values()) == 2977
    systems = answer(weir, "events", "visit:os", traffic=["human"])
    assert list(systems.items())[:4] == [("Windows", 1245), ("Linux", 882), ("macOS", 465), ("(not set)", 158)]
    assert answer(weir, "events", "event:traffic") == {"human": 2977, "bot": 1517, "ai_crawler": 31}
