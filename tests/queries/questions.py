"""Random questions of the language of docs/query.md about a history, mixing the scopes of event and visit."""
import random
import re

from history import END, ODD
from times import DAY, local_of, start_of_day, zone_of

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata",
         "Pacific/Chatham", "Pacific/Apia", "Africa/Cairo", "America/Santiago", "Atlantic/Azores", "Pacific/Kiritimati", "Etc/GMT+12"]
METRICS = ["visitors", "visits", "pageviews", "events", "views_per_visit", "bounce_rate", "visit_duration", "time_on_page",
           "scroll_depth", "entries", "exits", "exit_rate", "percentage", "visits_percentage", "pageviews_percentage", "events_percentage"]
GOAL_METRICS = ["conversion_rate", "group_conversion_rate", "conversions", "total_revenue", "average_revenue"]
TIMES = ["time", "time:minute", "time:hour", "time:day", "time:week", "time:month", "time:quarter", "time:year", "time:weekday",
         "time:hour_of_day"]
EVENT_DIMENSIONS = ["event:page", "event:hostname", "event:title", "event:name", "event:props:plan", "event:props:price",
                    "event:app_version", "event:traffic", "event:traffic_reason", "event:currency"]
VISIT_DIMENSIONS = [f"visit:{field}" for field in (
    "entry_page", "exit_page", "channel", "source", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term",
    "utm_content", "country", "country_name", "region", "region_name", "city", "city_name", "browser", "browser_version", "os",
    "os_version", "device", "screen", "locale")]
DIMENSIONS = EVENT_DIMENSIONS + VISIT_DIMENSIONS
ROLLED = ["event:page", "event:hostname", "event:name", *(f"visit:{field}" for field in (
    "entry_page", "exit_page", "channel", "source", "utm_source", "utm_medium", "utm_campaign", "country", "region", "city",
    "browser", "os", "device", "screen", "locale"))]
ROLLED_METRICS = ["visitors", "visits", "pageviews", "events", "views_per_visit", "bounce_rate", "visit_duration", "percentage",
                  "visits_percentage", "pageviews_percentage", "events_percentage"]
REGEXES = ["^/", "^/blog", "o{2}", "(?i)PRICING", "[0-9]+$", "[A-Z]", ".*", "^$", "a|e|i", "e", ".+", "\\.html$", "'"]
WILDCARDS = ["/blog**", "/*", "**", "/thanks*", "*o*", "**'**", "/blog/*", ""]


class Questions:
    """`reference`: knows the values there are. The same seed asks the same."""

    def __init__(self, reference, seed, segments=()):
        self.reference, self.rng, self.segments = reference, random.Random(seed), list(segments)

    def next(self):
        rng = self.rng
        zone = rng.choice(ZONES)
        question = {"metrics": rng.sample(METRICS, rng.choice([1, 1, 2, 4, len(METRICS)])), "timezone": zone,
                    "date_range": self.range(zone), "dimensions": self.dimensions(),
                    "filters": [self.filter(rng.randrange(3)) for _ in range(rng.choice([0, 0, 1, 1, 1, 2]))],
                    "pagination": {"limit": 10_000, "offset": 0}, "include": {"total_rows": True}}
        if "time:minute" in question["dimensions"]:  # not more of them than an answer may have
            question["date_range"] = [(END.date() - DAY * n).isoformat() for n in (rng.randrange(15, 45), 14)]
        if rng.random() < 0.2:
            self.about_goals(question)
        if "event:goal" in question["dimensions"]:
            question["metrics"] = [m for m in question["metrics"] if m not in ("entries", "exits", "exit_rate")]
        if rng.random() < 0.2:
            question["traffic"] = rng.sample(["human", "bot", "ai_crawler", "spam"], rng.randrange(2, 5))
        if rng.random() < 0.4:
            named = question["metrics"] + question["dimensions"]
            question["order_by"] = [[n, rng.choice(["asc", "desc"])] for n in rng.sample(named, rng.randrange(1, len(named) + 1))]
        if rng.random() < 0.15 and "time:minute" not in question["dimensions"]:
            mode = rng.choice(["previous_period", "year_over_year", "custom"])
            question["include"]["comparisons"] = {"mode": mode, **({"match_day_of_week": True} if rng.random() < 0.3 else {}),
                                                  **({"date_range": ["2025-09-20", "2025-10-12"]} if mode == "custom" else {})}
        return question

    def next_of_days(self, zone):
        """One that sums of days can answer, mostly."""
        rng = self.rng
        dimension = rng.choice(ROLLED if rng.random() < 0.7 else ["event:page"])
        about_pages = ["is", "event:name", ["pageview", "engagement"]]
        operator = rng.choice(["is", "is_not", "contains", "contains_not", "matches"])
        some = [self.value("is", dimension) for _ in range(rng.choice([1, 2]))] if rng.random() < 0.8 else ["a"]
        values = [["is", dimension, [self.occurring(dimension)]],
                  [operator, dimension, [re.escape(text) for text in some] if operator == "matches" else some]]
        filters = [about_pages] if dimension == "event:page" else []
        if rng.random() < 0.4:
            filters.append(rng.choice(values))
        dimensions = [dimension] if filters[len(filters) - (rng.random() < 0.5):] or rng.random() < 0.6 else []
        if rng.random() < 0.4:
            dimensions.insert(rng.randrange(2) if dimensions else 0,
                              rng.choice(["time:day", "time:week", "time:month", "time:quarter", "time:year", "time:weekday"]))
        metrics = rng.sample(ROLLED_METRICS, rng.choice([1, 2, 4, len(ROLLED_METRICS)]))
        if rng.random() < 0.06:
            dimensions, filters, metrics = ["time:weekday", "time:hour_of_day"], [], ["visitors", "pageviews"]
        if rng.random() < 0.3:
            metrics = ["visitors", "percentage"]
        if dimension == "event:page" or not dimensions + filters:
            metrics = [*metrics, *rng.sample(["time_on_page", "scroll_depth"], rng.randrange(3))]
        last = END.date() - DAY * rng.choice([-1, 0, 0, 1, rng.randrange(60)])
        question = {"metrics": metrics, "timezone": zone, "dimensions": dimensions, "filters": filters,
                    "date_range": rng.choice(["30d", "month", "12mo", "year",
                                              [(last - DAY * rng.choice([0, 1, 29, 90, 364, 500])).isoformat(), last.isoformat()]]),
                    "pagination": {"limit": 10_000, "offset": 0},
                    "include": {"total_rows": True, "coverage": rng.random() < 0.3}}
        if rng.random() < 0.5:
            question["order_by"] = [[metrics[0], rng.choice(["asc", "desc"])]]
        if rng.random() < 0.3:
            question["include"]["comparisons"] = {"mode": rng.choice(["previous_period", "year_over_year"])}
        return question

    def range(self, zone):
        rng = self.rng
        last = END.date() - DAY * rng.choice([0, 1, rng.randrange(30), 7, 8, 14, 15])
        kind = rng.random()
        if kind < 0.15:
            return rng.choice(["7d", "28d", "30d", "day", "month", "3mo", "12mo", "year"])
        if kind < 0.65:
            return [(last - DAY * rng.choice([0, 0, 1, 6, 29, 200, 420])).isoformat(), last.isoformat()]
        about = start_of_day(last, zone_of(zone)) if rng.random() < 0.3 else rng.choice(self.reference.events).time
        begin = about // 1000 * 1000 + rng.choice([0, 1000, -90_000, -3_600_000 * 5, -900_000, -123_000])
        end = begin + rng.choice([900_000, 3_600_000, 7_200_000, 86_400_000, 3 * 86_400_000, 40 * 86_400_000])
        return [local_of(ms, zone_of(rng.choice([zone, "UTC"]))).isoformat(timespec="seconds") for ms in (begin, end)]

    def dimensions(self):
        rng = self.rng
        chosen = rng.sample(DIMENSIONS, rng.choice([0, 1, 1, 1, 2, 3]))
        if rng.random() < 0.4:
            chosen[:0] = rng.sample(TIMES, 1)
        if rng.random() < 0.03:
            chosen = ["time:weekday", "time:hour_of_day"]
        return chosen[:3]

    def about_goals(self, question):
        rng = self.rng
        question["metrics"] += rng.sample(GOAL_METRICS, rng.randrange(1, 4))
        names = [goal["name"] for goal in self.reference.goals]
        if rng.random() < 0.5:
            question["dimensions"] = ["event:goal", *question["dimensions"]][:3]
        if rng.random() < 0.6 or "event:goal" not in question["dimensions"]:
            question["filters"].append(["is", "event:goal", rng.sample(names, rng.randrange(1, 3))])

    def filter(self, depth):
        rng = self.rng
        if depth > 0:
            kind = rng.random()
            if kind < 0.35:
                return [rng.choice(["and", "or"]), [self.filter(depth - 1) for _ in range(rng.randrange(1, 4))]]
            if kind < 0.5:
                return ["not", self.filter(depth - 1)]
            if kind < 0.65:
                return [rng.choice(["has_done", "has_not_done"]), self.filter(-1)]
        if self.segments and depth >= 0 and rng.random() < 0.05:  # a segment may hold behaviour, which does not stand in another
            return ["is", "segment", [rng.choice(self.segments)]]
        if rng.random() < 0.08:
            goals = [goal["name"] for goal in self.reference.goals]
            return [rng.choice(["is", "is_not", "contains"]), "event:goal", rng.sample(goals, rng.randrange(1, 3))]
        if rng.random() < 0.08:
            return [rng.choice(["greater", "greater_or_equal", "less", "less_or_equal"]),
                    rng.choice(["event:props:price", "event:revenue"]), [rng.choice([0, 1, 12.5, 19.99, -4])]]
        dimension = rng.choice(DIMENSIONS)
        operator = rng.choice(["is", "is", "is", "is_not", "is_not", "contains", "contains_not", "matches", "matches_not",
                               "matches_wildcard", "matches_wildcard_not"])
        filter = [operator, dimension, [self.value(operator, dimension) for _ in range(rng.choice([1, 1, 2, 3]))]]
        if operator in ("is", "is_not", "contains", "contains_not") and rng.random() < 0.2:
            filter.append({"case_sensitive": False})
        return filter

    def value(self, operator, dimension):
        """Mostly one that occurs."""
        rng = self.rng
        if operator.startswith("matches_wildcard"):
            return rng.choice(WILDCARDS)
        if operator.startswith("matches"):
            return rng.choice(REGEXES)
        text = rng.choice(ODD) if rng.random() < 0.1 else self.occurring(dimension)
        if operator.startswith("contains") and text:
            begin = rng.randrange(len(text))
            text = text[begin:begin + rng.randrange(1, 6)]
            return text.swapcase() if rng.random() < 0.1 else text
        return text

    def occurring(self, dimension):
        from reference import shown
        return shown(dimension, self.reference.value(dimension, self.rng.choice(self.reference.events)))


def relative_date():
    """The day that presets count from."""
    return END.date().isoformat()
