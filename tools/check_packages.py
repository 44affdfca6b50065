#!/usr/bin/env python3
"""tools/packages.txt is the one list of what weir takes from outside. This holds the rest against it:

- README.md's list, between its two markers, is this list (`--fix` writes it);
- tools/engine's package.json and lock file name the same engine, with a hash and without anybody's registry address.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "<!-- packages: tools/check_packages.py --fix -->\n"
END = "<!-- end of packages -->\n"
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
        if len(fields) != 5 or fields[0] not in HEADINGS or fields[1] not in ("debian", "npm"):
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
                parts.append(f"| `{name}`{' ' + version if version else ''} | {source} | {reason} |\n")
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


def check_engine(rows):
    errors = []
    listed = dict(row[2].rsplit("=", 1) for row in rows if row[1] == "npm")
    asked = json.loads((ROOT / "tools/engine/package.json").read_text())["dependencies"]
    lock = (ROOT / "tools/engine/package-lock.json").read_text()
    locked = {
        path.removeprefix("node_modules/"): entry for path, entry in json.loads(lock)["packages"].items() if path
    }
    if asked != listed:
        errors.append(f"tools/engine/package.json asks for {asked}, tools/packages.txt for {listed}")
    if {name: entry["version"] for name, entry in locked.items()} != listed:
        errors.append("tools/engine/package-lock.json is of another version; npm install --package-lock-only there")
    errors += [f"tools/engine/package-lock.json: {name} has no hash" for name, entry in locked.items() if not entry.get("integrity")]
    if '"resolved"' in lock:
        errors.append("tools/engine/package-lock.json names a registry (npm's omit-lockfile-registry-resolved)")
    return errors


def main():
    rows = read_list()
    errors = check_readme(rows, "--fix" in sys.argv[1:]) + check_engine(rows)
    for error in errors:
        print(error)
    print(f"{len(rows)} packages, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
