"""The machine, the versions, and the table."""

import os
import platform
import sys
from importlib import metadata

from threadpoolctl import threadpool_info

DISTRIBUTIONS = (
    "sklearn-resnet-sc",
    "numpy",
    "scipy",
    "numba",
    "scikit-learn",
    "spams-bin",
    "dictlearn",
    "celer",
    "skglm",
    "torch",
)


def processor():
    """Model name of the processor, where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def environment():
    """What the times depend on, to keep beside them."""
    versions = {}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    blas = {
        f"{library.get('internal_api')} {library.get('version')} {library.get('architecture', '')}"
        for library in threadpool_info()
        if library.get("user_api") == "blas"
    }
    return {
        "processor": processor(),
        "usable_cores": usable,
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "blas": sorted(name.strip() for name in blas),
        "versions": versions,
    }


def table(task, timings):
    """The timings of one task as lines of text: microseconds a signal, and ratios."""
    named = {timing.rival: timing for timing in timings}
    rows = [("", "signals", "us/signal", "min", "max", "/ ours", "/ GEMM", "first call", "other")]
    for timing in sorted(timings, key=lambda timing: timing.per_signal):
        low, high = timing.spread
        ratios = [
            f"{timing.ratio(named[other]):.2f}" if other in named else "-"
            for other in ("ours", "GEMM")
        ]
        different = "-" if timing.n_different is None else str(timing.n_different)
        rows.append(
            (
                timing.rival,
                f"{timing.n_signals}",
                f"{timing.per_signal:.3f}",
                f"{low:.3f}",
                f"{high:.3f}",
                *ratios,
                f"{timing.first:.2f} s",
                different,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [str(task)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells))
    return "\n".join(lines)
