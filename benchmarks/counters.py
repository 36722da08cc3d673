"""Compares kb's counter with others, over torchvision's classification models and a decoder of 70 billion parameters.

    python benchmarks/counters.py                all models, the counters on meta three times, those on the CPU once
    python benchmarks/counters.py --quick        without those on the CPU
    python benchmarks/counters.py --models 10    every eighth model
    python benchmarks/counters.py --markdown     the tables as Markdown

Each counter works in a process of its own, and all take turns at each model, in an order that is drawn anew each time.
Their times are from the call of the builder to the answer, and of a model that was counted several times the median;
processor time is that of all threads together. An answer is right if it is what torchvision publishes of the
model: the parameters, and 10⁹ multiply-adds to three decimals. benchmarks/requirements.txt says how to install the
others.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from peers import COUNTERS, TORCH_BYTES, Answer, Counter, Task, peak_bytes, serve

SECONDS = 600  # for one answer
MB = 10**6
FAR_OFF = 0.01
WARM_UP = "squeezenet1_1"  # counted once by each before the clock starts
# What a model's published counts are for: torchvision's builders change these two where they load weights.
ARGUMENTS = {
    "googlenet": (("aux_logits", False), ("init_weights", False)),
    "inception_v3": (("init_weights", False),),
}
# Llama 3 70B. Each of 2048 tokens meets, in each of 80 layers, 8192×8192 weights for queries and output, 8192×1024 for
# keys and values, 3 × 8192×28672 of the feed-forward network, and in the end 8192×128256; attention takes 2048 × 2048
# scores of 128 features, and as many by values, in each of 64 heads.
DECODER_LAYER = 2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672
DECODER_MACS = 2048 * (80 * DECODER_LAYER + 8192 * 128256) + 80 * 64 * 2048 * 2048 * (128 + 128)
DECODER_PARAMS = 80 * (DECODER_LAYER + 2 * 8192) + 2 * 8192 * 128256 + 8192
DECODER = Task("llama_70b", (), (1, 2048), DECODER_PARAMS, DECODER_MACS)

Table = list[tuple[str, ...]]


@dataclass
class Process:
    """A counter's process: started when first asked, and again when a model has stopped it."""

    counter: Counter
    process: BaseProcess | None = None
    pipe: Connection | None = None
    answers: dict[Task, list[Answer]] = field(default_factory=dict)

    def ask(self, task: Task) -> Answer:
        """The counter's answer; that its process ended, or took too long, is one too."""
        pipe = self.pipe or self._start()
        pipe.send(task)
        try:
            if pipe.poll(SECONDS):
                return pipe.recv()
            error = f"no answer within {SECONDS} seconds"
        except (EOFError, OSError):
            error = "its process ended"
        self.stop()
        return Answer(error=error)

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(COUNTERS.index(self.counter), theirs), daemon=True)
        self.process.start()
        theirs.close()
        return self.pipe

    def stop(self) -> None:
        """Ends the process."""
        if self.process:
            self.process.kill()
            self.process.join()
        if self.pipe:
            self.pipe.close()
        self.process = self.pipe = None


def main() -> int:
    """Run, and print two tables and what was wrong."""
    options = arguments()
    counters = [each for each in COUNTERS if each.device == "meta" or not options.quick]
    missing = sorted({each.package for each in counters if not each.is_installed})
    if missing:
        print(f"{', '.join(missing)}: not installed. benchmarks/requirements.txt says how", file=sys.stderr)
        return 1
    all_tasks, imported = tasks()
    chosen = all_tasks[:: max(1, len(all_tasks) // options.models)][: options.models]
    processes = compared(counters, chosen, warm_up_of(all_tasks), options.rounds)
    decoders = [decoded(each) for each in counters if each.device == "meta"]
    written = as_markdown if options.markdown else as_text
    print(f"{len(chosen)} classification models of torchvision {version('torchvision')}\n")
    print(written([HEAD, *(row(each, processes[0]) for each in processes)]))
    print("\nA decoder of 70 billion parameters, 2048 tokens\n")
    print(written([DECODER_HEAD, *(decoder_row(each) for each in decoders)]))
    print("\n" + "\n".join([*conditions(imported, options.rounds), *remarks(processes, chosen)]))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--models", type=int, default=1000, metavar="N", help="count N of the models (default: all)")
    options.add_argument("--rounds", type=int, default=3, help="for the counters on meta (default: 3)")
    options.add_argument("--quick", action="store_true", help="leave out the counters on the CPU")
    options.add_argument("--markdown", action="store_true", help="tables as Markdown")
    return options.parse_args()


def tasks() -> tuple[list[Task], int]:
    """torchvision's classification models, each with the counts that it publishes, and what importing it takes."""
    from kb.counting.packages import find_factory

    models: Any = find_factory("torchvision", "models")
    import_bytes = peak_bytes()
    return [task_of(models, name) for name in models.list_models(models)], import_bytes


def task_of(models: Any, name: str) -> Task:
    """A model, for the smallest images that weights of it were published for."""
    entry = min(models.get_model_weights(name), key=crop_size)
    shape = (1, 3, crop_size(entry), crop_size(entry))
    return Task(name, ARGUMENTS.get(name, ()), shape, entry.meta["num_params"], entry.meta["_ops"] * 1e9)


def crop_size(entry: Any) -> int:
    """The side of the images that weights were published for."""
    return int(entry.transforms().crop_size[0])


def warm_up_of(all_tasks: Sequence[Task]) -> Task:
    """A small model."""
    return next(task for task in all_tasks if task.name == WARM_UP)


def compared(counters: Sequence[Counter], chosen: Sequence[Task], warm_up: Task, rounds: int) -> list[Process]:
    """All counters at all models, by turns; those on the CPU in the first round only."""
    processes = [Process(each) for each in counters]
    order = random.Random(0)
    for process in processes:
        process.ask(warm_up)
    for round_ in range(rounds):
        for number, task in enumerate(chosen):
            say(f"round {round_ + 1} of {rounds}: {number + 1} of {len(chosen)} models, {task.name}")
            for process in order.sample(processes, len(processes)):
                if process.counter.device == "meta" or round_ == 0:
                    process.answers.setdefault(task, []).append(process.ask(task))
    say("")
    for process in processes:
        process.stop()
    return processes


def decoded(counter: Counter) -> Process:
    """A counter at the decoder, in a fresh process."""
    process = Process(counter)
    process.answers[DECODER] = [process.ask(DECODER)]
    process.stop()
    return process


def say(words: str) -> None:
    """A line that changes in a terminal, and nothing elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{words}")
        sys.stderr.flush()


# ---------------------------------------------------------------------------------------------------- the tables

HEAD = (
    "counter",
    "tensors",
    "time",
    "× kb",
    "median × kb",
    "processor",
    "× kb",
    "peak memory",
    "params",
    "MACs",
    "> 1 % off",
    "failed",
)
DECODER_HEAD = ("counter", "time", "processor", "peak memory", "params", "MACs")


def row(process: Process, ours: Process) -> tuple[str, ...]:
    """How a counter came out. Its times are compared with ours over the models that it did."""
    done = {task: given[0] for task, given in process.answers.items() if not given[0].error}
    times, our_times = (seconds(each, done) for each in (process, ours))
    processor, our_processor = (seconds(each, done, "processor_seconds") for each in (process, ours))
    named = f"{process.counter.name} {process.counter.version}", process.counter.device
    failed = str(len(process.answers) - len(done))
    if not done:
        return *named, *["–"] * 9, failed
    return (
        *named,
        f"{sum(times):.2f} s",
        f"{sum(times) / sum(our_times):.1f}",
        f"{statistics.median(time / our for time, our in zip(times, our_times, strict=True)):.1f}",
        f"{sum(processor):.2f} s",
        f"{sum(processor) / sum(our_processor):.1f}",
        f"{max(each.peak for given in process.answers.values() for each in given) / MB:,.0f} MB",
        str(sum(each.params == task.params for task, each in done.items())),
        str(sum(is_published(each, task) for task, each in done.items())),
        str(sum(abs(deviation(each, task)) > FAR_OFF for task, each in done.items())),
        failed,
    )


def decoder_row(process: Process) -> tuple[str, ...]:
    """How a counter came out at the decoder; a wrong answer is given beside the right one."""
    (given,) = process.answers[DECODER]
    name = f"{process.counter.name} {process.counter.version}"
    if given.error:
        return name, *["–"] * 4, given.error[:80]
    params = "right" if given.params == DECODER.params else f"{given.params / DECODER.params - 1:+.1%}"
    macs = "right" if given.macs == DECODER.macs else f"{deviation(given, DECODER):+.1%}"
    return name, f"{given.seconds:.2f} s", f"{given.processor_seconds:.2f} s", f"{given.peak / MB:.0f} MB", params, macs


def seconds(process: Process, done: Iterable[Task], which: str = "seconds") -> list[float]:
    """From nothing to the answer, for each task: of several times the median."""
    return [statistics.median(getattr(each, which) for each in process.answers[task]) for task in done]


def is_published(given: Answer, task: Task) -> bool:
    """Whether the multiply-adds are as torchvision prints them."""
    return f"{given.macs / 1e9:.3f}" == f"{task.macs / 1e9:.3f}"


def deviation(given: Answer, task: Task) -> float:
    """How far the multiply-adds are off, as a part of what is right. Small models are printed coarsely."""
    return 0.0 if is_published(given, task) else given.macs / task.macs - 1


def conditions(imported: int, rounds: int) -> Iterator[str]:
    """What the figures hold for."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield f"torch {version('torch')}, torchvision {version('torchvision')}, Python {python}, {os.cpu_count()} cores."
    yield f"Meta: median of {rounds} rounds; CPU: one round. Importing torch alone takes {TORCH_BYTES / MB:.0f} MB,"
    yield f"with torchvision {imported / MB:.0f} MB: the peaks of whole processes hold that."


def remarks(processes: Sequence[Process], chosen: Sequence[Task]) -> Iterator[str]:
    """Which answers are wrong, by counter: what failed, parameters, and multiply-adds that are far off."""
    for process in processes:
        name = f"{process.counter.name} on {process.counter.device}"
        first = [(task, process.answers[task][0]) for task in chosen]
        for error in sorted({given.error for _, given in first if given.error}):
            failed = [task.name for task, given in first if given.error == error]
            yield f"{name}: {len(failed)} failed ({failed[0]}, …): {error}"
        moved = [task.name for task, given in first if given.moved]
        if moved:
            yield f"{name}: {len(moved)} built on the CPU and moved, as their constructors read tensors ({moved[0]}, …)"
        wrong = [task.name for task, given in first if not given.error and given.params != task.params]
        if wrong:
            yield f"{name}: params wrong of {', '.join(wrong)}"
        far = {task.name: deviation(given, task) for task, given in first if not given.error}
        far = {task: off for task, off in sorted(far.items(), key=lambda item: item[1]) if abs(off) > FAR_OFF}
        if far:
            yield f"{name}: MACs off, {', '.join(f'{task} {off:+.1%}' for task, off in far.items())}"


def as_markdown(table: Table) -> str:
    """A table with figures to the right."""
    rule = ["---", *["---:"] * (len(table[0]) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (table[0], rule, *table[1:]))


def as_text(table: Table) -> str:
    """A table for the terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]
        )
        for cells in table
    )


if __name__ == "__main__":
    sys.exit(main())
