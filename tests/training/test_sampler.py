import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from rsedu.errors import InputError
from rsedu.training.sampler import TensorSource, indices_of_step


def test_an_epoch_sees_every_sample_once_and_the_next_one_in_another_order() -> None:
    seen = np.concatenate([indices_of_step(12, step, batch_size=4)[0] for step in range(6)])
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12))
    assert seen[:12].tolist() != seen[12:].tolist()


def test_a_batch_that_straddles_two_epochs_takes_the_end_of_one_and_the_start_of_the_next() -> None:
    small = np.concatenate([indices_of_step(7, step, batch_size=1)[0] for step in range(14)])
    large = np.concatenate([indices_of_step(7, step, batch_size=5)[0] for step in range(3)])
    assert large[:14].tolist() == small.tolist()
    assert sorted(small[:7]) == sorted(small[7:]) == list(range(7))


def test_a_source_smaller_than_the_batch_repeats() -> None:
    indices, positions = indices_of_step(3, 0, batch_size=8)
    assert np.bincount(indices).tolist().count(0) == 0
    assert positions.tolist() == list(range(8))


@given(
    length=st.integers(1, 50),
    step=st.integers(0, 40),
    share=st.integers(1, 6),
    world=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_the_shares_of_all_processes_in_order_are_the_batch_of_one(
    length: int, step: int, share: int, world: int, seed: int
) -> None:
    size = share * world
    whole = indices_of_step(length, step, batch_size=size, seed=seed)
    shares = [
        indices_of_step(length, step, batch_size=size, seed=seed, rank=rank, world=world)
        for rank in range(world)
    ]
    for part in (0, 1):
        np.testing.assert_array_equal(np.concatenate([s[part] for s in shares]), whole[part])


def test_the_seed_changes_the_order_and_positions_never_repeat() -> None:
    orders = {tuple(indices_of_step(40, 0, batch_size=40, seed=seed)[0]) for seed in range(5)}
    assert len(orders) == 5
    positions = np.concatenate([indices_of_step(5, step, batch_size=3)[1] for step in range(20)])
    assert positions.tolist() == list(range(60))


def test_an_empty_source_and_an_unequal_share_are_refused() -> None:
    with pytest.raises(InputError, match="no samples"):
        indices_of_step(0, 0, batch_size=4)
    with pytest.raises(InputError, match="10 can't be shared equally by 4"):
        indices_of_step(9, 0, batch_size=10, world=4)


def test_a_tensor_source_hands_out_the_rows_asked_for_and_refuses_unequal_lengths() -> None:
    source = TensorSource({"images": torch.arange(12.0).reshape(6, 2), "gsd": torch.arange(6.0)})
    batch = source.batch(np.array([4, 0]), np.array([0, 1]))
    assert len(source) == 6
    assert batch["images"].tolist() == [[8.0, 9.0], [0.0, 1.0]]
    assert batch["gsd"].tolist() == [4.0, 0.0]
    with pytest.raises(InputError, match="'a': 3, 'b': 2"):
        TensorSource({"a": torch.zeros(3), "b": torch.zeros(2)})
