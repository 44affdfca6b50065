"""Ranges and buckets of questions, by Python's zoneinfo."""
import datetime
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


def bucket(ms, unit, zone, first_day):
    """The label of the bucket that a moment falls into. `first_day`: the first local day of the range; the first week is cut
    there."""
    local = local_of(ms, zone)
    if unit == "minute":
        return local.strftime("%Y-%m-%d %H:%M:00")
    if unit == "hour":
        return local.strftime("%Y-%m-%d %H:00:00")
    day = local.date()
    if unit == "day":
        return day.isoformat()
    if unit == "week":
        return max(day - DAY * day.weekday(), first_day).isoformat()
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
