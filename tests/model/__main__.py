"""A campaign: ``python -m tests.model --seconds 60 --seed 1``. Prints what broke, made short."""

from __future__ import annotations

import argparse
import time
import traceback

from tests.model.machine import _kind, run, shorten, steps_of

options = argparse.ArgumentParser()
options.add_argument("--seconds", type=float, default=60)
options.add_argument("--seed", type=int, default=0)
options.add_argument("--length", type=int, default=40)
options.add_argument("--only", help="BANK:STEP,STEP,…: one run, with its trace")
options.add_argument("--most", type=int, default=5, help="kinds of failures until it stops")
asked = options.parse_args()

if asked.only:
    bank, _, numbers = asked.only.partition(":")
    done = run(int(bank), [int(n) for n in numbers.split(",") if n])
    print("\n".join(done.trace))
    print("BROKEN:", done.broken)
    if done.error is not None:
        traceback.print_exception(done.error)
else:
    end, seed, count, seen = time.process_time() + asked.seconds, asked.seed, 0, {}
    while time.process_time() < end and len(seen) < asked.most:
        steps = steps_of(seed, asked.length)
        done = run(seed, steps)
        count += len(done.trace)
        kind = _kind(done)
        if kind is not None and kind not in seen:
            short = shorten(seed, steps[: len(done.trace)])
            seen[kind] = short
            print(f"seed {seed}: {done.broken}", flush=True)
            done = run(seed, short)
            print("   ", "\n    ".join(t[:1500] for t in done.trace))
            print("  BROKEN:", done.broken)
            print(f"  --only {seed}:{','.join(map(str, short))}", flush=True)
        elif kind is not None:
            print(f"seed {seed}: again {kind}")
        seed += 1
    print(f"{count} steps, seeds {asked.seed} to {seed - 1}, {len(seen)} kinds")
