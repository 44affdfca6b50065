"""A thread of weir that stands still."""
import ctypes
import os
import re
import signal

from oracle import Clients
from weir import Weir, wait_for

PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WAIT_FOR_THREADS = 0x40000000  # __WALL


class FrozenThread:
    """Stops one thread of a process, as no signal can; the others go on."""

    def __init__(self, pid, name):
        self.tid = next(int(t) for t in os.listdir(f"/proc/{pid}/task")
                        if open(f"/proc/{pid}/task/{t}/comm").read().strip() == name)
        self.ptrace(PTRACE_SEIZE)
        self.ptrace(PTRACE_INTERRUPT)
        _, status = os.waitpid(self.tid, WAIT_FOR_THREADS)
        assert os.WIFSTOPPED(status), status

    def ptrace(self, request):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        assert libc.ptrace(request, self.tid, None, None) == 0, os.strerror(ctypes.get_errno())

    def has_ended(self):
        """Its end is reported to us, and only then the end of its process to its parent."""
        return os.waitpid(self.tid, WAIT_FOR_THREADS | os.WNOHANG)[0] == self.tid


def test_a_thread_that_stands_still_ends_the_process():
    """H19: an I/O thread stops for good; weir ends itself, is started again, and each acknowledged event counts once."""
    with Weir(arguments=["--collect.rate_per_address", "0", "--serve.stall_timeout", "2s"]) as weir:
        with Clients(weir, 4) as clients:
            wait_for(lambda: clients.acknowledged() > 500, "events acknowledged")
            thread = FrozenThread(weir.process.pid, "http-0")
            wait_for(thread.has_ended, "weir ends itself", 60)
            assert weir.process.wait(30) == -signal.SIGABRT
            # Another thread, if it waits for a lock that the frozen one holds.
            assert re.search(r"watchdog: thread \S+ has stood still for 2000 ms", weir.log())
            weir.start()
            before = clients.acknowledged()
            wait_for(lambda: clients.acknowledged() > before + 500, "events acknowledged again")
            clients.check()
