"""The events of a project as its journal tells them: what the reference (reference.py) works from.

From the journal's records come kind, name, time, visitor, page, properties and revenue, and which events are repetitions. What
enrichment alone can say (place, program, source, label) is taken from the event's own columns in the public view, by
position. The columns of the visit are never read: visits are worked out by visits.py."""
import dataclasses
import decimal
import json

from visits import is_bounce, visits_of

ENRICHED = ("source", "channel", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "country",
            "region", "city", "browser", "browser_version", "os", "os_version", "device", "screen", "locale", "traffic",
            "traffic_reason")


@dataclasses.dataclass(slots=True, eq=False)
class Event:
    place: tuple          # (partition, offset) in the journal
    event_id: str
    kind: str
    name: str
    time: int             # ms
    visitor: tuple
    client_session: str
    hostname: str
    path: str
    title: str
    app_version: str
    properties: dict      # as texts
    numbers: dict         # the numeric ones
    revenue: object       # (Decimal, currency) or None
    columns: dict         # ENRICHED
    tie: int = 0          # orders the events of one millisecond
    visit: object = None


@dataclasses.dataclass(slots=True, eq=False)
class Visit:
    events: list
    start: int
    seconds: decimal.Decimal  # from the first event to the last
    bounce: bool
    entry: str
    exit: str
    first_page: object        # the first pageview
    last_page: object         # the last one
    columns: dict             # of its first event


class Number(str):
    """A number of JSON by its digits."""


def property_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else compact(value)


def compact(value):
    """JSON as it came, without space."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(k)}:{compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def journal_of(weir):
    """The records of the partition `live`, with their places."""
    lines = weir.run("journal", "export", timeout=600).stdout.splitlines()
    return [json.loads(line, parse_int=Number, parse_float=Number) for line in lines]


def exported(weir, project, journal=None):
    """The events of `project`, repetitions left out, each with its visit. All of them must have been loaded, from the partition
    `live`, in one epoch. `weir.admin`: an admin's key."""
    rows = weir.query(f"select event_id, toString(_o), toString(xxh3(event_id)), {', '.join(ENRICHED)} from events "
                      f"where project = '{project}'")
    by_offset = {int(o): (event_id, int(tie), columns) for event_id, o, tie, *columns in rows}
    _, _, body = weir.request("GET", f"/api/v1/projects/{project}", headers={"Authorization": f"Bearer {weir.admin}"})
    project_id = json.loads(body)["id"]
    events, seen = [], set()
    for place in journal or journal_of(weir):
        record, offset = place["record"], int(place["offset"])
        if record["project_id"] != project_id or record.get("id") in seen:
            continue
        if "id" in record:
            seen.add(record["id"])
        assert offset in by_offset, f"no row at {place['partition']}:{offset}"
        event_id, tie, columns = by_offset.pop(offset)
        # Without a time of their own, events of one millisecond stand in the journal's order.
        events.append(event_of(record, offset, event_id, offset if record["time_rule"] == "received" else tie,
                               dict(zip(ENRICHED, columns))))
    assert not by_offset, f"rows without a record: {sorted(by_offset)[:5]}"
    note_visits(events)
    return events


def event_of(record, offset, event_id, tie, columns):
    properties = {k: v for k, v in record.get("properties", {}).items() if v is not None}
    visitor = next(((k, record[k]) for k in ("user_id", "anonymous_id", "visitor") if k in record), ("visitor", "1"))
    revenue = record.get("revenue")
    return Event(
        place=("live", offset), event_id=event_id, kind=record["kind"], name=record["name"], time=int(record["time"]),
        visitor=visitor, client_session=record.get("client_session_id", ""), hostname=record.get("hostname", ""),
        path=record.get("path", ""), title=record.get("title", ""), app_version=record.get("app_version", ""),
        properties={k: property_text(v) for k, v in properties.items()},
        numbers={k: float(v) for k, v in properties.items() if isinstance(v, Number)},
        revenue=(decimal.Decimal(revenue["amount"]), revenue["currency"]) if revenue else None, columns=columns, tie=tie)


def note_visits(events):
    for members in visits_of(events, lambda e: (e.visitor, e.client_session), lambda e: e.time, lambda e: e.tie):
        pages = [e for e in members if e.kind == "pageview"]
        visit = Visit(events=members, start=members[0].time, seconds=decimal.Decimal(members[-1].time - members[0].time) / 1000,
                      bounce=is_bounce([e.kind for e in members]), entry=pages[0].path if pages else "",
                      exit=pages[-1].path if pages else "", first_page=pages[0] if pages else None,
                      last_page=pages[-1] if pages else None, columns=members[0].columns)
        for event in members:
            event.visit = visit
