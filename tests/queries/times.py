"""Ranges and buckets of questions, by Python's zoneinfo."""
import datetime
import functools
import zoneinfo

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)


def zone_of(name):
    return zoneinfo.ZoneInfo(name)


def start_of_day(day, zone):
    """The first moment (ms) of a local day; where clocks skip midnight, the first that the day has."""
    local = datetime.datetime(day.year, day.month, day.day, tzinfo=zone)
    moment = local.astimezone(UTC)
    back = moment.astimezone(zone)
    if back.replace(tzinfo=None) != local.replace(tzinfo=None):
        # Skipped: of the two readings of a time that does not exist, the change lies at the later one's old offset.
        low, high = sorted((local.replace(fold=f).astimezone(UTC) for f in (0, 1)))
        while high - low > datetime.timedelta(seconds=1):
            middle = low + (high - low) / 2
            low, high = (low, middle) if middle.astimezone(zone).date() >= day else (middle, high)
        moment = high.replace(microsecond=0)
    return round(moment.timestamp() * 1000)


def local_of(ms, zone):
    return (datetime.datetime.fromtimestamp(ms // 1000, UTC) + datetime.timedelta(milliseconds=ms % 1000)).astimezone(zone)


def days_of(text_range):
    return tuple(datetime.date.fromisoformat(t) for t in text_range)


def months_on(day, months):
    """The first of the month so many months on."""
    index = day.year * 12 + day.month - 1 + months
    return datetime.date(index // 12, index % 12 + 1, 1)


def bucket(ms, unit, zone, since=None, until=None):
    """The label of the bucket that a moment falls into, in the range [since, until)."""
    local = local_of(ms, zone)
    if unit in ("minute", "hour"):
        text = fine_text(local, unit)
        return text + offset_text(local) if stands_twice(ms, unit, zone, since, until) else text
    day = local.date()
    if unit == "day":
        return day.isoformat()
    if unit == "week":
        return max(day - DAY * day.weekday(), local_of(since, zone).date()).isoformat()
    if unit == "month":
        return day.replace(day=1).isoformat()
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1).isoformat()
    if unit == "year":
        return day.replace(month=1, day=1).isoformat()
    if unit == "weekday":
        return str(day.weekday() + 1)
    assert unit == "hour_of_day", unit
    return str(local.hour)


def labels(unit, zone, since, until):
    """All buckets of the range [since, until), in order, the empty ones too."""
    step = 60_000 if unit == "minute" else 900_000 if unit == "hour" else 6 * 3_600_000
    return list(dict.fromkeys(bucket(t, unit, zone, since, until) for t in (*range(since, until, step), until - 1)))


def fine_text(local, unit):
    return local.strftime("%Y-%m-%d %H:%M:00" if unit == "minute" else "%Y-%m-%d %H:00:00")


def offset_text(local):
    """+05:45"""
    text = local.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def stands_twice(ms, unit, zone, since, until):
    """Whether the clock shows that minute or hour twice in the range, because it was set back."""
    around = 4 * 3_600_000
    before, after = (local_of(ms + shift, zone).utcoffset() for shift in (-around, around))
    if before == after:
        return False
    local = local_of(ms, zone)
    return shown_otherwise(fine_text(local, unit), local.utcoffset(), unit, zone, max(since, ms // around * around - around),
                           min(until, ms // around * around + 2 * around))


@functools.lru_cache(100_000)
def shown_otherwise(text, offset, unit, zone, since, until):
    """Whether the clock shows `text` in the range at another offset."""
    locals_ = (local_of(m, zone) for m in (*range(since, until, 60_000), until - 1))
    return any(local.utcoffset() != offset and fine_text(local, unit) == text for local in locals_)
