"""Options of scripts/bench."""

from __future__ import annotations

import argparse
import sys

import bench_dataset
import bench_idle
import bench_net


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument(
        "what",
        choices=[
            "net",
            "idle",
            "dataset",
            "codec",
            "instructions",
            "choice",
            "pace",
            "ways",
            "directory",
            "queue",
            "console",
            "pixels",
            "acquire",
        ],
    )
    parser.add_argument("--rounds", type=int, default=3, help="each sender runs so often, interleaved (default 3)")
    parser.add_argument("--quick", action="store_true", help="fewer instances: a look, not a measurement")
    parser.add_argument(
        "--only", default="", help="part of 'TARGET, SIZE', 'sink, 1GB', 'Orthanc', or of a codec's name"
    )
    parser.add_argument("--keep", action="store_true", help="instructions: what was counted is the new baseline")
    options = parser.parse_args()
    if options.what == "idle":
        return bench_idle.main(options.rounds, quick=options.quick)
    if options.what == "dataset":
        return bench_dataset.main(options.rounds, quick=options.quick)
    if options.what == "choice":
        import bench_choice

        return bench_choice.main(options.rounds, quick=options.quick)
    if options.what == "ways":
        import bench_ways

        return bench_ways.main(options.rounds, quick=options.quick)
    if options.what == "directory":
        import bench_directory

        return bench_directory.main(options.rounds, quick=options.quick)
    if options.what == "queue":
        import bench_queue

        return bench_queue.main(options.rounds, quick=options.quick)
    if options.what == "console":
        import bench_console

        return bench_console.main(options.rounds, quick=options.quick)
    if options.what == "pixels":
        import bench_pixels

        return bench_pixels.main(options.rounds, quick=options.quick)
    if options.what == "acquire":
        import bench_acquire

        return bench_acquire.main(options.rounds, quick=options.quick)
    if options.what == "pace":
        import bench_pace

        return bench_pace.main(options.rounds, quick=options.quick)
    if options.what == "codec":
        import bench_codec

        return bench_codec.main(options.rounds, quick=options.quick, only=options.only)
    if options.what == "instructions":
        import bench_callgrind

        return bench_callgrind.main(keep=options.keep)
    return bench_net.main(options.rounds, quick=options.quick, only=options.only)


if __name__ == "__main__":
    sys.exit(main())
