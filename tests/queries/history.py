"""A random history for the reference to be asked about: few visitors with much of everything, close to the borders of days, hours
and visits, told late, shuffled and twice."""
import datetime
import json
import random

from times import UTC

# Around the end of summer time in Europe (26 October) and America (2 November), and back from there.
END = datetime.datetime(2025, 11, 10, tzinfo=UTC)
DAYS = 30
ODD = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' OR 1=1 --", "'; DROP TABLE events; --", "\\' UNION SELECT 1",
       "{p0:String}", "100%_sure", "a*b**c", "=cmd|' /C calc'!A0", "ünï©ödé ÄÖÜ ß", "日本語", "tab\there", "back\\slash", "(none)",
       "(not set)", "Direct / None", "x" * 190, " leading", "new\nline", "?", "0", "-1", "null"]
PATHS = ["/", "/pricing", "/blog", "/blog/one", "/blog/two/deep", "/thanks", "/thanks/you", "/Pricing", "/a b", "/docs/x.html"]
NAMES = ["signup", "purchase", "Signup", "download", *ODD[:4]]
REFERRERS = ["", "", "https://www.google.com/", "https://news.ycombinator.com/item?id=1", "https://t.co/x", "https://shop.example/own",
             "https://duckduckgo.com/", "android-app://com.slack"]
TAGS = ["", "", "", "?utm_source=newsletter&utm_medium=email&utm_campaign=june", "?utm_source=fb&utm_medium=paid&utm_campaign=sale%20%27x",
        "?gclid=abc", "?utm_campaign=june&utm_term=shoes&utm_content=a%2Bb", "?ref=1&utm_source=%3Cscript%3E"]
AGENTS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
          "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
          "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", ""]
ADDRESSES = ["8.8.8.8", "81.2.69.142", "2.125.160.216", "103.86.96.10", "185.60.216.35", "2001:4860:4860::8888"]
LOCALES = ["", "en", "de-DE", "pt-BR"]
SCREENS = ["", "1920x1080", "390x844"]
GOALS = [{"name": "Signed up", "event": "signup"}, {"name": "Bought", "event": "purchase", "currency": "EUR"},
         {"name": "Thanked", "page": "/thanks*"}, {"name": "Read", "page": "/blog/**"},
         {"name": "Pro <b>plan</b>", "event": "signup", "property": {"name": "plan", "value": "pro"}},
         {"name": "x'); --", "event": ODD[0]}]
SEGMENTS = [{"name": "Germans", "filters": [["is", "visit:country", ["DE", "GB"]]]},
            {"name": "Readers", "filters": [["or", [["contains", "event:page", ["blog"]], ["has_done", ["is", "event:name", ["signup"]]]]]]}]


def random_history(seed, count):
    """Native events, in the order of their visitors; shuffled() tells them as they arrive."""
    rng, events = random.Random(seed), []
    visitors = [visitor_of(rng, n) for n in range(count // 40 + 3)]
    end = int(END.timestamp() * 1000)
    while len(events) < count:
        visitor = rng.choice(visitors)
        time = end - int(rng.random() ** 1.5 * DAYS * 86_400_000) if rng.random() < 0.9 else end - rng.randrange(430 * 86_400_000)
        if rng.random() < 0.3:  # close to midnight somewhere, or to a full hour
            time = time // 900_000 * 900_000 + rng.randrange(-90_000, 90_000)
        page = rng.choice(PATHS)
        for step in range(rng.choice([1, 1, 1, 2, 3, 5, 9, 30])):
            events.append(event_of(rng, visitor, time, page, step, len(events)))
            if rng.random() < 0.5:
                page = rng.choice(PATHS + ODD[:3] if rng.random() < 0.2 else PATHS)
            time += rng.choice([0, 1, 700, rng.randrange(20_000), rng.randrange(600_000), rng.randrange(25 * 60_000),
                                30 * 60_000, 30 * 60_000 + 1])
    return [e for e in events[:count] if e["timestamp"] < end + 86_400_000]


def visitor_of(rng, n):
    who = {"user_agent": rng.choice(AGENTS), "ip": rng.choice(ADDRESSES)}
    if rng.random() < 0.4:
        who["user_id"] = f"u{n}"
    elif rng.random() < 0.7:
        who["anonymous_id"] = rng.choice([f"u{n - 1}", f"a{n}", rng.choice(ODD)])
    who["locale"], who["screen"] = rng.choice(LOCALES), rng.choice(SCREENS)
    return {k: v for k, v in who.items() if v != ""}


def event_of(rng, visitor, time, page, step, n):
    event = {**visitor, "timestamp": time, "id": f"e{n}", "title": rng.choice(["Home", "Shop", "", rng.choice(ODD)])}
    kind = rng.choices(["pageview", "event", "engagement", "identify"], [50, 25, 22, 3])[0]
    host = rng.choice(["shop.example", "shop.example", "www.shop.example", "Blog.Example"])
    event["url"] = f"https://{host}/" + (rng.choice(TAGS) if step == 0 or rng.random() < 0.1 else "")
    event["path"] = page
    if step == 0 or rng.random() < 0.1:
        event["referrer"] = rng.choice(REFERRERS)
    details = {}
    if kind == "pageview":
        event["type"] = "pageview"
    elif kind == "engagement":
        event.update(type="engagement", kind="engagement")
        details = {k: v for k, v in {"engaged_ms": rng.choice([0, 1, 500, rng.randrange(90_000), None]),
                                     "scroll_depth": rng.choice([0, rng.randrange(101), 100, 255, None])}.items()}
    else:
        event.update(type=rng.choice(NAMES), kind=kind)
        if rng.random() < 0.4:
            amount, currency = rng.choice(["12.50", "0.01", "1000000", "3.333333"]), rng.choice(["EUR", "EUR", "EUR", "USD"])
            event["revenue"] = {"amount": amount, "currency": currency}
    if rng.random() < 0.5:
        details["plan"] = rng.choice(["pro", "free", "Pro", "", *ODD[:6]])
    if rng.random() < 0.4:
        details["price"] = rng.choice([0, 1, -3.5, 19.99, 1e3, "19.99", None, True])
    if rng.random() < 0.2:
        details[rng.choice(ODD)] = rng.choice([rng.choice(ODD), {"a": [1, "x"]}, 7])
    if details:
        event["details"] = details
    if rng.random() < 0.3:
        event["appVersion"] = rng.choice(["1.0", "1.10", "2.0-beta"])
    if rng.random() < 0.04:
        event["session_id"] = rng.choice(["s1", "s2"])
    return event


def shuffled(events, seed):
    """As they arrive: a third of them up to a day late, the others out of order by minutes, one in ten twice."""
    rng = random.Random(seed)
    arriving = events + rng.sample(events, len(events) // 10)
    late = [(e["timestamp"] + rng.randrange(86_400_000 if rng.random() < 0.3 else 600_000), n) for n, e in enumerate(arriving)]
    return [arriving[n] for _, n in sorted(late)]


def send(weir, events, app, key, many=400):
    for at in range(0, len(events), many):
        status, _, body = weir.send(events[at:at + many], app=app, headers={"Authorization": f"Bearer {key}"})
        assert status == 201 and json.loads(body)["rejected"] == [], body[:300]
