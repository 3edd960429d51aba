"""Ask many files on several GPUs: one process for each, every file to whichever is free.

A process loads the reader once and keeps it; answers come back as plain records. Without a GPU, or
with --devices cpu,cpu, the same runs on CPUs.

Run: python examples/ask_on_several_gpus.py [--devices cuda:0,cuda:1] [FILE ...]
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import torch

import docqa

FOLDER = Path(__file__).parent
FILES = [FOLDER / name for name in ("handbook.pdf", "notes.md", "logbook.txt")]
QUESTIONS = ("How many steps lead to the lantern?", "How many horsepower has the new engine?")

_pipelines: list[docqa.Pipeline] = []  # the one of this process


def open_pipeline(devices: SimpleQueue[str]) -> None:
    """Take a device that no other process has, and load the reader on it."""
    _pipelines.append(docqa.Pipeline(reader=docqa.load_reader(device=devices.get())))


def ask(questions: Sequence[str], path: Path) -> list[docqa.GridItem]:
    """Return the outcome of every question to one file."""
    return list(_pipelines[0].ask_all([path], questions))


def ask_files(
    devices: Sequence[str], paths: Sequence[Path], questions: Sequence[str]
) -> Iterator[docqa.GridItem]:
    """Yield the outcomes, in order of the files."""
    spawn = multiprocessing.get_context("spawn")  # a fork cannot use CUDA
    queue = spawn.SimpleQueue()
    for device in devices:
        queue.put(device)
    pool = ProcessPoolExecutor(
        len(devices), mp_context=spawn, initializer=open_pipeline, initargs=(queue,)
    )
    with pool:
        for items in pool.map(partial(ask, questions), paths):
            yield from items


def all_devices() -> list[str]:
    """Return every CUDA device of this machine, or the CPU."""
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]


def main() -> None:
    """Print one line for each outcome."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", help="separated by commas; by default all GPUs, or the CPU")
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    given = parser.parse_args()
    devices = given.devices.split(",") if given.devices else all_devices()
    for item in ask_files(devices, given.files, QUESTIONS):
        found = item.answers[0].text if item.answers else item.error or "no answer"
        print(f"{Path(item.source).name}: {item.question} {found}")


if __name__ == "__main__":
    main()
