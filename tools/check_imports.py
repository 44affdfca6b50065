#!/usr/bin/env python3
"""Holds the source against tools/imports.txt and the header rules of CONTRIBUTING.md.

- A room includes only rooms that its line in tools/imports.txt names; paths are written from the root.
- A header starts with #pragma once; a source includes its own header first.
- Third-party headers stay in .cc files, so that a room's library is that room's business. Excepted: Asio's awaitable
  and executors, our common tongue; the rest of Asio in http, whose connections are made of it; and fmt.
- No TODO, no FIXME: what is not done is not in the tree.

Files that have grown past the feel for size are reported; that alone is no failure.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "weir"
LINES_MAX = 700
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
HEADERS_ALLOWED = re.compile(
    r"[a-z_0-9]+$"  # the standard library
    r"|(sys|arpa|netinet|linux)/[a-z_0-9]+\.h$|(unistd|fcntl|errno|poll|signal|stdlib|time)\.h$"  # the system's own
    r"|fmt/[a-z]+\.h$"
    r"|boost/asio/(awaitable|any_io_executor|io_context|strand|thread_pool)\.hpp$"
)
ROOM_HEADERS_ALLOWED = {"http": re.compile(r"boost/asio/")}
TEST_HEADERS_ALLOWED = re.compile(r"(gtest|gmock)/|boost/(asio/|json\.hpp)")


def read_table():
    table = {}
    for line in (ROOT / "tools" / "imports.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            room, imports = line.split(":")
            table[room] = set(imports.split())
    for room, imports in table.items():
        for unknown in imports - table.keys():
            raise SystemExit(f"tools/imports.txt: {room} imports {unknown}, which has no line")
    return table


def check_file(path, table, complain):
    text = path.read_text()
    room = path.relative_to(SOURCE).parts[0]
    is_header = path.suffix == ".h"
    is_testing = path.stem.endswith("_test") or "testing" in path.parts
    if room not in table:
        complain(path, 1, f"tools/imports.txt has no room {room}")
        return
    includes = list(INCLUDE.finditer(text))
    for match in includes:
        line = text.count("\n", 0, match.start(2)) + 1
        quote, name = match.groups()
        if quote == '"':
            if not name.startswith("weir/"):
                complain(path, line, f'"{name}": write the path from the root, "weir/..."')
                continue
            other = name.split("/")[1]
            # config and app see the options of every room; a header named options.h is all of a room that config sees.
            allowed = other == room or other in table[room] or (room == "config" and name.endswith("/options.h"))
            if not allowed:
                complain(path, line, f"{room} may not import {other} (tools/imports.txt)")
            elif not (ROOT / "src" / name).exists():
                complain(path, line, f'"{name}" does not exist')
        elif is_header and not HEADERS_ALLOWED.match(name):
            extra = ROOM_HEADERS_ALLOWED.get(room)
            if not (is_testing and TEST_HEADERS_ALLOWED.match(name)) and not (extra and extra.match(name)):
                complain(path, line, f"<{name}> in a header; third-party headers stay in .cc files")
    if is_header and not re.match(r"(//[^\n]*\n|\s*\n)*#pragma once\n", text):
        complain(path, 1, "a header starts with #pragma once")
    own = path.with_suffix(".h")
    if path.suffix == ".cc" and own.exists() and includes and includes[0].group(2) != str(own.relative_to(ROOT / "src")):
        complain(path, 1, "a source includes its own header first")


def main():
    table = read_table()
    errors = []

    def complain(path, line, words):
        errors.append(f"{path.relative_to(ROOT)}:{line}: {words}")

    files = 0
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".h", ".cc"):
            files += 1
            check_file(path, table, complain)
    for folder in ("src", "tests", "fuzz", "simulation", "benchmarks", "cmake", "tools", "packaging"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cc", ".py", ".cmake", ".sh", ".txt", ".sql") or path == pathlib.Path(__file__):
                continue
            if "corpus" in path.parts or "data" in path.parts:
                continue
            text = path.read_text()
            for match in UNFINISHED.finditer(text):
                complain(path, text.count("\n", 0, match.start()) + 1, f"{match.group()} in the tree")
            lines = text.count("\n")
            if lines > LINES_MAX and path.suffix in (".h", ".cc", ".py"):
                print(f"{path.relative_to(ROOT)}: {lines} lines, look for the second idea")
    for error in errors:
        print(error)
    print(f"{files} files of {len(table)} rooms, {len(errors)} errors")
    return 1 if errors or not files else 0


if __name__ == "__main__":
    sys.exit(main())
