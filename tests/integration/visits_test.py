"""Visits come out the same whatever the order of arrival: events sent in order, and the same ones shuffled, late and
repeated, over both ways in, with a kill in between; and both as a sessioniser of its own works them out from the journal."""
import os
import random

from visits import events_of, late_order, send, stored, worked_out
from weir import Weir

EVENTS = int(os.environ.get("WEIR_VISIT_EVENTS", "20000"))


def test_the_order_of_arrival_leaves_no_trace():
    events = events_of(1, EVENTS)
    with Weir(projects="ordered,shuffled", arguments=["--collect.rate_per_address", "0"]) as weir:
        send(weir, sorted(events, key=lambda e: e["timestamp"]), "ordered")

        arriving = late_order(events, random.Random(2))
        send(weir, arriving[:len(arriving) // 2], "shuffled")
        weir.wait_loaded(300)
        send(weir, arriving[len(arriving) // 2:], "shuffled")
        rewritten = weir.metrics()["weir_load_visit_rows_rewritten_total"]
        weir.kill()
        weir.start()
        weir.wait_visits()

        ordered, shuffled = stored(weir, "ordered"), stored(weir, "shuffled")
        assert len(ordered) == len(events)
        assert shuffled == ordered
        assert worked_out(weir, events) == ordered
        assert rewritten + weir.metrics()["weir_load_visit_rows_rewritten_total"] > 0
        weir.check_accounting()
