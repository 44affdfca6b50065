"""Visits worked out from events alone, by the rules of docs/adr/0008: what tests hold stored visits against."""
import collections

SILENCE_MS, LENGTH_S = 30 * 60 * 1000, 24 * 3600


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
