"""The ring between the device's thread and the loop."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.audio.ring import Ring


@given(st.integers(1, 50), st.lists(st.tuples(st.booleans(), st.integers(0, 70)), max_size=40))
def test_it_behaves_like_a_bounded_list(capacity: int, steps: list[tuple[bool, int]]) -> None:
    """Any sequence of writes and reads: oldest first, newest refused when full, every refusal counted."""
    ring, model, number, refused = Ring(capacity), [], 0, 0
    for is_write, count in steps:
        if is_write:
            samples = [(number + k) % 30_000 for k in range(count)]
            number += count
            taken = samples[: capacity - len(model)]
            assert ring.write(np.array(samples, np.int16)) == len(taken)
            model += taken
            refused += count - len(taken)
        else:
            assert ring.read(count).tolist() == model[:count]
            model = model[count:]
        assert len(ring) == len(model)
    assert ring.refused == refused
    assert ring.written == number - refused
    assert ring.read().tolist() == model


def test_two_threads_lose_nothing() -> None:
    """What one thread writes, another reads in order and complete."""
    ring, got, total = Ring(64), [], 3000

    def write() -> None:
        done = 0
        while done < total:
            done += ring.write((np.arange(done, min(total, done + 50)) % 30_000).astype(np.int16))

    writer = threading.Thread(target=write)
    writer.start()
    while len(got) < total:
        got += ring.read().tolist()
    writer.join()
    assert got == [k % 30_000 for k in range(total)]


def test_clearing_empties_it_and_a_ring_of_nothing_is_refused() -> None:
    """After clear there is nothing to read; capacity 0 is a mistake."""
    ring = Ring(8)
    ring.write(np.ones(5, np.int16))
    ring.clear()
    assert len(ring.read()) == 0
    with pytest.raises(ValueError, match="holds nothing"):
        Ring(0)
