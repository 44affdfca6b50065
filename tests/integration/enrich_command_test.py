"""`weir enrich`: what weir makes of events and why, without a server; and that a server makes the same of them."""
import json
import subprocess

import pytest

from weir import BINARY, ROOT, Weir, wait_for

PACKS = ROOT / "build" / "packs"
needs_packs = pytest.mark.skipif(not (PACKS / "regexes.yaml").exists(), reason="tools/packs/fetch has not fetched the packs")

IPHONE_26 = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 "
             "Mobile/15E148 Safari/604.1")
ANDROID_K = ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile "
             "Safari/537.36")
CHROME_WINDOWS = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 "
                  "Safari/537.36")
FIREFOX_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0"
IPAD_12 = ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 "
           "Mobile/15E148 Safari/604.1")
GPTBOT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"
WINDOWS_11 = {"Sec-CH-UA-Platform": '"Windows"', "Sec-CH-UA-Platform-Version": '"15.0.0"'}


def enrich(data, *arguments, stdin=b"", code=0):
    """(objects, standard error)"""
    done = subprocess.run([str(BINARY), "--data", str(data), "enrich", *map(str, arguments)], input=stdin, capture_output=True,
                          timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def by_flags(tmp_path, *arguments):
    answers, errors = enrich(tmp_path / "none", *arguments)
    assert len(answers) == 1 and errors == ""
    return answers[0]


def pick(answer, *columns):
    return tuple(answer[c] for c in columns)


# --- single events -------------------------------------------------------------------------------------------------------
@needs_packs
def test_an_iphone_whose_user_agent_stands_still_has_safaris_version(tmp_path):
    answer = by_flags(tmp_path, "--user-agent", IPHONE_26)
    assert pick(answer, "browser", "browser_version", "os", "os_version", "device") == \
        ("Safari", "26.0", "iOS", "26.0", "phone")
    assert "parsers[" in answer["reasons"]["os"] and "parsers[" in answer["reasons"]["browser"]


@needs_packs
def test_the_model_k_is_no_model(tmp_path):
    answer = by_flags(tmp_path, "--user-agent", ANDROID_K)
    assert pick(answer, "browser", "browser_version", "os", "os_version", "device") == \
        ("Chrome", "137", "Android", "10", "phone")


@needs_packs
def test_client_hints_tell_windows_11(tmp_path):
    assert pick(by_flags(tmp_path, "--user-agent", CHROME_WINDOWS), "os", "os_version") == ("Windows", "10")
    answer = by_flags(tmp_path, "--user-agent", CHROME_WINDOWS, "--hints", json.dumps(WINDOWS_11))
    assert pick(answer, "os", "os_version") == ("Windows", "11")
    assert answer["reasons"]["os"] == "sec-ch-ua-platform-version"


@needs_packs
def test_an_ai_crawler_is_named(tmp_path):
    answer = by_flags(tmp_path, "--user-agent", GPTBOT)
    assert pick(answer, "traffic", "traffic_reason", "browser", "device") == ("ai_crawler", "ai: GPTBot", "", "")
    assert answer["reasons"]["traffic"] == "ai: GPTBot"
    assert answer["reasons"]["browser"] == answer["reasons"]["device"] == "not a visitor's device: ai: GPTBot"


@needs_packs
@pytest.mark.parametrize("url, referrer, source, channel", [
    ("https://shop.example.org/", "https://chatgpt.com/", "ChatGPT", "AI Assistants"),
    ("https://shop.example.org/?gclid=abc", "https://www.google.com/", "Google", "Paid Search"),
    ("https://shop.example.org/a", "https://www.example.org/b", "", "Direct"),
    ("https://shop.example.org/", "https://www.google.com/", "Google", "Organic Search"),
    ("https://shop.example.org/?utm_source=news&utm_medium=email", "", "news", "Email"),
    ("https://shop.example.org/", "", "", "Direct"),
])
def test_sources(tmp_path, url, referrer, source, channel):
    answer = by_flags(tmp_path, "--url", url, *(["--referrer", referrer] if referrer else []))
    assert pick(answer, "source", "channel", "hostname") == (source, channel, "shop.example.org")
    assert answer["reasons"]["source"]


@needs_packs
def test_a_click_id_is_kept_with_its_name(tmp_path):
    assert by_flags(tmp_path, "--url", "https://shop.example.org/x?gclid=abc")["click_id"] == "gclid:abc"


@needs_packs
def test_addresses(tmp_path):
    plain = by_flags(tmp_path, "--ip", "8.8.8.8")
    mapped = by_flags(tmp_path, "--ip", "::ffff:8.8.8.8")
    assert plain["country"] == "US" and plain["reasons"]["place"] in ("city of the address", "country of the address")
    assert pick(mapped, "country", "region", "city") == pick(plain, "country", "region", "city")
    for private in ("10.1.2.3", "192.168.0.1", "127.0.0.1", "fd00::1"):
        answer = by_flags(tmp_path, "--ip", private)
        assert pick(answer, "country", "city") == ("", "")
        assert answer["reasons"]["place"] == "not a public address"


# --- many events, without packs ------------------------------------------------------------------------------------------
@pytest.fixture()
def bare(tmp_path):
    """The arguments of a weir that has no packs and no data directory."""
    (tmp_path / "no-packs").mkdir()

    def ask(stdin, code=0):
        done = subprocess.run([str(BINARY), "--data", str(tmp_path / "none"), "--packs.directory", str(tmp_path / "no-packs"),
                               "enrich"], input=stdin.encode(), capture_output=True, timeout=60)
        assert done.returncode == code, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode().splitlines()
    return ask


def test_without_packs_it_says_so(bare):
    answers, _ = bare(json.dumps({"type": "a", "user_agent": FIREFOX_LINUX}))
    assert answers[0]["browser"] == "" and answers[0]["reasons"]["browser"] == "the pack regexes.yaml is missing"


@pytest.mark.parametrize("body", [
    '{"type":"a"}\n{"type":"b"}\n', '{"type":"a"}\r\n\n  \n{"type":"b"}', '[{"type":"a"},{"type":"b"}]',
    '[\n  {"type":"a"},\n  {"type":"b"}\n]\n', '[{"type":"a"}\n,{"type":"b"}]', '[{"type":"a"}]\n[{"type":"b"}]\n'])
def test_lines_and_arrays(bare, body):
    answers, errors = bare(body)
    assert [a["name"] for a in answers] == ["a", "b"] and errors == []


def test_one_object_over_several_lines(bare):
    answers, _ = bare('{\n "type": "a",\n "details": {"n": 1.5, "list": [1, 2], "flag": true, "none": null}\n}\n')
    assert answers[0]["properties"] == {"n": "1.5", "list": "[1,2]", "flag": "true"} and answers[0]["numbers"] == {"n": 1.5}


def test_nothing_is_an_answer_to_nothing(bare):
    assert bare("") == ([], []) and bare("\n \n") == ([], [])


def test_a_bad_line_is_named_and_costs_no_other(bare):
    answers, errors = bare('{"type":"a"}\n\n{"type":\n{"type":"b","ip":"1.2.3"}\n{"tpe":"c"}\n{"type":"d","hints":[]}\n'
                           '{"type":"e","timestamp":"1985-01-01"}\n"f"\n{"type":"g"}', code=1)
    assert [a["name"] for a in answers] == ["a", "g"]
    assert [e.partition(": ")[2] for e in errors] == [
        "line 3, byte 8: not JSON: it ends too early",
        'line 4, byte 12: `ip`: not an address: "1.2.3"',
        "line 5, byte 0: `type`: missing",
        'line 6, byte 0: `hints`: must be an object of texts, such as {"sec-ch-ua-platform":"\\"Windows\\""}',
        'line 7, byte 12: `timestamp`: not a time: "1985-01-01"',
        "line 8, byte 0: an event must be an object, not a string"]


def test_a_bad_first_line_costs_no_other(bare):
    answers, errors = bare('{"type":\n{"type":"b"}\n{"type":"c"}\n', code=1)
    assert [a["name"] for a in answers] == ["b", "c"]
    assert errors == ["weir: line 1, byte 8: not JSON: it ends too early"]


def test_a_bad_event_of_an_array_is_named(bare):
    answers, errors = bare('[{"type":"a"},\n{"type":""},\n{"type":"c"}]', code=1)
    assert [a["name"] for a in answers] == ["a", "c"] and errors == ["weir: event 1, byte 15: `type`: empty"]
    assert bare('[{"type":"a"},\n', code=1)[1] == ["weir: byte 15: not JSON: it ends too early"]


def test_a_line_is_answered_before_the_next_is_there(tmp_path):
    process = subprocess.Popen([str(BINARY), "--data", str(tmp_path / "none"), "--packs.directory", str(tmp_path), "enrich"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for name in ("a", "b"):
        process.stdin.write(b'{"type":"%s"}\n' % name.encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["name"] == name
    process.stdin.close()
    assert process.wait(30) == 0


def test_a_project_that_is_not_there(tmp_path):
    _, errors = enrich(tmp_path / "none", "--project", "nobody", code=1)
    assert errors == "weir: enrich: --project: no such project: nobody\n"


# --- beside a server -----------------------------------------------------------------------------------------------------
def diverse_events():
    url = "https://shop.example.org/p?utm_source=news%20letter&utm_medium=email&utm_campaign=May&utm_term=t&utm_content=c"
    agents = [IPHONE_26, ANDROID_K, CHROME_WINDOWS, FIREFOX_LINUX, IPAD_12, GPTBOT, "curl/8.5.0", "weird \u00fc agent", "-",
              "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
              "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
              "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/6.0 TV Safari/537.36"]
    addresses = ["8.8.8.8", "::ffff:1.1.1.1", "2001:4860:4860::8888", "10.1.2.3", "81.2.69.142", "203.0.113.9", "2.125.160.216"]
    referrers = ["", "https://chatgpt.com/", "https://www.google.com/search?q=x", "https://www.example.org/", "not a url",
                 "https://news.ycombinator.com/item?id=1", "android-app://com.slack/"]
    urls = [url, "https://shop.example.org/?gclid=abc", "https://Shop.Example.org", "https://shop.example.org/a%20b#c",
            "http://[2001:db8::1]:8080/x?fbclid=z"]
    for i in range(30):
        event = {"type": "pageview" if i % 3 else f"event {i}", "id": f"e{i}", "user_agent": agents[i % len(agents)],
                 "ip": addresses[i % len(addresses)], "url": urls[i % len(urls)], "timestamp": "2026-03-02T08:00:01.25Z"}
        if referrers[i % len(referrers)]:
            event["referrer"] = referrers[i % len(referrers)]
        if i % 4 == 0:
            event["user_id"] = i if i % 8 else f"user {i}"
        if i % 5 == 0:
            event["details"] = {"n": i / 3, "big": 12345678901234567890, "text": "a\"\\\u00e9", "list": [1, {"a": None}], "no": False,
                                "none": None}
            event["revenue"] = {"amount": f"{i}.50", "currency": "EUR"}
        if i % 6 == 0:
            event.update(screen="1024x1366", locale="de-AT", title="T\u00eft\u00efl", appVersion="1.2", session_id="s", sdk="x/1")
        if i % 7 == 0:
            event["anonymous_id"] = f"device {i}"
        yield event


@needs_packs
def test_the_servers_row_is_what_enrich_says(tmp_path):
    """The same event to both; every column that both have is the same, the operator's rules included."""
    with Weir(projects="app,office") as weir:
        weir.wait_packs()
        weir.run("rule", "add", "--project", "app", "--label", "internal", "--kind", "address", "--value", "203.0.113.0/24")
        key = weir.key("capture")
        events = list(diverse_events())
        body = "\n".join(json.dumps(e) for e in events)
        status, _, answer = weir.send(body, headers={"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"})
        assert status == 201 and json.loads(answer)["accepted"] == len(events), answer
        wait_for(lambda: weir.count("project = 'app'") == len(events), "all are rows", 60)
        out = weir.run("query", "--format", "JSONEachRow", "select * from events where project = 'app'").stdout.decode()
        rows = {row["event_id"]: row for row in map(json.loads, out.splitlines())}
        said, errors = enrich(weir.data, "--project", "app", stdin=body.encode())
        assert errors == "" and len(said) == len(rows) == len(events)
        for answer in said:
            row = rows[answer["event_id"]]
            assert answer.pop("reasons").keys() == {"browser", "os", "device", "place", "source", "traffic"}
            shared = answer.keys() & row.keys()
            assert shared == answer.keys() and len(shared) >= 41
            for numbers in (answer["numbers"], row["numbers"]):
                numbers.update({k: float(v) for k, v in numbers.items()})  # as written they may look like integers
            assert {c: answer[c] for c in sorted(shared)} == {c: row[c] for c in sorted(shared)}
        internal = [a for a in said if a["traffic"] == "internal"]
        assert len(internal) == 4 and all("rule" in a["traffic_reason"] for a in internal)
        assert {a["traffic"] for a in said} >= {"human", "bot", "ai_crawler", "monitor", "internal"}

        # The event's own project decides when none is named; what is not there is an error, as for the server.
        event = {"type": "a", "ip": "203.0.113.9"}
        both, _ = enrich(weir.data, stdin="\n".join(json.dumps({**event, "app": p}) for p in ("app", "office")).encode())
        assert [pick(a, "project", "traffic") for a in both] == [("app", "internal"), ("office", "human")]
        _, errors = enrich(weir.data, stdin=json.dumps({**event, "app": "nobody"}).encode(), code=1)
        assert errors == 'weir: line 1, byte 0: `app`: no such project: "nobody"\n'
