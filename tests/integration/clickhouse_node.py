"""A ClickHouse server that is not weir's own, for tests of --store.url: the engine's library in a process of its own.

As a module: `with ClickHouseNode(directory) as node: node.url`. As a program it becomes the server."""
import ctypes
import os
import pathlib
import subprocess
import sys
import urllib.request

from ports import free_port
from weir import ROOT, wait_for

CONFIG = """<clickhouse>
<path>{directory}/data/</path><listen_host>127.0.0.1</listen_host><http_port>{port}</http_port>
<logger><level>warning</level><log>{directory}/node.log</log></logger>
<max_server_memory_usage>1500000000</max_server_memory_usage>
<shutdown_wait_unfinished>0</shutdown_wait_unfinished>
</clickhouse>
"""


def library():
    configured = os.environ.get("WEIR_LIBCHDB")
    return configured or str(ROOT / "build/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")


class ClickHouseNode:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        (self.directory / "config.xml").write_text(CONFIG.format(directory=self.directory, port=self.port))
        with open(self.directory / "output.log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, __file__, str(self.directory), library()], stdout=log,
                                            stderr=log, stdin=subprocess.PIPE)
        wait_for(self.answers, "ClickHouse answers", 60)
        return self

    def answers(self):
        assert self.process.poll() is None, (self.directory / "output.log").read_text()
        try:
            return urllib.request.urlopen(self.url + "/ping", timeout=1).read() == b"Ok.\n"
        except OSError:
            return False

    def ask(self, sql):
        """Runs a statement as the server's owner; answers its output as TSV."""
        return urllib.request.urlopen(self.url, data=sql.encode(), timeout=60).read().decode()

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


def serve(directory, path):
    class Answer(ctypes.Structure):
        _fields_ = [("buffer", ctypes.c_void_p), ("length", ctypes.c_size_t), ("vector", ctypes.c_void_p),
                    ("elapsed", ctypes.c_double), ("rows", ctypes.c_uint64), ("bytes", ctypes.c_uint64),
                    ("error", ctypes.c_char_p)]

    engine = ctypes.CDLL(path)
    engine.query_stable_v2.restype = ctypes.POINTER(Answer)
    engine.query_stable_v2.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    # The last statement never ends; it keeps the server running.
    stay = ("SYSTEM START LISTEN HTTP; SELECT sleepEachRow(1) FROM system.numbers "
            "SETTINGS max_block_size = 1, max_threads = 1 FORMAT Null")
    arguments = [b"clickhouse", f"--path={directory}/data".encode(), f"--config-file={directory}/config.xml".encode(),
                 f"--query={stay}".encode()]
    answer = engine.query_stable_v2(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
    sys.exit((answer.contents.error or b"the engine ended").decode("utf-8", "replace"))


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
