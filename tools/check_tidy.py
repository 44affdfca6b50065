#!/usr/bin/env python3
"""check_tidy.py BUILD_DIRECTORY [FILE...]: clang-tidy 14 with .clang-tidy over every .cc that is built.

A file that passed is not looked at again until it, a header of ours that it reaches, its compile command or .clang-tidy
changes; what passed is remembered in BUILD_DIRECTORY/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def reach(path, seen):
    """`path` and every header of ours that it includes, however far."""
    if path in seen or not path.exists():
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_text()):
        for base in (ROOT / "src", ROOT, path.parent):
            if (base / name).exists():
                reach((base / name).resolve(), seen)
                break
    return seen


def fingerprint(path, command):
    digest = hashlib.sha256(command.encode())
    for part in [ROOT / ".clang-tidy", *sorted(reach(path, set()))]:
        digest.update(part.read_bytes())
    return digest.hexdigest()


def check(build, path):
    return subprocess.run(
        ["clang-tidy-14", "-p", str(build), "--quiet", str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    only = {pathlib.Path(name).resolve() for name in sys.argv[2:]}
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"]).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(build) and (not only or path in only):
            commands[path] = entry["command"]
    remembered = build / "tidy"
    remembered.mkdir(exist_ok=True)
    waiting = {}
    for path, command in sorted(commands.items()):
        mark = remembered / fingerprint(path, command)
        if not mark.exists():
            waiting[path] = mark
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for (path, mark), result in zip(waiting.items(), pool.map(lambda path: check(build, path), waiting)):
            if result.returncode == 0:
                mark.write_text(str(path.relative_to(ROOT)))
            else:
                failures += 1
                print(result.stdout or result.stderr, flush=True)
    print(f"{len(commands)} files, {len(waiting)} looked at, {failures} with findings")
    return 1 if failures or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
