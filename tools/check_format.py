#!/usr/bin/env python3
"""Every C++ file is as clang-format 14 writes it by .clang-format. `--fix` rewrites those that are not."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    files = []
    for folder in ("src", "tests", "fuzz", "simulation", "benchmarks"):
        files += [p for p in (ROOT / folder).rglob("*") if p.suffix in (".h", ".cc")]
    mode = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "--Werror", "--ferror-limit=3"]
    command = ["clang-format-14", "--style=file", *mode, *map(str, sorted(files))]
    result = subprocess.run(command, cwd=ROOT)
    print(f"{len(files)} files" + ("" if result.returncode == 0 else "; tools/check_format.py --fix puts them right"))
    return 1 if result.returncode or not files else 0


if __name__ == "__main__":
    sys.exit(main())
