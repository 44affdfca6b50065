"""Re-enriching: stored rows get what today's rules and packs say, their positions stay, and nothing else changes."""
import datetime
import json
import threading

import pytest

from weir import Weir, wait_for

IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/26.1 Mobile/15E148 Safari/604.1")
COLUMNS = ("source, medium, channel, country, region, city, browser, browser_version, os, os_version, device, traffic, "
           "traffic_reason, ip, visit_source, visit_channel")
TODAY = datetime.datetime.now(datetime.timezone.utc).date()


@pytest.fixture()
def weir():
    with Weir(projects="app,website") as server:
        server.key = server.run("key", "create", "--name", "k", "--scope", "capture", "--format", "plain").stdout.decode().strip()
        yield server


def send(weir, events, app="website"):
    status, _, body = weir.send(events, app=app, headers={"Authorization": f"Bearer {weir.key}"})
    assert status == 201 and json.loads(body)["rejected"] == [], body


def positions(weir, where="1"):
    return weir.query(f"select _p, _o from events where {where} order by _p, _o")


def re_enrich(weir, *arguments):
    return weir.run("journal", "replay", "--re-enrich", *arguments).stdout.decode()


def page(n, **more):
    return {"type": "pageview", "url": f"https://shop.example/{n}", "ip": "81.2.69.142", "user_agent": IPHONE, **more}


def test_a_rule_reaches_the_past_of_its_project_alone(weir):
    send(weir, [page(i, referrer="https://old-partner.example/") for i in range(20)])
    send(weir, [page(i, ip="203.0.113.9") for i in range(3)])
    send(weir, [page(i) for i in range(5)], app="app")
    weir.wait_loaded()
    before = positions(weir)
    other = weir.query(f"select {COLUMNS} from events where project = 'app' order by _o")
    weir.run("rule", "add", "--project", "website", "--kind", "address", "--value", "81.2.69.0/24", "--label", "internal",
             "--note", "office")
    assert weir.count("traffic = 'internal'") == 0
    summary = re_enrich(weir, "--project", "website", "--from", TODAY - datetime.timedelta(days=1), "--to", TODAY)
    assert "rows               23" in summary and "changed            20" in summary, summary
    assert weir.query("select traffic, traffic_reason, toInt32(count()) from events where project = 'website' "
                      "group by all order by all") == [["human", "", 3],
                                                       ["internal", "rule: address 81.2.69.0/24 (office)", 20]]
    assert weir.query(f"select {COLUMNS} from events where project = 'app' order by _o") == other
    assert positions(weir) == before
    # And back again.
    rule = json.loads(weir.run("rule", "list", "--json").stdout)
    rules = rule["rules"] if isinstance(rule, dict) else rule
    weir.run("rule", "delete", rules[0]["id"])
    re_enrich(weir)
    assert weir.count("traffic != 'human'") == 0
    assert "changed            0" in re_enrich(weir)


def test_a_source_of_the_operators_reaches_visits(weir):
    send(weir, [page(0, referrer="https://partner.example/x"), page(1, referrer="https://shop.example/0")])
    weir.wait_loaded()
    assert weir.query("select visit_source, toInt32(count()) from events group by all") == [["partner.example", 2]]
    packs = weir.data / "packs"
    packs.mkdir(exist_ok=True)
    (packs / "sources.txt").write_text("referral  Our Partner\n    partner.example\n")
    known = weir.run("packs", "check", check=False)
    def loaded():
        return re_enrich(weir) and weir.count("source = 'Our Partner'") == 1
    wait_for(loaded, f"the operator's sources are in use: {known.stdout.decode()[-800:]}", 30)
    wait_for(lambda: weir.query("select visit_source, toInt32(count()) from events group by all") == [["Our Partner", 2]],
             "both rows of the visit say so", 30)


def test_rows_whose_personal_fields_are_gone_keep_what_was_made_of_them(weir):
    send(weir, [page(0, referrer="https://chatgpt.com/"), page(1, user_agent="Mozilla/5.0 (compatible; GPTBot/1.2)")])
    weir.wait_loaded()
    before = weir.query(f"select {COLUMNS} from events order by _o")
    assert [r[3:6] + r[8:12] for r in before] == [["GB", "England", "London", "iOS", "26.1", "phone", "human"],
                                                  ["GB", "England", "London", "", "", "", "ai_crawler"]]
    weir.stop()
    for key in (weir.data / "secrets").glob("personal-*"):
        key.unlink()
    weir.start()
    weir.run("rule", "add", "--project", "website", "--kind", "path", "--value", "/0", "--label", "spam")
    weir.run("project", "list")
    summary = re_enrich(weir)
    assert "2 rows keep place, program and labels made from them: 2 have no personal fields" in summary, summary
    after = weir.query(f"select {COLUMNS} from events order by _o")
    assert after[0] == before[0][:11] + ["spam", "rule: path /0"] + before[0][13:]
    assert after[1] == before[1]


def test_a_kill_leaves_each_day_as_it_was_or_as_it_is_to_be(weir):
    days = 12
    for d in range(days):
        at = (TODAY - datetime.timedelta(days=d + 1)).isoformat() + "T12:00:00Z"
        send(weir, [page(i, timestamp=at) for i in range(300)])
    weir.wait_loaded()
    before = positions(weir)
    weir.run("rule", "add", "--all", "--kind", "hostname", "--value", "shop.example", "--label", "internal")
    running = threading.Thread(target=lambda: weir.run("journal", "replay", "--re-enrich", check=False))
    running.start()
    wait_for(lambda: weir.count("traffic = 'internal'") >= 300, "the first days are done")
    weir.kill()
    running.join()
    weir.start()
    weir.wait_loaded()
    by_day = weir.query("select toDate(timestamp), uniqExact(traffic) from events group by all")
    assert len(by_day) == days and all(kinds == 1 for _, kinds in by_day)
    assert positions(weir) == before
    re_enrich(weir)
    assert weir.count("traffic = 'internal'") == days * 300
    assert positions(weir) == before
    weir.check_accounting()


def test_wrong_questions_are_answered_clearly(weir):
    done = weir.run("journal", "replay", "--re-enrich", "--project", "nope", check=False)
    assert done.returncode == 1 and b"no project is called nope" in done.stderr
    done = weir.run("journal", "replay", "--re-enrich", "--from", "yesterday", check=False)
    assert done.returncode == 1 and b"from: a day like 2026-01-31, not yesterday" in done.stderr
    assert weir.run("journal", "replay", "--project", "app", check=False).returncode == 2
