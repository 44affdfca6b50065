"""Asks the query API, and holds its answers against the reference."""
import calendar
import dataclasses
import datetime
import itertools
import json
import re
from fractions import Fraction

from reference import Asked, unit_of
from times import DAY, labels, local_of, months_on, start_of_day, zone_of

# Digits behind the point in answers; the other numbers are whole.
DIGITS = {"views_per_visit": 2, "percentage": 2, "visits_percentage": 2, "pageviews_percentage": 2, "events_percentage": 2,
          "conversion_rate": 2, "group_conversion_rate": 2, "exit_rate": 1, "total_revenue": 3, "average_revenue": 3}
RATES = {"bounce_rate", "exit_rate", "scroll_depth", "percentage", "visits_percentage", "pageviews_percentage", "events_percentage",
         "conversion_rate", "group_conversion_rate"}
COUNTS = {"visitors", "visits", "pageviews", "events", "entries", "exits", "conversions"}


def ask(weir, key, question, path="/api/v1/query", timeout=60):
    status, headers, body = weir.request("POST", path, question, {"Authorization": f"Bearer {key}",
                                                                  "Content-Type": "application/json"}, timeout=timeout)
    return status, json.loads(body) if "json" in headers.get("content-type", "") else body


def make(weir, kind, body):
    """A goal or a segment of the project shop, as it is kept."""
    status, answer = ask(weir, weir.admin, {"project": "shop", "personal": False, **body}, f"/api/v1/{kind}")
    assert status == 201, answer
    return answer


def days(date_range, today):
    """First and last day of a range of whole days."""
    if isinstance(date_range, list):
        return tuple(datetime.date.fromisoformat(text) for text in date_range)
    if date_range == "day":
        return today, today
    if date_range == "month":
        return today.replace(day=1), today.replace(day=calendar.monthrange(today.year, today.month)[1])
    if date_range == "year":
        return today.replace(month=1, day=1), today.replace(month=12, day=31)
    count, unit = re.fullmatch(r"(\d+)(d|mo)", date_range).groups()
    if unit == "d":
        return today - DAY * int(count), today - DAY
    return months_on(today, -int(count)), today.replace(day=1) - DAY


def moments(date_range, today, zone):
    """[since, until) in ms."""
    if isinstance(date_range, list) and "T" in date_range[0]:
        since, last = (int(datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()) for t in date_range)
        return since * 1000, (last + 1) * 1000  # the last second is part of it
    first, last = days(date_range, today)
    return start_of_day(first, zone), start_of_day(last + DAY, zone)


def usual_bucket(length):
    """What "time" stands for in a range so long."""
    hours = length / 3_600_000
    return "time:" + ("hour" if hours <= 48 else "day" if hours <= 40 * 24 else "week" if hours <= 364 * 24 else "month")


def asked_of(question, today):
    zone = zone_of(question["timezone"])
    since, until = moments(question["date_range"], today, zone)
    dimensions = [usual_bucket(until - since) if d == "time" else d for d in question["dimensions"]]
    return Asked(metrics=question["metrics"], since=since, until=until, zone=zone, dimensions=dimensions,
                 filters=question["filters"], traffic=question.get("traffic", ["human"]))


def compared(question, today):
    """The question over the range that it is compared with, as Asked."""
    asked, wish, zone = asked_of(question, today), question["include"]["comparisons"], zone_of(question["timezone"])
    if wish["mode"] == "custom":
        since, until = moments(wish["date_range"], today, zone)
    elif isinstance(question["date_range"], list) and "T" in question["date_range"][0]:
        since, until = earlier_moments(wish["mode"], asked.since, asked.until, zone)
    else:
        first, last = days(question["date_range"], today)
        back = (lambda day: day - (last - first + DAY)) if wish["mode"] == "previous_period" else a_year_before
        before, end = back(first), back(last)
        if wish.get("match_day_of_week"):
            shift = min(range(-3, 4), key=lambda n: (before + DAY * n).weekday() != first.weekday())
            if before + DAY * shift == first:  # not onto itself
                shift -= 7
            before, end = before + DAY * shift, end + DAY * shift
        since, until = start_of_day(before, zone), start_of_day(end + DAY, zone)
    return dataclasses.replace(asked, since=since, until=until)


def earlier_moments(mode, since, until, zone):
    if mode == "previous_period":
        return 2 * since - until, since
    day = local_of(since, zone).date()
    begin = start_of_day(a_year_before(day), zone) + since - start_of_day(day, zone)
    return begin, begin + until - since


def a_year_before(day):
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def comparison_faults(question, answer, reference, today):
    """What is wrong about the rows' numbers of the range compared with, and how they changed."""
    asked, before, wrong = asked_of(question, today), compared(question, today), []
    first, last = (round(datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()) for t in answer["meta"]["comparison_range"])
    if (first * 1000, (last + 1) * 1000) != (before.since, before.until):
        return [f"compared with {answer['meta']['comparison_range']}"]
    expected, then = reference.answer(before), {}
    for place, dimension in enumerate(asked.dimensions):
        unit = unit_of(dimension)
        if dimension.startswith("time") and unit not in ("weekday", "hour_of_day"):
            then[place] = dict(itertools.zip_longest(*(labels(unit, a.zone, a.since, a.until) for a in (asked, before))))
    for row in answer["results"]:
        key = tuple(then[n].get(str(d)) if n in then else str(d) for n, d in enumerate(row["dimensions"]))
        ours = expected.get(key, {m: 0 if m in COUNTS else None for m in asked.metrics})
        for metric, now, old, change in zip(asked.metrics, row["metrics"], row["comparison"]["metrics"], row["comparison"]["change"]):
            if not same_number(metric, old, ours[metric]) and not says_nothing([old, ours[metric]]):
                wrong.append(f"before {key} {metric}: {old} for {show(ours[metric])}")
            if change != change_of(metric, now, old):
                wrong.append(f"change {key} {metric}: {change} from {old} to {now}")
    return wrong


def change_of(metric, now, old):
    """Of two numbers as they are shown: rates by their difference, others in percent."""
    now, old = (Fraction(str(n["value"] if isinstance(n, dict) else n)) if n is not None else None for n in (now, old))
    if now is None or old is None:
        return None
    if metric in RATES:
        return round(float(now - old), 2)
    if old == 0:
        return 100 if now > 0 else 0
    change = (now - old) / old * 100
    return int(abs(change) + Fraction(1, 2)) * (1 if change > 0 else -1)


def rows_of(answer):
    return {tuple(map(str, row["dimensions"])): row["metrics"] for row in answer["results"]}


def same_number(metric, theirs, ours, bound=0):
    if ours is None or theirs is None:
        return ours is theirs
    if metric.endswith("_revenue"):
        return theirs["currency"] == ours[1] and close(Fraction(str(theirs["value"])), ours[0], 3, 0)
    if metric in COUNTS and bound == 0:
        return theirs == ours
    return close(Fraction(str(theirs)), Fraction(ours), DIGITS.get(metric, 0), bound)


def close(theirs, ours, digits, bound):
    """Within half a unit of the last digit, and a hair for the store's floating point."""
    return abs(theirs - ours) <= Fraction(1, 2 * 10 ** digits) + Fraction(1, 10 ** 9) * max(1, abs(ours)) + bound * abs(ours)


def says_nothing(numbers):
    return all(n in (None, 0) or isinstance(n, dict) and not n["value"] or isinstance(n, tuple) and not n[0] for n in numbers)


def differences(question, answer, reference, today):
    """What is wrong about an answer, in words; rows that say nothing count as absent."""
    asked = asked_of(question, today)
    expected, rows, wrong = reference.answer(asked), rows_of(answer), []
    bound = 0 if answer["meta"]["exact"] else answer["meta"]["error_bound"]
    if len(rows) != len(answer["results"]):
        wrong.append("a group stands twice")
    for key in sorted({*expected, *rows}):
        ours = [expected[key][m] for m in asked.metrics] if key in expected else None
        theirs = rows.get(key)
        if ours is None or theirs is None:
            if not says_nothing(ours or theirs):
                wrong.append(f"{key}: {theirs} for {ours and list(map(show, ours))}")
            continue
        for metric, their, our in zip(asked.metrics, theirs, ours):
            if not same_number(metric, their, our, bound):
                wrong.append(f"{key} {metric}: {their} for {show(our)}")
    if "total_rows" in answer["meta"] and answer["meta"]["total_rows"] != len(answer["results"]):
        wrong.append(f"{answer['meta']['total_rows']} rows in all")
    if "comparisons" in question.get("include", {}):
        wrong += comparison_faults(question, answer, reference, today)
    return wrong + order_faults(question, answer)


def show(number):
    return f"{float(number):.4f}" if isinstance(number, Fraction) else number


def place_in_time(label, zone):
    """What a time's label is ordered by: hours that stand twice tell their offset."""
    local = datetime.datetime.fromisoformat(label)
    return (local if local.tzinfo else local.replace(tzinfo=zone)).timestamp()


def order_faults(question, answer):
    """Whether rows stand in the order asked for, by what they show: ties in that of the dimensions, what is missing last."""
    metrics, dimensions = question["metrics"], question["dimensions"]
    times = [d for d in dimensions if d.startswith("time")]
    order = question.get("order_by") or [[d, "asc"] for d in times] or [[metrics[0], "desc"]] * bool(dimensions)
    rows = answer["results"]
    for name, direction in reversed([*order, *([d, "asc"] for d in dimensions if d not in [o[0] for o in order])]):
        def value(row):
            if name in dimensions:
                shown = row["dimensions"][dimensions.index(name)]
                return shown if isinstance(shown, int) else place_in_time(shown, zone_of(question["timezone"])) if name in times else shown.encode()
            shown = row["metrics"][metrics.index(name)]
            return shown["value"] if isinstance(shown, dict) else shown
        there = sorted((row for row in rows if value(row) is not None), key=value, reverse=direction == "desc")
        rows = there + [row for row in rows if value(row) is None]
    return [] if rows == answer["results"] else [f"order: {answer['results'][:4]} for {rows[:4]}"]
