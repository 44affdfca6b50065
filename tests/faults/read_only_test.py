"""The file system of the data directory turns read-only while weir runs."""
from oracle import Clients
from volumes import Volume
from weir import Weir, wait_for


def test_the_file_system_turns_read_only(tmp_path):
    """L21: nothing is acknowledged any more; weir ends itself, says why when it is started again, and is exact afterwards."""
    arguments = ["--collect.rate_per_address", "0"]
    with Volume(tmp_path) as volume, \
            Weir(data=volume.path / "data", arguments=arguments, log=tmp_path / "weir.log") as weir, \
            Clients(weir, 2) as clients:
        wait_for(lambda: clients.acknowledged() > 500, "events are taken")
        volume.turn_read_only()
        wait_for(lambda: weir.process.poll() is not None, "weir ends itself", 40)
        assert weir.process.returncode == 1
        weir.start(ready=False)
        assert weir.process.wait(30) == 1
        assert "Read-only file system" in weir.log().splitlines()[-1]
        weir.process = None
        volume.unmount()
        volume.repair()
        volume.mount()
        weir.start()
        wait_for(lambda: clients.acknowledged() > 1500, "events are taken again")
        clients.check()
        assert weir.stop() == 0
