#!/usr/bin/env python3
"""Adds up a directory of test results: *.xml (JUnit, of ctest and pytest) and steps.tsv (name, outcome, log file).

Prints each failure with the end of its output, each skip with its reason, and as the last line exactly
`N passed, N failed, N skipped`. Exit 1 on any failure, or when nothing ran at all. With --expected-skips FILE (lines
`test-name-pattern  reason`) a skip that no line matches counts as a failure.
"""
import argparse
import dataclasses
import fnmatch
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

OUTPUT_LINES_MAX = 60


@dataclasses.dataclass
class Outcome:
    name: str
    kind: str  # passed, failed, skipped
    words: str = ""  # a failure's output, a skip's reason


def skip_reason(message, output):
    """gtest prints the reason below `file:line: Skipped`; pytest puts it into the message."""
    found = re.search(r"Skipped\n(.+?)\n\s*\[  SKIPPED \]", output, re.DOTALL)
    if found:
        return " ".join(found.group(1).split())
    return " ".join((message or "no reason given").split())


def read_junit(path):
    prefix = path.stem
    # Node's runner writes the control characters of a message as they are, which XML does not allow.
    text = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", path.read_bytes())
    for case in xml.fromstring(text).iter("testcase"):
        name = f"{prefix}: {case.get('name')}"
        if prefix not in ("release", "engine", "lint", "asan", "tsan", "browser"):  # pytest's names do not carry the file
            name = f"{case.get('classname', prefix)}.{case.get('name')}"
        output = case.findtext("system-out") or ""
        skipped = case.find("skipped")
        failed = case.find("failure") if case.find("failure") is not None else case.find("error")
        if failed is not None or case.get("status") == "fail":
            text = (failed.text or "") if failed is not None else ""
            message = failed.get("message", "") if failed is not None else ""
            yield Outcome(name, "failed", "\n".join(part for part in (message, text, output) if part.strip()))
        elif skipped is not None and case.get("status") == "notrun" and "SKIP" not in (skipped.get("message") or ""):
            # ctest: the program is missing or could not start. That is a broken build, not a skip.
            yield Outcome(name, "failed", skipped.get("message") or "did not run")
        elif skipped is not None or case.get("status") == "disabled":
            yield Outcome(name, "skipped", skip_reason(skipped.get("message") if skipped is not None else "disabled", output))
        else:
            yield Outcome(name, "passed")


def read_steps(path):
    for line in path.read_text().splitlines():
        name, kind, log = line.split("\t")
        words = ""
        if kind == "failed" and log:
            words = pathlib.Path(log).read_text(errors="replace")
        yield Outcome(name, kind, words)


def read_all(directory):
    outcomes = []
    for path in sorted(directory.glob("*.xml")):
        try:
            outcomes += read_junit(path)
        except xml.ParseError as error:
            outcomes.append(Outcome(str(path), "failed", f"not readable: {error}"))
    steps = directory / "steps.tsv"
    if steps.exists():
        outcomes += read_steps(steps)
    return outcomes


def read_expected(path):
    lines = (line.split("#", 1)[0].strip() for line in path.read_text().splitlines())
    return [line.split(None, 1)[0] for line in lines if line]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expected-skips", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    options = parser.parse_args()

    outcomes = read_all(options.directory)
    if options.expected_skips:
        patterns = read_expected(options.expected_skips)
        for outcome in outcomes:
            plain = outcome.name.split(": ", 1)[-1]
            if outcome.kind == "skipped" and not any(fnmatch.fnmatchcase(plain, pattern) for pattern in patterns):
                outcome.kind = "failed"
                outcome.words = f"skipped, and {options.expected_skips} does not list it: {outcome.words}"

    by_kind = {kind: [o for o in outcomes if o.kind == kind] for kind in ("passed", "failed", "skipped")}
    for outcome in by_kind["failed"]:
        print(f"\nFAILED {outcome.name}")
        lines = outcome.words.rstrip().splitlines()
        if len(lines) > OUTPUT_LINES_MAX:
            print(f"    ... {len(lines) - OUTPUT_LINES_MAX} lines more")
        for line in lines[-OUTPUT_LINES_MAX:]:
            print(f"    {line}")
    if by_kind["skipped"]:
        print()
    for outcome in by_kind["skipped"]:
        print(f"SKIPPED {outcome.name}: {outcome.words}")
    print()
    if not outcomes:
        print("nothing ran", file=sys.stderr)
    print(", ".join(f"{len(by_kind[kind])} {kind}" for kind in ("passed", "failed", "skipped")), flush=True)
    return 1 if by_kind["failed"] or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
