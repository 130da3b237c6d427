"""The depth lab with all its seeds, as a table: `python3 -m tests.benchmarks.depth`.

It takes some minutes. Errors and gradients depend on the seed alone; seconds are those of this machine, and processor
seconds those that one core would need without anybody beside it.
"""

import statistics
import time

from demo.tasks.depth import DESIGNS, SEEDS, DepthEnd, gradient_ratio, judge, measure_gradients, train_depths

LIMIT_S, LIMIT_RATIO = 30.0, 1e-3

Rows = list[tuple[str, str, str]]


def run() -> Rows:
    """Train all networks with each seed; compare medians with what He et al. 2015 say."""
    ends, walls, busy = [], [], []
    for seed in SEEDS:
        wall, processor = time.perf_counter(), time.process_time()
        ends.append([each for each in train_depths(seed) if isinstance(each, DepthEnd)])
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - processor)
    rows = []
    for number, design in enumerate(DESIGNS):
        errors = [100 * each[number].train_error for each in ends]
        name = f"{'residual' if design.residual else 'plain'}, {design.depth} layers: training error"
        rows.append((name, "-", f"{statistics.median(errors):.1f}% ({min(errors):.1f} to {max(errors):.1f})"))
    verdicts = [verdict for each in ends if (verdict := judge(each)) is not None]
    grew, kept = (sum(each.plain_grew for each in verdicts), sum(not each.residual_grew for each in verdicts))
    ratio = statistics.median(gradient_ratio(measure_gradients(seed)) for seed in SEEDS)
    longest = max(walls)
    return [
        *rows,
        ("seeds in which plain networks get worse with depth", f"{len(SEEDS)}", f"{grew}"),
        ("seeds in which residual networks do not", f"{len(SEEDS)}", f"{kept}"),
        ("first block's gradient, plain to residual, deepest, median", f"under {LIMIT_RATIO:g}", f"{ratio:.0e}"),
        (
            "seconds a seed, median",
            f"under {LIMIT_S:.0f}",
            f"{statistics.median(walls):.1f} (longest {longest:.1f}; {statistics.median(busy):.1f} of processor)",
        ),
    ]


def main() -> None:
    """Print the table."""
    print("| check | promised | measured |\n| --- | --- | --- |")
    for row in run():
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
