"""The store's files are damaged while weir is down: what is missing comes back from the journal, without an operator."""
import itertools
import pathlib
import shutil

import pytest

from weir import Weir, wait_for


def fill(weir):
    for n in range(40):
        assert weir.send([{"type": f"e{n}", "user_id": f"{n}-{i}", **({"id": f"{n}-{i}"} if n % 2 else {})} for i in range(25)])[0] == 201
        if n % 8 == 7:
            weir.wait_loaded()  # several parts


def parts(weir, table):
    """The directories of a table's parts."""
    store = weir.data / "clickhouse"
    schema = (store / "metadata" / "weir_data" / f"{table}.sql").read_text()
    uuid = schema.split("UUID '")[1].split("'")[0]
    return [p for p in (store / "store" / uuid[:3] / uuid).iterdir() if p.name[0].isdigit() or p.name.startswith("all_")]


def lose_columns(weir):
    """S5: as a power cut leaves them at ClickHouse's default settings."""
    for part in parts(weir, "events"):
        (part / "columns.txt").write_bytes(b"")


def lose_checksums(weir):
    for part in itertools.islice(parts(weir, "events"), 1):
        (part / "checksums.txt").write_bytes(b"")


def cut_data(weir):
    for part in parts(weir, "events"):
        data = next(p for p in part.iterdir() if p.suffix == ".bin")
        with open(data, "r+b") as f:
            f.truncate(data.stat().st_size // 2)


def lose_table(weir):
    """S6: the table of events is gone, the others are there."""
    (weir.data / "clickhouse" / "metadata" / "weir_data" / "events.sql").unlink()


def spoil_definition(weir):
    """S6: the engine cannot start any more."""
    (weir.data / "clickhouse" / "metadata" / "weir_data" / "journals.sql").write_text("nonsense")


def lose_numbers(weir):
    """S6: the journals' numbers are gone: nobody could tell whose the rows are."""
    for part in parts(weir, "journals"):
        (part / "checksums.txt").write_bytes(b"")
        (part / "columns.txt").write_bytes(b"")


def lose_everything(weir):
    """S6: the directory is empty."""
    clickhouse = weir.data / "clickhouse"
    clickhouse.rename(weir.data / "clickhouse.lost")
    clickhouse.mkdir(mode=0o700)


@pytest.mark.parametrize("damage", [lose_columns, lose_checksums, cut_data, lose_table, spoil_definition, lose_numbers,
                                    lose_everything])
def test_what_the_store_lost_comes_back(damage):
    with Weir(arguments=["--collect.rate_per_address", "0"]) as weir:
        fill(weir)
        weir.wait_loaded()
        before = weir.query("select name, user_id from events order by name, user_id")
        assert len(before) == 1000
        assert weir.stop() == 0
        damage(weir)
        weir.start(ready=False)
        wait_for(lambda: accepted(weir), "events are taken meanwhile")
        weir.wait_ready(60)
        weir.wait_loaded()
        wait_for(lambda: weir.count() == 1001, "all rows are there again", 60)
        assert weir.query("select count(), uniqExact(_p, _o) from events") == [[1001, 1001]]
        assert weir.query("select name, user_id from events where name != 'meanwhile' order by name, user_id") == before
        aside = list(pathlib.Path(weir.data).glob("clickhouse.aside-*"))
        assert len(aside) == (1 if damage in (lose_table, spoil_definition, lose_numbers) else 0), weir.log()[-2000:]
        assert weir.stop() == 0


def accepted(weir):
    try:
        return weir.send({"type": "meanwhile", "id": "meanwhile"})[0] == 201
    except OSError:
        return False


def test_an_older_copy_of_the_journal_is_put_back():
    """L31: what the copy lacks stays as rows, and what comes now is counted as well, also before the store is up."""
    with Weir(arguments=["--collect.rate_per_address", "0"]) as weir:
        def send(name, count):
            assert weir.send([{"type": name, "user_id": f"{name}-{i}"} for i in range(count)])[0] == 201

        journal, copy = weir.data / "journal", weir.data.with_name(weir.data.name + "-copy")
        send("kept", 50)
        weir.wait_loaded()
        assert weir.stop() == 0
        shutil.copytree(journal, copy)
        weir.start()
        send("lost", 70)
        weir.wait_loaded()
        assert weir.stop() == 0
        shutil.rmtree(journal)
        shutil.move(copy, journal)
        weir.start(ready=False)
        wait_for(lambda: accepted(weir), "events are taken")  # most likely before the store can be asked
        send("new", 40)
        weir.wait_ready()
        weir.wait_loaded()
        send("newer", 40)
        weir.wait_loaded()
        expected = [["kept", 50], ["lost", 70], ["meanwhile", 1], ["new", 40], ["newer", 40]]
        assert weir.query("select name, count() from events group by name order by name") == expected
        assert "an older copy was put back" in weir.log()
        assert weir.stop() == 0
        weir.start()
        send("newest", 5)
        weir.wait_loaded()
        assert weir.query("select count(), uniqExact(_p, _o) from events") == [[206, 206]]
