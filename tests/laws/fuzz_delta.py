"""Fuzz what takes in deltas, for as long as one likes; not part of the test-suite.

    python -m tests.laws.fuzz_delta [SECONDS] [SEED]

Guided by coverage where `atheris` is installed. Without it, inputs that reach another outcome than
all before are kept and changed further. Ends with an error, and the input, when a delta breaks what
`Target.throw` asks for: a typed refusal without a trace, or a store that is whole.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.hostile import scrambled, tampered
from tests.laws.target import Target

MUTATED_BYTES = 4
GROWN_BYTES = 64


class Fuzz:
    def __init__(self, target: Target) -> None:
        self.outcomes: Counter[str] = Counter()
        self.last = ""

        @settings(max_examples=1, deadline=None, database=None)
        @given(data=st.data())
        def one(data: st.DataObject) -> None:
            pages = data.draw(st.sampled_from(target.deltas))
            change = data.draw(st.sampled_from((tampered, tampered, tampered, scrambled)))
            self.last = target.throw(change(data, pages))
            self.outcomes[self.last] += 1

        self.once = one.hypothesis.fuzz_one_input  # type: ignore[attr-defined]

    def loop(self, seconds: float, seed: int) -> None:
        dice, found, kept = random.Random(seed), set[tuple[str, int]](), [b""]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            data = bytearray(dice.choice(kept))
            for _ in range(dice.randint(1, MUTATED_BYTES)):
                if data:
                    data[dice.randrange(len(data))] = dice.randrange(256)
            data += dice.randbytes(dice.choice((0, 8, GROWN_BYTES)))
            before = sum(self.outcomes.values())
            used = self.once(bytes(data))
            if used is not None and sum(self.outcomes.values()) > before:
                mark = self.last, len(used)
                if mark not in found:
                    found.add(mark)
                    kept.append(bytes(used))


def main(seconds: float = 60, seed: int = 1) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Target(Path(folder))
        fuzz = Fuzz(target)
        if find_spec("atheris"):
            atheris = import_module("atheris")
            atheris.instrument_all()
            atheris.Setup([sys.argv[0], f"-max_total_time={seconds:.0f}"], fuzz.once)
            atheris.Fuzz()
        else:
            fuzz.loop(seconds, seed)
        target.close()
        print(f"seed {seed}: {dict(fuzz.outcomes)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
