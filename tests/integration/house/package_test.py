"""The .deb: what is in it, that it runs from where it is unpacked, that its configuration says the defaults."""
import json
import os
import pathlib
import re
import subprocess
import tarfile

import pytest
import weir as harness
from weir import BINARY, ROOT, Weir, wait_for


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(
        ["cpack", "-G", "DEB", "-B", str(folder), "--config", str(BINARY.parent / "CPackConfig.cmake")],
        cwd=folder, check=True, capture_output=True, text=True,
    )
    (package,) = folder.glob("weir_*_amd64.deb")
    return package


@pytest.fixture(scope="module")
def unpacked(package):
    root = package.parent / "root"
    subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    return root


def field(package, name):
    done = subprocess.run(["dpkg-deb", "-f", str(package), name], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_it_holds_the_program_the_engine_the_unit_and_the_configuration(unpacked):
    for name in (
        "usr/bin/weir", "usr/lib/weir/libchdb.so", "usr/lib/systemd/system/weir.service", "etc/weir/weir.toml",
        "usr/share/doc/weir/LICENSE", "usr/share/doc/weir/NOTICE", "usr/share/doc/weir/front/nginx.conf",
        "usr/share/weir/packs/packs.json", "usr/share/weir/packs/agents.txt",
    ):
        assert (unpacked / name).is_file(), name
    unit = (unpacked / "usr/lib/systemd/system/weir.service").read_text()
    assert "ExecStart=/usr/bin/weir --config /etc/weir/weir.toml" in unit
    assert "@" not in re.sub(r"@[a-z-]+", "", unit), "a placeholder was left"


def test_it_asks_for_the_libraries_it_is_linked_with(package, unpacked):
    depends = field(package, "Depends")
    needed = subprocess.run(
        ["objdump", "-p", str(unpacked / "usr/bin/weir")], check=True, capture_output=True, text=True
    ).stdout
    for library, debian in (("libcurl.so", "libcurl4"), ("libsqlite3.so", "libsqlite3-0"), ("libsodium.so", "libsodium23"),
                            ("libre2.so", "libre2-9"), ("libpcre2-8.so", "libpcre2-8-0"), ("libmaxminddb.so", "libmaxminddb0")):
        assert (library in needed) and (debian in depends), f"{library}: {depends}"
    assert "adduser" in depends


def test_the_data_packs_lie_where_weir_looks_for_them(unpacked, tmp_path):
    listed = subprocess.run([str(unpacked / "usr/bin/weir"), "--data", str(tmp_path / "data"), "packs", "list", "--json"],
                            check=True, capture_output=True, text=True).stdout
    for pack in json.loads(listed):
        shipped = unpacked / "usr/share/weir/packs" / pack["name"]
        assert pack["state"] == ("ok" if shipped.exists() else "missing")
        assert not pack["file"] or pathlib.Path(pack["file"]).samefile(shipped)


def test_the_configuration_is_kept_when_it_was_changed(package):
    done = subprocess.run(["dpkg-deb", "--ctrl-tarfile", str(package)], check=True, capture_output=True)
    control = package.parent / "control.tar"
    control.write_bytes(done.stdout)
    with tarfile.open(control) as archive:
        names = {pathlib.PurePath(member.name).name: member for member in archive.getmembers()}
        assert archive.extractfile(names["conffiles"]).read() == b"/etc/weir/weir.toml\n"
        for script in ("postinst", "prerm", "postrm"):
            assert names[script].mode & 0o111, script


def test_weir_runs_from_where_it_was_unpacked_with_the_engine_beside_it(unpacked, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "BINARY", unpacked / "usr/bin/weir")
    with Weir(tmp_path / "data") as weir:
        assert weir.send({"type": "from_the_package"})[0] == 201
        wait_for(lambda: weir.query("select name from events") == [["from_the_package"]], "the event is a row")
        threads = pathlib.Path(f"/proc/{weir.process.pid}/task").glob("*/children")
        children = " ".join(file.read_text() for file in threads).split()
        maps = "".join(pathlib.Path(f"/proc/{child}/maps").read_text() for child in children)
        assert str(unpacked / "usr/lib/weir/libchdb.so") in maps
        assert weir.stop() == 0


def config_values(path, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    command = [str(BINARY), "--config", str(path), "config"]
    checked = subprocess.run([*command, "check"], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    shown = subprocess.run([*command, "show", "--format", "json"], capture_output=True, text=True, env=environment, cwd=tmp_path)
    return json.loads(shown.stdout)


def test_each_option_of_the_configuration_exists_and_its_comment_shows_the_default(tmp_path):
    text = (ROOT / "packaging/weir.toml").read_text()
    uncommented = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)
    assert uncommented.count(" = ") > 8
    (tmp_path / "as_it_is.toml").write_text(text)
    (tmp_path / "uncommented.toml").write_text(uncommented)
    as_it_is = config_values(tmp_path / "as_it_is.toml", tmp_path)
    assert_same_values(as_it_is, config_values(tmp_path / "uncommented.toml", tmp_path))


def assert_same_values(left, right):
    def plain(shown):
        return {v["option"]: v["value"] for v in shown["options"]}

    assert plain(left) == plain(right)
