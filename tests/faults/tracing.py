"""strace on a running process: to see its system calls, or to let some fail."""
import contextlib
import shutil
import subprocess

import pytest


@contextlib.contextmanager
def traced(pid, output, *options):
    """strace over all threads of a process, while the block runs."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    tracer = subprocess.Popen(["strace", "-f", "-o", str(output), "-p", str(pid), *options],
                              stderr=subprocess.PIPE, text=True)
    try:
        attached = tracer.stderr.readline()
        if "attached" not in attached:
            pytest.skip(f"strace may not attach here: {attached.strip()}")
        yield
    finally:
        tracer.terminate()
        tracer.communicate(timeout=30)
