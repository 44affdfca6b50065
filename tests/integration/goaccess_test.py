"""A real log of 2015 against the report that GoAccess 1.7 makes of it: docs/goaccess.md explains every difference."""
import collections
import json
import lzma

import pytest

from weir import ROOT, TEST_DATA, Weir

LOG = TEST_DATA / "data" / "weblogs" / "semicomplete-2015-05-17-18.log.xz" if TEST_DATA else None
pytestmark = pytest.mark.skipif(LOG is None or not LOG.exists(), reason="WEIR_TEST_DATA does not hold data/weblogs")
needs_packs = pytest.mark.skipif(not (ROOT / "build" / "packs" / "regexes.yaml").exists(),
                                 reason="tools/packs/fetch has not fetched the packs")
# GoAccess counts no visitor of whom it saw client errors only.
SEEN_BY_GOACCESS = "not startsWith(properties['status'], '4')"


@pytest.fixture(scope="module")
def theirs():
    return json.loads(lzma.decompress((LOG.parent / "semicomplete-2015-05-17-18.goaccess.json.xz").read_bytes()))


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="site") as server:
        server.wait_packs()
        server.run("import", "access-log", "--project", "site", "--host", "www.semicomplete.com", LOG)
        # The lines of an hour stand in no order: visits are put right behind the loader.
        server.wait_visits()
        yield server


def panel(theirs, name):
    return {entry["data"]: (entry["hits"]["count"], entry["visitors"]["count"]) for entry in theirs[name]["data"]}


def counts(weir, column, where="1"):
    return {value: int(n) for value, n in weir.query(f"select {column}, count() from events where {where} group by 1")}


def test_requests_and_visitors(weir, theirs):
    total = theirs["general"]
    assert weir.count() == total["valid_requests"] == 4525
    assert total["unique_visitors"] == 1002
    assert int(weir.one(f"select uniqExact(visitor_id) from events where {SEEN_BY_GOACCESS}")) == total["unique_visitors"]
    assert int(weir.one("select uniqExact(visitor_id) from events")) == 1025
    days = weir.query(f"select formatDateTime(timestamp, '%Y%m%d'), toUInt32(count()), toUInt32(uniqExactIf(visitor_id, "
                      f"{SEEN_BY_GOACCESS})) from events group by 1")
    assert {day: (hits, visitors) for day, hits, visitors in days} == panel(theirs, "visitors")
    assert int(weir.one("select toUInt64(sum(numbers['bytes'])) from events")) == total["bandwidth"]


def test_visits(weir):
    """1,575 by a plain pass too: an address, a user agent and a day, cut where more than 30 minutes are silent."""
    assert int(weir.one("select uniqExact(session_id) from events")) == 1575
    assert int(weir.one("select countIf(visit_seq = 0) from events")) == 1575


def test_referring_sites(weir, theirs):
    rows = weir.query("select domain(referrer) as host, toUInt32(count()), toUInt32(uniqExactIf(visitor_id, "
                      f"{SEEN_BY_GOACCESS})) from events where referrer != '' group by host")
    assert {host: (hits, visitors) for host, hits, visitors in rows} == panel(theirs, "referring_sites")
    own = weir.query("select source, channel, toUInt32(count()) from events where domain(referrer) in "
                     "('semicomplete.com', 'www.semicomplete.com') and utm_source = '' group by 1, 2")
    assert own == [["", "Direct", 2110]]
    assert counts(weir, "channel", "utm_source = ''") == {"Direct": 4038, "Organic Search": 268, "Referral": 113,
                                                          "Organic Social": 22}


@needs_packs
def test_traffic(weir, theirs):
    rows = weir.query("select traffic, toUInt32(count()), toUInt32(uniqExact(visitor_id)), toUInt32(uniqExact(session_id)), "
                      "toUInt32(countIf(kind = 'pageview')) from events group by 1")
    assert {traffic: numbers for traffic, *numbers in rows} == {"human": [2977, 701, 802, 697], "bot": [1517, 321, 758, 1221],
                                                                "ai_crawler": [31, 3, 15, 24]}
    browsers = panel(theirs, "browsers")
    # Behind the two families: what GoAccess has under Others, Unknown and as browsers, by docs/goaccess.md.
    assert 1517 + 31 == browsers["Crawlers"][0] + browsers["Feeds"][0] + 271 + 218 + 2 + 2 + 36


@needs_packs
def test_browsers(weir, theirs):
    ours = counts(weir, "browser", "traffic = 'human'")
    assert ours == {"Chrome": 1104, "Firefox": 1084, "Safari": 220, "Internet Explorer": 193, "": 139, "Chromium": 56,
                    "Opera": 42, "Android Browser": 39, "Iceweasel": 22, "Amazon Silk": 17, "Opera Mini": 13,
                    "Safari (in-app)": 11, "Google App": 10, "CoolNovo": 7, "Openwave": 6, "Conkeror": 6, "AOL": 2, "UC Browser": 1, "Maxthon": 1, "Android WebView": 1, "GNOME Web": 1, "Links": 1,
                    "Baidu Browser": 1}
    families = {"Chrome": ["Chrome", "Chromium", "CoolNovo", "Android WebView"], "Firefox": ["Firefox", "Iceweasel"],
                "MSIE": ["Internet Explorer", "AOL", "Maxthon"], "Opera": ["Opera", "Opera Mini"]}
    hits = {name: n for name, (n, _) in panel(theirs, "browsers").items()}
    bots = {"Chrome": 2, "Firefox": 2, "MSIE": 36, "Opera": 0}
    assert {name: sum(ours[o] for o in of) + bots[name] for name, of in families.items()} == {f: hits[f] for f in families}
    safari = ["Safari", "Amazon Silk", "Baidu Browser", "Android Browser", "Google App"]
    in_others = {"Android Browser": 4, "Google App": 1}
    assert sum(ours[o] - in_others.get(o, 0) for o in safari) == hits["Safari"] == 282


@needs_packs
def test_systems(weir, theirs):
    ours = collections.Counter(counts(weir, "os", "traffic = 'human'"))
    assert ours == {"Windows": 1245, "Linux": 882, "macOS": 465, "": 158, "iOS": 105, "Android": 105, "ChromeOS": 9, "FreeBSD": 6,
                    "Solaris": 1, "Windows Phone": 1}
    hits = {name: n for name, (n, _) in panel(theirs, "os").items()}
    assert hits["Windows"] == ours["Windows"] + ours["Windows Phone"] + 39
    assert hits["Linux"] == ours["Linux"] + 17 + 1 and hits["Android"] == ours["Android"] - 17
    assert hits["Macintosh"] == ours["macOS"] - 2 + 14 and hits["iOS"] == ours["iOS"] + 2
    assert (hits["Chrome OS"], hits["BSD"], hits["Unix"]) == (ours["ChromeOS"], ours["FreeBSD"], ours["Solaris"])
    assert hits["Unknown"] == ours[""] + 512
