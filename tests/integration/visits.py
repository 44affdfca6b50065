"""Visits worked out from events alone, by the rules of docs/adr/0008: what tests hold stored visits against."""
import collections
import json
import random

SILENCE_MS, LENGTH_S = 30 * 60 * 1000, 24 * 3600
NOW = 1_770_000_000_000  # the events' own present


def visits_of(events, stream, time, tie):
    """Cuts events into visits. `stream`, `time` (ms) and `tie` (what orders the events of one millisecond) tell of an event
    what their names say. Yields each visit as the list of its events, in their order."""
    streams = collections.defaultdict(list)
    for event in events:
        streams[stream(event)].append(event)
    for members in streams.values():
        members.sort(key=lambda e: (time(e), tie(e)))
        visit = []
        for event in members:
            if visit and (time(event) - time(visit[-1]) > SILENCE_MS or
                          time(event) // 1000 - time(visit[0]) // 1000 >= LENGTH_S):
                yield visit
                visit = []
            visit.append(event)
        yield visit


def is_bounce(kinds):
    """One pageview and nothing else that somebody caused, among the kinds of a visit's events."""
    return [kind for kind in kinds if kind in ("pageview", "event")] == ["pageview"]


def events_of(seed, count):
    """Visitors with a rhythm: visits of some pages, some that touch (a late event bridges them), some that last for days."""
    rng, events = random.Random(seed), []
    while len(events) < count:
        user, time = f"u{rng.randrange(count // 20 + 1)}", NOW - rng.randrange(3 * 86_400_000)
        steady = rng.random() < 0.002
        for _ in range(400 if steady else rng.randrange(1, 9)):
            kind = rng.choices(["pageview", "event", "engagement"], [6, 2, 2])[0]
            event = {"type": kind if kind == "pageview" else f"{kind}-{rng.randrange(3)}", "kind": kind, "user_id": user,
                     "timestamp": time, "id": f"e{len(events)}",
                     "url": f"https://shop.example/{rng.randrange(30)}?utm_campaign=c{rng.randrange(4)}"}
            if rng.random() < 0.05:
                event["session_id"] = f"s{rng.randrange(2)}"
            events.append(event)
            time += rng.randrange(20 * 60_000) if steady or rng.random() < 0.8 else rng.randrange(0, 50 * 60_000)
            time -= time % 1000 if rng.random() < 0.1 else 0
    return events[:count]


def late_order(events, rng):
    """Late by up to a day, one in ten twice, and all of it in no order within an hour's worth."""
    arriving = events + rng.sample(events, len(events) // 10)
    arriving.sort(key=lambda e: e["timestamp"] + (rng.randrange(86_400_000) if rng.random() < 0.3 else rng.randrange(3_600_000)))
    return arriving


def send(weir, events, app):
    for at in range(0, len(events), 500):
        status, _, body = weir.send(events[at:at + 500], app=app)
        assert status == 201 and json.loads(body)["rejected"] == [], body[:300]


def stored(weir, app):
    return sorted(map(tuple, weir.query(
        f"select event_id, toUInt32(bitShiftRight(session_id, 32)), visit_seq, visit_gap_ms, visit_bounce, entry_path, "
        f"previous_path, visit_campaign from events where project = '{app}'")))


def worked_out(weir, events):
    """The stored columns, from the events alone, and their times as the journal has them."""
    hash_of = {row[0]: int(row[1]) for row in weir.query("select distinct event_id, toString(xxh3(event_id)) from events")}
    times = {}
    for line in weir.run("journal", "export", "--records-only", timeout=600).stdout.splitlines():
        record = json.loads(line)
        times[record["id"]] = record["time"]
    events = [{**event, "timestamp": times[event["id"]]} for event in events]
    return sorted(row for visit in visits_of(events, stream=lambda e: (e["user_id"], e.get("session_id", "")),
                                             time=lambda e: e["timestamp"], tie=lambda e: hash_of[e["id"]])
                  for row in rows_of(visit))


def rows_of(visit):
    pages, kinds, bounced = [], [], 0
    for i, event in enumerate(visit):
        path, previous = "/" + event["url"].split("/", 3)[3].split("?")[0], pages[-1] if pages else ""
        pages += [path] if event["kind"] == "pageview" else []
        kinds.append(event["kind"])
        bounces = int(is_bounce(kinds))
        yield (event["id"], visit[0]["timestamp"] // 1000, i, event["timestamp"] - visit[i - 1]["timestamp"] if i else 0,
               bounces - bounced, pages[0] if pages else "", previous, visit[0]["url"].split("utm_campaign=")[1])
        bounced = bounces
