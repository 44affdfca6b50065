#!/usr/bin/env python3
"""Holds the source to awaiting only what needs no destructor of its own.

GCC 12 destroys some temporaries of an expression with `co_await` twice: closures with captures, initialiser lists,
what a `?:` chose, texts made of literals. Made in a statement before, and moved in, they are destroyed once.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'')
CLOSURE = re.compile(r"(?<![\w\])])\[([^\]\[]*)\]\s*(?:<[^>]*>\s*)?[({]")
BY_REFERENCE = re.compile(r"(this|&\w*)?(\s*,\s*(this|&\w+))*$")


def without_comments(text):
    """The same text, with comments blanked and each literal text as `""`, nothing moved."""
    def blank(match):
        found = match.group()
        return '"' + " " * (len(found) - 2) + '"' if found[0] == '"' else " " * len(found)
    return COMMENT_OR_TEXT.sub(blank, text)


def awaited(text, at):
    """The expression behind a `co_await`, up to what ends it."""
    depth = 0
    for end in range(at, len(text)):
        if text[end] in "([{":
            depth += 1
        elif text[end] in ")]}":
            depth -= 1
        if depth < 0 or (depth == 0 and text[end] in ";,"):
            return text[at:end]
    return text[at:]


def trouble(expression):
    for closure in CLOSURE.finditer(expression):
        if not BY_REFERENCE.match(closure.group(1).strip()):
            return "a closure with captures"
    # What stands in a closure's body is not of the awaiting expression.
    flat, depth = "", 0
    for c in CLOSURE.sub(lambda found: found.group()[-1], expression):
        depth -= c == "}"
        if depth == 0:
            flat += c
        if c == "{":
            if not re.search(r"(\)|mutable|noexcept|->[^(]*)\s*$", flat[:-1]):
                return "an initialiser list"
            depth += 1
    if "?" in flat:
        return "a choice"
    if '"' in flat:
        return "a literal text"
    return None


def complaints(source):
    """Line and trouble of each expression."""
    text = without_comments(source)
    for found in re.finditer(r"\bco_await\b", text):
        wrong = trouble(awaited(text, found.end()))
        if wrong:
            yield text.count("\n", 0, found.start()) + 1, wrong


def main():
    failures = 0
    for path in sorted(ROOT.glob("src/**/*")):
        if path.suffix not in (".cc", ".h"):
            continue
        for line, wrong in complaints(path.read_text()):
            failures += 1
            print(f"{path.relative_to(ROOT)}:{line}: {wrong} in what is awaited: make it in a statement before")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
