"""Random questions about a random history, against the reference: not one number may differ.

WEIR_QUESTIONS says how many (2,000 and more by hand), WEIR_QUESTION_SEED which."""
import json
import os

import pytest

from asking import ask, differences, make
from events import exported
from history import GOALS, SEGMENTS, random_history, send, shuffled
from questions import Questions, relative_date
from reference import Reference
from times import days_of
from weir import Weir

COUNT = int(os.environ.get("WEIR_QUESTIONS", "80"))
SEED = int(os.environ.get("WEIR_QUESTION_SEED", "1"))
EVENTS = int(os.environ.get("WEIR_QUESTION_EVENTS", "1500"))


@pytest.fixture(scope="module")
def weir():
    with Weir(projects="shop,other", arguments=["--collect.rate_per_address", "0"]) as server:
        server.admin = server.key("admin")
        server.wait_packs()
        send(server, shuffled(random_history(SEED, EVENTS), SEED), "shop", server.admin)
        send(server, random_history(SEED + 1, 300), "other", server.admin)
        server.wait_visits()
        yield server


@pytest.fixture(scope="module")
def reference(weir):
    segments = {}
    for goal in GOALS:
        make(weir, "goals", goal)
    for segment in SEGMENTS:
        segments[make(weir, "segments", segment)["id"]] = segment["filters"]
    return Reference(exported(weir, "shop"), GOALS, segments)


def test_answers_are_those_of_the_definitions(weir, reference):
    questions = Questions(reference, SEED, list(reference.segments))
    wrong = []
    for n in range(COUNT):
        question = {"site_id": "shop", "relative_date": relative_date(), **questions.next()}
        status, answer = ask(weir, weir.admin, question)
        found = differences(question, answer, reference, days_of([relative_date()])[0]) if status == 200 else [str(answer)]
        if found:
            wrong.append(f"question {n}: {json.dumps(question, ensure_ascii=False)}\n  " + "\n  ".join(found[:5]))
    assert not wrong, f"{len(wrong)} of {COUNT} (seed {SEED}):\n" + "\n".join(wrong[:20])
