"""What the operating system counted: the processor's time and the memory of a process and its children."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import psutil


def cpu_seconds(root: psutil.Process) -> float:
    """The processor's time of a process, its children, and those of them that have ended, in seconds."""
    total = 0.0
    for process in _family(root):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            # What an ended child used is its parent's from then on.
            total += times.user + times.system + times.children_user + times.children_system
    return total


def busy_seconds() -> float:
    """The time that all processors have spent on anything, in seconds."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


class Memory(NamedTuple):
    """Bytes in memory. `proportional` divides what processes share; 0 where the system does not say."""

    resident: int
    proportional: int


def memory(root: psutil.Process) -> Memory:
    """The memory of a process and its children."""
    resident = proportional = 0
    for process in _family(root):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            full = process.memory_full_info()
            resident += full.rss
            proportional += getattr(full, "pss", 0)
    return Memory(resident, proportional)


def machine() -> dict[str, str]:
    """What is measured on, as far as it can be found out."""
    model = ""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    gibibytes = psutil.virtual_memory().total / 2**30
    return {
        "processors": f"{psutil.cpu_count() or 0} x {model or os.uname().machine}",
        "memory": f"{gibibytes:.0f} GiB",
        "system": f"{os.uname().sysname} {os.uname().release}",
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def disk_seconds(folder: Path) -> float:
    """How long the disk takes to say that a page at the end of a file is durable; the middle of a hundred."""
    took = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(100):
            file.write(bytes(4096))
            began = perf_counter()
            os.fdatasync(file.fileno())
            took.append(perf_counter() - began)
    return median(took)


def _family(root: psutil.Process) -> Iterable[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [root, *root.children(recursive=True)]
    return []
