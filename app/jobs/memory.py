"""How the worker gives memory back that it needed for a large message."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 1 << 20


def give_back_large() -> None:
    """Have what is large return to the system when it is freed, where the C library is glibc's.

    Left to itself it learns to keep such blocks, and each thread keeps its own: after a message
    of 50 MB a worker stays 60 MB larger, and the next one comes on top.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, _LARGE_BYTES)
        mallopt(_ARENA_MAX, 2)
