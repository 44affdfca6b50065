"""Data packs: what an operator puts into DATA/packs is taken up while weir runs, and what is broken does no harm."""
import json
import os

import pytest

from weir import ROOT, Weir, wait_for

CORPUS = ROOT / "fuzz" / "corpus" / "pack"


def city():
    """A small MMDB file; the first byte tells the fuzzer what it is."""
    return (CORPUS / "mmdb-nested-v6").read_bytes()[1:]


def ok(weir, pack):
    return weir.metrics().get(f'weir_enrich_pack_ok{{pack="{pack}"}}')


def listed(weir, *arguments):
    return {pack["name"]: pack for pack in json.loads(weir.run(*arguments, "packs", "list", "--json").stdout)}


@pytest.fixture()
def shipped(tmp_path):
    directory = tmp_path / "shipped"
    directory.mkdir()
    (directory / "isbot.txt").write_text("(?<! cu)bots?(?:\\b|_)\ncrawl\n")
    (directory / "country-ipv4.txt").write_text("# Generated: Thu, 25 Jun 2020 04:33:59 GMT\n134744072,134744072,US\n")
    (directory / "packs.json").write_text(json.dumps({"packs": [
        {"file": "isbot.txt", "source": "isbot (npm)", "version": "1.2.3", "licence": "Unlicense", "credit": "isbot"}]}))
    return directory


@pytest.fixture()
def weir(shipped):
    with Weir(arguments=["--packs.directory", str(shipped)]) as server:
        wait_for(lambda: ok(server, "isbot.txt") == 1, "the packs are loaded", 10)
        yield server


def test_packs_are_listed_measured_and_checked(weir, shipped):
    where = ("--packs.directory", str(shipped))
    assert weir.metrics()['weir_enrich_pack_age_seconds{pack="country-ipv4.txt"}'] > 90 * 86400
    assert ok(weir, "crawlers.json") == 0
    packs = listed(weir, *where)
    isbot = packs["isbot.txt"]
    assert (isbot["state"], isbot["source"], isbot["version"], isbot["own"]) == ("ok", "isbot (npm)", "1.2.3", False)
    assert packs["country-ipv4.txt"]["old"] and packs["country-ipv4.txt"]["date"] == "2020-06-25"
    assert packs["crawlers.json"]["state"] == "missing" and packs["crawlers.json"]["expected"]
    table = weir.run(*where, "packs", "list").stdout.decode()
    assert "ok, old   2020-06-25" in table
    assert weir.run(*where, "packs", "check").stdout.decode().startswith("regexes.yaml            missing")
    doctor = weir.run(*where, "doctor", check=False).stdout.decode()
    assert "packs: older than 90 days: country-ipv4.txt" in doctor and "packs: missing: regexes.yaml" in doctor
    assert "packs: older than 90 days: country-ipv4.txt (2020-06-25)" in weir.log()


def test_an_update_is_taken_up_while_weir_runs(weir, tmp_path):
    assert ok(weir, "city.mmdb") is None
    file = tmp_path / "GeoLite2-City_20260528.mmdb"
    file.write_bytes(city())
    out = weir.run("packs", "update", file).stdout.decode()
    assert out.splitlines()[0].endswith("/packs/city.mmdb: GeoLite2-City, 2026-05-28")
    wait_for(lambda: ok(weir, "city.mmdb") == 1, "the running server has it", 15)
    assert sorted(p.name for p in (weir.data / "packs").iterdir()) == ["city.mmdb"]
    assert oct((weir.data / "packs" / "city.mmdb").stat().st_mode & 0o777) == "0o600"


def test_a_file_that_is_cut_short_in_place_keeps_the_one_before(weir, tmp_path):
    place = weir.data / "packs" / "city.mmdb"
    place.write_bytes(city())
    wait_for(lambda: ok(weir, "city.mmdb") == 1, "it is loaded", 15)
    os.truncate(place, 100)
    wait_for(lambda: ok(weir, "city.mmdb") == 0, "the damage is noticed", 15)
    assert "city.mmdb: no MMDB file" in weir.log() and "the one before stays in use" in weir.log()
    assert weir.run("packs", "check", check=False).returncode == 1
    place.write_bytes(city())
    wait_for(lambda: ok(weir, "city.mmdb") == 1, "a whole one is loaded", 15)
    assert weir.log().count("the one before stays in use") == 1


def test_what_is_no_pack_is_refused(weir, tmp_path):
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("hello (world\n")
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(city()[20:])
    for arguments, why in (((nonsense,), "none of the kinds"), ((broken,), "broken.mmdb"),
                           ((nonsense, "--as", "isbot.txt"), "cannot be used as isbot.txt: line 1: no regular expression"),
                           ((tmp_path / "none",), "none")):
        done = weir.run("packs", "update", *arguments, check=False)
        assert done.returncode == 1 and why in done.stderr.decode() and len(done.stderr.splitlines()) == 1
    assert list((weir.data / "packs").iterdir()) == []
    assert ok(weir, "isbot.txt") == 1


def test_updates_need_a_data_directory_but_no_server(tmp_path):
    file = tmp_path / "spam"
    file.write_text("spam.example\n")
    weir = Weir(data=tmp_path / "data")
    done = weir.run("packs", "update", file, check=False)
    assert done.returncode == 1 and "is no data directory of weir" in done.stderr.decode()
    with weir:
        pass
    assert weir.run("packs", "update", file).stdout.decode().endswith("/packs/spam.txt: 1 hosts\n")
    assert listed(weir)["spam.txt"]["own"]


def test_without_packs_events_are_taken_all_the_same(tmp_path):
    with Weir(arguments=["--packs.directory", str(tmp_path / "nothing")]) as weir:
        assert weir.send({"type": "a"})[0] == 201
        wait_for(lambda: weir.count("name = 'a'") == 1, "the event is a row", 10)
        wait_for(lambda: "what they would tell stays unknown" in weir.log(), "a warning says so", 10)
        assert weir.stop() == 0
