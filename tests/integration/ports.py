"""Ports for servers of tests and benchmarks."""
import itertools
import random
import socket

# Below what Linux gives to outgoing connections (32768 and up): a port of those may be taken by somebody's connection
# between the moment it was found free and the moment the server listens on it. No number is given twice.
_LOWEST, _HIGHEST = 10_000, 32_000
_next = itertools.count(random.SystemRandom().randrange(_HIGHEST - _LOWEST))


def free_port():
    """A port of 127.0.0.1 nothing listens on, that no other call in this process got."""
    for step in itertools.islice(_next, _HIGHEST - _LOWEST):
        port = _LOWEST + step % (_HIGHEST - _LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {_LOWEST} to {_HIGHEST}")
