"""What the query layer has to answer, worked out event by event in plain Python: the definitions of docs/query.md once more,
without a thought for speed.

Numbers come out as fractions, unrounded; compare.py knows how answers are rounded."""
import collections
import dataclasses
import pathlib
import re
from fractions import Fraction

from times import bucket

# Of the visit's first event; every other visit dimension is the event's own.
OF_THE_VISIT = {"source": "source", "channel": "channel", "utm_campaign": "utm_campaign"}
COUNTRIES = dict(line.split(" ", 1) for line in
                 (pathlib.Path(__file__).parents[2] / "data/countries/countries.txt").read_text().splitlines() if line[0] != "#")
EMPTY = {"visit:source": "Direct / None", "visit:referrer": "Direct / None"}
FINE = {"minute", "hour", "hour_of_day"}  # of these, a visit is counted in each bucket it touches


@dataclasses.dataclass
class Asked:
    """A question with everything filled in. Times in ms, `until` excluded."""
    metrics: list
    since: int
    until: int
    zone: object
    dimensions: list = dataclasses.field(default_factory=list)
    filters: list = dataclasses.field(default_factory=list)
    traffic: list = dataclasses.field(default_factory=lambda: ["human"])


def shown(dimension, text):
    """A value as answers show it."""
    if text != "":
        return text
    return "(none)" if dimension.startswith("event:props:") else EMPTY.get(dimension, "(not set)")


class Reference:
    def __init__(self, events, goals=(), segments=()):
        """`goals`: dicts with `name` and the fields of docs/http-api.md. `segments`: filters by id."""
        self.events = sorted(events, key=lambda e: (e.time, e.tie))
        self.goals = list(goals)
        self.segments = dict(segments)
        self.page_facts = {}
        for event in self.events:
            if event.visit.events[0] is event:
                self.page_facts.update(page_facts(event.visit))

    # --- values ---------------------------------------------------------------------------------------------------
    def goals_of(self, event):
        return [goal["name"] for goal in self.goals if fits_goal(goal, event)]

    def value(self, dimension, event):
        """The one value of a dimension; '' where there is none."""
        scope, _, field = dimension.partition(":")
        if scope == "visit":
            if field == "entry_page":
                return event.visit.entry
            if field == "exit_page":
                return event.visit.exit
            if field == "country_name":
                return COUNTRIES.get(event.columns["country"], event.columns["country"])
            field = {"region_name": "region", "city_name": "city"}.get(field, field)
            return (event.visit.columns if field in OF_THE_VISIT else event.columns)[field]
        if field.startswith("props:"):
            return event.properties.get(field[6:], "")
        if field == "currency":
            return event.revenue[1] if event.revenue else ""
        return {"page": event.path, "hostname": event.hostname, "title": event.title, "name": event.name,
                "app_version": event.app_version, "traffic": event.columns["traffic"],
                "traffic_reason": event.columns["traffic_reason"]}[field]

    # --- filters --------------------------------------------------------------------------------------------------
    def test(self, asked, filters):
        """A function of an event: whether all of `filters` hold."""
        tests = [self.one_test(asked, f) for f in filters]
        return lambda event: all(test(event) for test in tests)

    def one_test(self, asked, f):
        operator = f[0]
        if operator in ("and", "or"):
            tests, every = [self.one_test(asked, g) for g in f[1]], all if operator == "and" else any
            return lambda event: every(test(event) for test in tests)
        if operator == "not":
            test = self.one_test(asked, f[1])
            return lambda event: not test(event)
        if operator in ("has_done", "has_not_done"):
            test = self.one_test(asked, f[1])
            who = {e.visitor for e in self.events if in_view(asked, e) and test(e)}
            return lambda event: (event.visitor in who) == (operator == "has_done")
        dimension, values = f[1], f[2]
        if dimension == "segment":
            tests = [self.test(asked, self.segments[str(v)]) for v in values]
            return lambda event: any(test(event) for test in tests)
        return self.value_test(operator, dimension, values, not (len(f) > 3 and f[3].get("case_sensitive") is False))

    def value_test(self, operator, dimension, values, case_sensitive):
        fold = (lambda text: text) if case_sensitive else str.lower
        if operator in ("greater", "greater_or_equal", "less", "less_or_equal"):
            return self.number_test(operator, dimension, [float(v) for v in values])
        name = operator.removesuffix("_not")
        negative = name != operator
        if dimension == "event:goal":
            fits = fitter(name, values, fold)
            named = {goal["name"] for goal in self.goals if fits(goal["name"])}
            return lambda event: any(g in named for g in self.goals_of(event)) != negative
        if name == "is":
            values = [*values, *[""] * (shown(dimension, "") in values)]
        fits = fitter(name, values, fold)
        if dimension.startswith("event:props:"):
            key = dimension[12:]
            if name == "is":
                return lambda event: fits(event.properties.get(key, "")) != negative
            return lambda event: key in event.properties and fits(event.properties[key]) != negative
        return lambda event: fits(self.value(dimension, event)) != negative

    def number_test(self, operator, dimension, values):
        compare = {"greater": lambda a, b: a > b, "greater_or_equal": lambda a, b: a >= b, "less": lambda a, b: a < b,
                   "less_or_equal": lambda a, b: a <= b}[operator]

        def test(event):
            if dimension == "event:revenue":
                number = event.revenue and float(event.revenue[0])
            else:
                number = event.numbers.get(dimension[12:])
            return number is not None and any(compare(number, v) for v in values)
        return test

    # --- the answer -----------------------------------------------------------------------------------------------
    def keys(self, asked, event):
        """The groups of an event: (by its own time, by its visit's begin, as far as that is in the range), once for each goal."""
        goals = self.goals_of(event) if "event:goal" in asked.dimensions else [None]
        for f in asked.filters:  # those by goal choose among the rows of goals, too
            if len(f) > 2 and f[1] == "event:goal":
                fits = fitter(f[0].removesuffix("_not"), f[2], str)
                goals = [g for g in goals if g is None or fits(g) != f[0].endswith("_not")]
        began = max(event.visit.start, asked.since)
        for goal in goals:
            yield tuple(tuple(self.place(asked, dimension, event, time, goal) for dimension in asked.dimensions)
                        for time in (event.time, began))

    def place(self, asked, dimension, event, time, goal):
        if dimension == "event:goal":
            return goal
        if dimension.startswith("time"):
            return bucket(time, unit_of(dimension), asked.zone, asked.since, asked.until)
        return shown(dimension, self.value(dimension, event))

    def currency(self, asked, key):
        """The one currency that counts: that of the row's goal, or of the goals that the question's filters name; else None."""
        names = [value for d, value in zip(asked.dimensions, key) if d == "event:goal"]
        for f in asked.filters:
            if not names and f[0] == "is" and f[1] == "event:goal":
                names = f[2]
        currencies = {goal.get("currency") for goal in self.goals if goal["name"] in names}
        return currencies.pop() if len(currencies) == 1 else None

    def answer(self, asked):
        """{values of the dimensions: {metric: number or None}}."""
        test = self.test(asked, asked.filters)
        matching = [e for e in self.events if in_view(asked, e) and test(e)]
        fine = any(d.startswith("time") and unit_of(d) in FINE for d in asked.dimensions)
        groups = collections.defaultdict(Group)
        if not asked.dimensions:
            groups[()] = Group()
        for event in matching:
            for own, began in self.keys(asked, event):
                groups[own].add(event, self.page_facts.get(event), self.currency(asked, own))
                groups[own if fine else began].visits.add(event.visit)
                groups[began].begun.add(event.visit)
        denominators = Denominators(self, asked, matching)
        return {key: {metric: METRICS[metric](group, denominators.of(key)) for metric in asked.metrics}
                for key, group in groups.items()}


class Group:
    """What one row of an answer is made of."""

    def __init__(self):
        self.rows, self.events, self.pageviews, self.entries, self.exits = 0, 0, 0, 0, 0
        self.visitors, self.visits, self.begun = set(), set(), set()
        self.revenue, self.paid, self.currencies = Fraction(0), 0, set()
        self.page_seconds, self.page_times = Fraction(0), 0
        self.depths = {}

    def add(self, event, page, currency):
        self.visitors.add(event.visitor)
        self.rows += 1
        self.events += event.kind != "engagement"
        if event.kind == "pageview":
            self.pageviews += 1
            self.entries += event.visit.first_page is event
            self.exits += event.visit.last_page is event
            if page is not None:
                self.page_seconds += page
                self.page_times += 1
        if event.kind == "engagement" and 0 <= event.numbers.get("scroll_depth", -1) <= 100:
            self.depths[event.visit] = max(event.numbers["scroll_depth"], self.depths.get(event.visit, 0))
        if event.revenue and currency in (None, event.revenue[1]):
            self.revenue += Fraction(event.revenue[0])
            self.paid += 1
            self.currencies.add(event.revenue[1])


class Denominators:
    """The numbers that shares are shares of."""

    def __init__(self, reference, asked, matching):
        self.asked = asked
        self.totals = Group()
        for event in matching:
            self.totals.add(event, None, None)
        self.totals.visits = {e.visit for e in matching}
        kept = [f for f in asked.filters if f[0] in ("and", "or", "not") or not re.match("event:(goal$|props:)", str(f[1]))]
        test = reference.test(asked, kept)
        without = [e for e in reference.events if in_view(asked, e) and test(e)]
        self.all_visitors = len({e.visitor for e in without})
        rest = dataclasses.replace(asked, dimensions=[d for d in asked.dimensions if not d.startswith("event:goal")])
        self.group_visitors, self.pageviews_of = collections.defaultdict(set), collections.Counter()
        for event in without:
            for own, _ in reference.keys(rest, event):
                self.group_visitors[own].add(event.visitor)
        if "visit:exit_page" in asked.dimensions:
            for event in matching:
                if event.kind == "pageview":
                    for own, _ in reference.keys(asked, event):
                        self.pageviews_of[tuple(event.path if d == "visit:exit_page" else value
                                                for d, value in zip(asked.dimensions, own))] += 1

    def of(self, key):
        rest = tuple(value for d, value in zip(self.asked.dimensions, key) if d != "event:goal")
        pageviews = self.pageviews_of[key] if "visit:exit_page" in self.asked.dimensions else None
        return Shares(self.totals, self.all_visitors, len(self.group_visitors[rest]), pageviews)


@dataclasses.dataclass
class Shares:
    totals: Group
    all_visitors: int
    group_visitors: int
    pageviews: object  # of the page, where rows are exit pages


def ratio(part, whole, times=1):
    return Fraction(part) / Fraction(whole) * times if whole else None


def revenue(group, number):
    """Sums of one currency only."""
    return (number, *group.currencies) if len(group.currencies) == 1 else None


METRICS = {
    "visitors": lambda g, s: len(g.visitors),
    "visits": lambda g, s: len(g.visits),
    "pageviews": lambda g, s: g.pageviews,
    "events": lambda g, s: g.events,
    "entries": lambda g, s: g.entries,
    "exits": lambda g, s: g.exits,
    "conversions": lambda g, s: g.rows,
    "views_per_visit": lambda g, s: ratio(g.pageviews, len(g.visits)),
    "bounce_rate": lambda g, s: ratio(sum(v.bounce for v in g.begun), len(g.begun), 100),
    "visit_duration": lambda g, s: ratio(sum(Fraction(v.seconds) for v in g.begun), len(g.begun)),
    "time_on_page": lambda g, s: ratio(g.page_seconds, g.page_times),
    "scroll_depth": lambda g, s: ratio(sum(Fraction(d) for d in g.depths.values()), len(g.depths)),
    "exit_rate": lambda g, s: ratio(g.exits, g.pageviews, 100) if s.pageviews is None else ratio(len(g.visits), s.pageviews, 100),
    "percentage": lambda g, s: ratio(len(g.visitors), len(s.totals.visitors), 100),
    "visits_percentage": lambda g, s: ratio(len(g.visits), len(s.totals.visits), 100),
    "pageviews_percentage": lambda g, s: ratio(g.pageviews, s.totals.pageviews, 100),
    "events_percentage": lambda g, s: ratio(g.events, s.totals.events, 100),
    "conversion_rate": lambda g, s: ratio(len(g.visitors), s.all_visitors, 100),
    "group_conversion_rate": lambda g, s: ratio(len(g.visitors), s.group_visitors, 100),
    "total_revenue": lambda g, s: revenue(g, g.revenue),
    "average_revenue": lambda g, s: revenue(g, g.paid and g.revenue / g.paid),
}


def unit_of(dimension):
    return dimension.partition(":")[2]


def in_view(asked, event):
    return asked.since <= event.time < asked.until and event.columns["traffic"] in asked.traffic


def page_facts(visit):
    """Seconds on the page of each of the visit's pageviews of which that is known: what its engagement reports, else the time to the
    next pageview."""
    seconds, page, engaged = {}, None, None
    for event in [*visit.events, None]:
        if event is None or event.kind == "pageview":
            if page is not None and engaged is not None:
                seconds[page] = engaged / 1000
            elif page is not None and event is not None:
                seconds[page] = Fraction(event.time - page.time, 1000)
            page, engaged = event, None
        elif event.kind == "engagement" and page is not None and event.path == page.path and "engaged_ms" in event.numbers:
            engaged = (engaged or 0) + Fraction(event.numbers["engaged_ms"])
    return seconds


def fitter(name, values, fold):
    """A test of a text against values, by an operator without its `_not`."""
    values = [fold(str(v)) for v in values]
    if name == "is":
        return lambda text: fold(text) in values
    if name == "contains":
        return lambda text: any(v in fold(text) for v in values)
    patterns = [re.compile(wildcard(v) if name == "matches_wildcard" else v, re.DOTALL) for v in values]
    return lambda text: any(p.search(fold(text)) for p in patterns)


def wildcard(pattern):
    """`**` any text, `*` any without a slash, all of the text."""
    parts = re.split(r"(\*\*|\*)", pattern)
    return r"\A" + "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts) + r"\Z"


def fits_goal(goal, event):
    if "page" in goal:
        if event.kind != "pageview" or not re.search(wildcard(goal["page"]), event.path, re.DOTALL):
            return False
    elif event.name != goal["event"]:
        return False
    if "property" in goal and event.properties.get(goal["property"]["name"]) != goal["property"]["value"]:
        return False
    return True
