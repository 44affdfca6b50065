"""Every time zone of the IANA list over both days of a year on which its clocks change: buckets of a day and of an hour, their
labels and what they hold, against Python's zoneinfo.

The history has a pageview each quarter of an hour, a second before it; so whoever cuts a day or an hour a quarter too early or too
late counts wrong. WEIR_ZONES=all asks for minutes too."""
import collections
import datetime
import os
import zoneinfo

import pytest

from asking import ask
from times import DAY, UTC, bucket, labels, local_of, start_of_day, zone_of
from weir import Weir

YEAR = 2025
QUARTER = 15 * 60 * 1000
UNITS = ["hour", "day", *(["minute"] if os.environ.get("WEIR_ZONES") == "all" else [])]
ZONES = sorted(z for z in zoneinfo.available_timezones() if z not in ("localtime", "Factory", "posixrules"))


def changes_of(zone):
    """The local days on which the zone's clocks change."""
    first = datetime.datetime(YEAR, 1, 1, tzinfo=UTC)
    offsets = [(first + DAY * n).astimezone(zone).utcoffset() for n in range(366)]
    days = []
    for n, (before, after) in enumerate(zip(offsets, offsets[1:])):
        if before != after:
            quarters = [(first + DAY * n + datetime.timedelta(minutes=15) * q).astimezone(zone) for q in range(97)]
            days += [b.date() for a, b in zip(quarters, quarters[1:]) if a.utcoffset() != b.utcoffset()]
    return days


CHANGES = {name: changes_of(zone_of(name)) or [datetime.date(YEAR, 3, 30)] for name in ZONES}


@pytest.fixture(scope="module")
def weir():
    days = {day + DAY * n for changes in CHANGES.values() for day in changes for n in (-2, -1, 0, 1, 2)}
    starts = sorted(round(datetime.datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) * 1000 for d in days)
    with Weir(projects="clock", arguments=["--collect.rate_per_address", "0"]) as server:
        server.times = [start + n * QUARTER - 1000 for start in starts for n in range(96)]
        server.admin = server.key("admin")
        for at in range(0, len(server.times), 2000):
            server.send([{"type": "pageview", "user_id": "clock", "timestamp": t} for t in server.times[at:at + 2000]], app="clock")
        server.wait_visits()
        assert server.count() == len(server.times)
        yield server


def expected(times, unit, zone, since, until, known={}):
    """(what the buckets hold, their labels); zones with the same offsets share it."""
    key = (unit, since, until, *(local_of(t, zone).utcoffset() for t in range(since, until, QUARTER)))
    if key not in known:
        known[key] = held(times, unit, zone, since, until), labels(unit, zone, since, until)
    return known[key]


def held(times, unit, zone, since, until):
    return collections.Counter(bucket(t, unit, zone, since, until) for t in times if since <= t < until)


def test_the_list_is_whole():
    assert len(ZONES) > 500
    assert sum(len(changes) == 2 for changes in CHANGES.values()) > 150
    assert datetime.date(YEAR, 10, 26) in CHANGES["Europe/Berlin"] and datetime.date(YEAR, 4, 6) in CHANGES["Australia/Lord_Howe"]


@pytest.mark.parametrize("letter", sorted({z[0] for z in ZONES}))
def test_days_and_hours_are_those_of_the_zone(weir, letter):
    wrong = []
    for name in (z for z in ZONES if z[0] == letter):
        zone = zone_of(name)
        for day in CHANGES[name]:
            first, last = day - DAY, day + DAY
            since, until = start_of_day(first, zone), start_of_day(last + DAY, zone)
            # A zone whose clocks stand still is asked about hours; the days are made of the same.
            for unit in UNITS if len(CHANGES[name]) > 1 else UNITS[:1]:
                status, answer = ask(weir, weir.admin, {
                    "site_id": "clock", "metrics": ["pageviews"], "timezone": name, "dimensions": [f"time:{unit}"],
                    "date_range": [first.isoformat(), last.isoformat()], "include": {"time_labels": True},
                    "pagination": {"limit": 10_000, "offset": 0}})
                assert status == 200, (name, day, answer)
                counts, names = expected(weir.times, unit, zone, since, until)
                got = {row["dimensions"][0]: row["metrics"][0] for row in answer["results"] if row["metrics"][0]}
                if got != counts:
                    wrong.append(f"{name} {day} {unit}: {sorted(got.items())} for {sorted(counts.items())}")
                if answer["meta"]["time_labels"] != names:
                    wrong.append(f"{name} {day} {unit}: labels {answer['meta']['time_labels']} for {names}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:10])
