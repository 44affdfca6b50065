#!/usr/bin/env python3
"""Holds the words against the tree, so that they do not rot:

- a file that README.md, ARCHITECTURE.md, CONTRIBUTING.md or docs/ name in `backticks` or link to exists;
- each test that docs/faults.md names, as Suite.Name or file_test.py::test_name, exists;
- each thread that the source starts has its row in ARCHITECTURE.md, and each room of tools/imports.txt too.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
FILE = re.compile(r"[\w./-]+\.(cc|h|md|py|txt|cmake|toml|conf|cfg|sh|json)$")
THREAD = re.compile(r"\bThread(?: \w+)?\(|\bthread_\(|\bthreads_\.emplace_back\(|\bWorkers>?\(|\w*workers_?\(")
# Named in the words, made outside of the tree: on the operator's machine, or by a build.
ELSEWHERE = {"weir.toml", "/etc/weir/weir.toml", "/etc/nginx/conf.d/weir.conf", "package.json"}


def documents():
    yield from (ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))


def main():
    errors = []
    tree = [p for folder in ("src", "data", "docs", "tools", "tests", "fuzz", "simulation", "benchmarks", "packaging", "cmake") for p in (ROOT / folder).rglob("*")]
    names = {str(p.relative_to(ROOT)) for p in [*tree, *ROOT.glob("*")] if p.is_file()}

    def exists(name, document):
        if name in ELSEWHERE or name.startswith("build/"):
            return True
        beside = document.parent / name
        return beside.exists() or any(known == name or known.endswith("/" + name) for known in names)

    for document in documents():
        text = document.read_text()
        for name in CODE.findall(text) + LINK.findall(text):
            if FILE.match(name) and not exists(name, document):
                errors.append(f"{document.relative_to(ROOT)}: {name} does not exist")

    tests = set()
    for source in (ROOT / "src").rglob("*.[ch]*"):
        tests.update(".".join(found) for found in re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", source.read_text(), re.MULTILINE))
    for source in (ROOT / "tests").rglob("*_test.py"):
        tests.update(f"{source.name}::{name}" for name in re.findall(r"^def (test_\w+)", source.read_text(), re.MULTILINE))
    for name in re.findall(r"`(\w+\.[A-Z]\w+|\w+_test\.py::\w+)`", (ROOT / "docs" / "faults.md").read_text()):
        if name not in tests:
            errors.append(f"docs/faults.md: there is no test {name}")

    tour = (ROOT / "ARCHITECTURE.md").read_text()
    for source in (ROOT / "src").rglob("*"):
        if source.suffix not in (".cc", ".h") or source.stem.endswith("_test") or "testing" in source.parts:
            continue
        for line in source.read_text().splitlines():
            found = THREAD.search(line)
            if not found or line.lstrip().startswith("//"):
                continue
            # The literals before the lambda; a name made of parts is found by its fixed beginning.
            for name in re.findall(r'"([a-z{}-]+)"', line[found.start() :].split("[")[0]):
                if f"`{name.split('{')[0]}" not in tour:
                    errors.append(f"ARCHITECTURE.md: no row for the thread {name} of {source.relative_to(ROOT)}")
    for line in (ROOT / "tools" / "imports.txt").read_text().splitlines():
        room = line.split(":")[0]
        if line and not line.startswith("#") and f"| `{room}` |" not in tour:
            errors.append(f"ARCHITECTURE.md: no row for the room {room}")
    for error in errors:
        print(error)
    print(f"{len(list(documents()))} documents, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
