#!/usr/bin/env python3
"""tools/packages.txt is the one list of what weir takes from outside. This holds the rest against it:

- README.md's list, between its two markers, is this list (`--fix` writes it);
- the package.json and lock files of tools/engine, tools/node, tools/packs, web/dashboard and tests/browser name the same npm packages,
  all with a hash and without anybody's registry address;
- tools/packs/packs.txt takes its files from packages of the list.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "<!-- packages: tools/check_packages.py --fix -->\n"
END = "<!-- end of packages -->\n"
# As README.md calls them.
SOURCES = {"debian": "debian", "unpack": "debian, unpacked", "npm": "npm"}
LOCKS = ("tools/engine", "tools/node", "tools/packs/rules", "tools/packs/places", "web/dashboard", "tests/browser")
HEADINGS = {
    "run": "To run (the `.deb` asks for what it links by itself)",
    "build": "To build",
    "test": "To test",
}


def read_list():
    rows = []
    for number, line in enumerate((ROOT / "tools" / "packages.txt").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split(None, 4)
        if len(fields) != 5 or fields[0] not in HEADINGS or fields[1] not in SOURCES:
            raise SystemExit(f"tools/packages.txt:{number}: kind, source, package, found, reason: {line}")
        rows.append(fields)
    names = [row[2] for row in rows]
    for name in sorted({name for name in names if names.count(name) > 1}):
        raise SystemExit(f"tools/packages.txt: {name} stands there twice")
    return rows


def table(rows):
    parts = []
    for kind, heading in HEADINGS.items():
        parts.append(f"{heading}:\n\n| package | from | for |\n|---|---|---|\n")
        for row_kind, source, package, _, reason in rows:
            if row_kind == kind:
                name, _, version = package.partition("=")
                parts.append(f"| `{name}`{' ' + version if version else ''} | {SOURCES[source]} | {reason} |\n")
        parts.append("\n")
    return BEGIN + "\n" + "".join(parts) + END


def check_readme(rows, fix):
    path = ROOT / "README.md"
    text = path.read_text()
    if BEGIN not in text or END not in text:
        return ["README.md: the markers of the package list are missing"]
    start, stop = text.index(BEGIN), text.index(END) + len(END)
    fresh = text[:start] + table(rows) + text[stop:]
    if fresh == text:
        return []
    if fix:
        path.write_text(fresh)
        return []
    return ["README.md: the package list is stale; tools/check_packages.py --fix writes it"]


def check_locks(rows):
    errors = []
    listed = dict(row[2].rsplit("=", 1) for row in rows if row[1] == "npm")
    all_asked = {}
    for folder in LOCKS:
        package = json.loads((ROOT / folder / "package.json").read_text())
        asked = {**package["dependencies"], **package.get("devDependencies", {})}
        all_asked.update(asked)
        lock = (ROOT / folder / "package-lock.json").read_text()
        locked = {
            path.removeprefix("node_modules/"): entry for path, entry in json.loads(lock)["packages"].items() if path
        }
        if {name: entry["version"] for name, entry in locked.items() if name in asked} != asked:
            errors.append(f"{folder}/package-lock.json is of other versions; npm install --package-lock-only there")
        errors += [f"{folder}/package-lock.json: {name} has no hash" for name, entry in locked.items() if not entry.get("integrity")]
        if '"resolved"' in lock:
            errors.append(f"{folder}/package-lock.json names a registry (npm's omit-lockfile-registry-resolved)")
    if all_asked != listed:
        errors.append(f"the package.json files ask for {all_asked}, tools/packages.txt for {listed}")
    return errors


def check_packs(rows):
    known = {f"{row[1]}:{row[2].split('=')[0]}" for row in rows} | {"tree"}
    lines = [line for line in (ROOT / "tools/packs/packs.txt").read_text().splitlines() if not line.startswith("#")]
    packs = [re.split(r" {2,}", line) for line in lines if line]
    errors = [f"tools/packs/packs.txt: six fields: {pack}" for pack in packs if len(pack) != 6]
    errors += [f"tools/packs/packs.txt: {pack[1]} is not in tools/packages.txt" for pack in packs if pack[1] not in known]
    return errors


def main():
    rows = read_list()
    errors = check_readme(rows, "--fix" in sys.argv[1:]) + check_locks(rows) + check_packs(rows)
    for error in errors:
        print(error)
    print(f"{len(rows)} packages, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
