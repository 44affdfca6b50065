"""What a project says of its own sites and of visitors who do not want to be counted, over a real server."""
import json

import pytest

from weir import Weir

LABELS = "select hostname, source, traffic, traffic_reason, toInt32(count()) from events where project = 'website' group by all order by all"
EVENTS = [{"type": "pageview", "url": "https://www.shop.example/a", "referrer": "https://pay.example/done"},
          {"type": "pageview", "url": "https://evil.example/a"}, {"type": "job_done"}]


@pytest.fixture()
def weir():
    with Weir(projects="app,website") as server:
        yield server


def send(weir):
    assert weir.send(EVENTS, app="website", headers={"User-Agent": ""})[0] == 201
    weir.wait_loaded()


def test_own_sites_are_no_sources_and_foreign_pages_are_spam_from_then_on_and_by_re_enriching_before(weir):
    send(weir)
    told = ["www.shop.example", "pay.example", "human", "", 1]
    untold = [["", "", "human", "", 1], ["evil.example", "", "human", "", 1], told]
    assert weir.query(LABELS) == untold
    weir.run("project", "set", "website", "--hostnames", "*.shop.example,pay.example", "--foreign-hostnames", "spam")
    send(weir)
    assert weir.query(LABELS) == [["", "", "human", "", 2], ["evil.example", "", "human", "", 1],
                                  ["evil.example", "", "spam", "foreign hostname", 1], ["www.shop.example", "", "human", "", 1], told]
    weir.run("journal", "replay", "--re-enrich", "--project", "website")
    assert weir.query(LABELS) == [["", "", "human", "", 2], ["evil.example", "", "spam", "foreign hostname", 2],
                                  ["www.shop.example", "", "human", "", 2]]
    weir.wait_visits()
    assert weir.count("visit_source = 'pay.example'") == 0
    # And back again.
    weir.run("project", "set", "website", "--hostnames", "none", "--foreign-hostnames", "keep")
    weir.run("journal", "replay", "--re-enrich", "--project", "website")
    assert weir.query(LABELS) == [[host, source, traffic, why, 2 * n] for host, source, traffic, why, n in untold]


def test_who_asks_not_to_be_counted_is_not_where_the_project_respects_it(weir):
    weir.run("project", "set", "website", "--privacy-signals", "respect")
    for signal, reason in (({"Sec-GPC": "1"}, "gpc"), ({"DNT": "1"}, "dnt")):
        assert weir.send({"type": "t"}, app="app", headers=signal)[0] == 201
        status, headers, body = weir.send({"type": "t"}, app="website", headers=signal)
        assert (status, headers["x-weir-dropped"], body) == (202, reason, b"")
        status, _, body = weir.send([{"type": "a"}, {"type": "b"}], app="website", headers=signal)
        assert status == 202 and {each["reason"] for each in json.loads(body)["dropped"]} == {reason}
    assert weir.send({"type": "t"}, app="website")[0] == 201
    assert weir.check_accounting()["accepted"] == 3
    assert weir.count("project = 'website'") == 1
    values = weir.metrics()
    assert values['weir_collect_dropped_total{project="website",reason="gpc"}'] == 3
    assert values['weir_collect_dropped_total{project="website",reason="dnt"}'] == 3
    assert values['weir_collect_events_total{project="website",outcome="dropped"}'] == 6
