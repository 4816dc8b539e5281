import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from rsedu.errors import InputError
from rsedu.evaluation import area
from rsedu.evaluation.area import ALLOCATIONS, LEAST, allocate, draw, error_matrix, estimate

# The example of Olofsson et al. 2014, section 5: deforestation, forest gain, stable forest, stable
# non-forest; pixels of 30 m, 0.09 ha each.
PAPER = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PAPER_HA = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09


def test_the_papers_own_example_gives_the_papers_hectares() -> None:
    found = estimate(PAPER, PAPER_HA)
    assert found.area[0] == pytest.approx(21_158, abs=0.5)
    low, high = found.symmetric(0)
    assert (high - low) / 2 == pytest.approx(6158, abs=0.5)
    assert np.round(found.user, 2).tolist() == [0.88, 0.73, 0.93, 0.96]
    assert np.round(1.96 * found.user_error, 2).tolist() == [0.07, 0.10, 0.04, 0.02]
    assert (found.overall, 1.96 * found.overall_error) == pytest.approx((0.95, 0.02), abs=0.005)


def test_two_classes_agree_with_the_formulas_worked_by_hand() -> None:
    # 1000 ha mapped as lost, 9000 ha as the rest. Of 50 pixels of the first 40 are lost, of 100 of
    # the second 5: W = (0.1, 0.9), p = (0.8, 0.05).
    found = estimate(np.array([[40, 10], [5, 95]]), np.array([1000.0, 9000.0]))
    share = 0.1 * 0.8 + 0.9 * 0.05  # 0.125
    variance = 0.01 * 0.8 * 0.2 / 49 + 0.81 * 0.05 * 0.95 / 99
    assert found.area[0] == pytest.approx(1250.0)
    assert found.area.sum() == pytest.approx(10_000.0)
    assert found.area_error[0] == pytest.approx(10_000 * math.sqrt(variance))
    assert found.user.tolist() == pytest.approx([0.8, 0.95])
    assert found.user_error[0] == pytest.approx(math.sqrt(0.8 * 0.2 / 49))
    producer = 0.08 / share
    assert found.producer[0] == pytest.approx(producer)
    # Equation 7, in pixels: N = (1000, 9000), N_j = 1250.
    first = 1000**2 * (1 - producer) ** 2 * 0.8 * 0.2 / 49
    second = producer**2 * 9000**2 * 0.05 * 0.95 / 99
    assert found.producer_error[0] == pytest.approx(math.sqrt((first + second) / 1250**2))
    assert found.overall == pytest.approx(0.1 * 0.8 + 0.9 * 0.95)
    overall = 0.01 * 0.8 * 0.2 / 49 + 0.81 * 0.95 * 0.05 / 99
    assert found.overall_error == pytest.approx(math.sqrt(overall))


def test_the_interval_joins_those_of_the_strata() -> None:
    found = estimate(np.array([[40, 10], [5, 95]]), np.array([1000.0, 9000.0]), level=0.9)
    ends = [stats.beta(hits + 0.5, misses + 0.5) for hits, misses in ((40, 10), (5, 95))]
    parts = list(zip((0.1, 0.9), (0.8, 0.05), ends, strict=True))
    below = [weight * (share - end.ppf(0.05)) for weight, share, end in parts]
    above = [weight * (end.ppf(0.95) - share) for weight, share, end in parts]
    assert found.low[0] == pytest.approx(1250 - 10_000 * math.hypot(*below))
    assert found.high[0] == pytest.approx(1250 + 10_000 * math.hypot(*above))
    assert found.z == pytest.approx(1.6449, abs=1e-4)


def test_strata_finer_than_the_classes_are_added_up() -> None:
    # A stratum cut into two halves in which the same was found: the same areas and accuracies,
    # and twice the sample, so less variance; equation by equation.
    whole = estimate(np.array([[40, 10], [10, 190]]), np.array([1000.0, 9000.0]))
    halves = np.array([[40, 10], [5, 95], [5, 95]])
    cut = estimate(halves, np.array([1000.0, 4500.0, 4500.0]), mapped=(0, 1, 1))
    assert cut.area == pytest.approx(whole.area)
    assert cut.user == pytest.approx(whole.user)
    assert cut.producer == pytest.approx(whole.producer)
    variance = 2 * 0.45**2 * 0.05 * 0.95 / 99
    assert cut.user_error[1] == pytest.approx(math.sqrt(variance) / 0.9)


def test_a_class_that_nobody_found_has_no_accuracy() -> None:
    found = estimate(np.array([[10, 0, 0], [0, 10, 0], [3, 7, 0]]), np.array([1.0, 1.0, 2.0]))
    assert math.isnan(found.producer[2])
    assert (found.area[2], found.user[2], found.low[2]) == (0.0, 0.0, 0.0)
    assert found.high[2] > 0.1  # nothing was found, and that proves little


def test_nothing_missed_in_the_sample_is_no_proof_that_nothing_was() -> None:
    found = estimate(np.array([[900, 0], [0, 100]]), np.array([9000.0, 1000.0]))
    assert found.symmetric(1) == (1000.0, 1000.0)
    upper = stats.beta.ppf(0.975, 0.5, 900.5)
    assert found.high[1] == pytest.approx(1000 + 9000 * upper)
    assert found.low[1] == pytest.approx(1000 * stats.beta.ppf(0.025, 100.5, 0.5))


def test_jeffreys_interval_is_that_of_a_beta_distribution() -> None:
    low, high = area.jeffreys(np.array([0, 3, 10]), np.array([10, 10, 10]), level=0.95)
    # Closed form: the density's integral, by brute force.
    x = (np.arange(200_000) + 0.5) / 200_000
    density = x**2.5 * (1 - x) ** 6.5
    mass = np.cumsum(density) / density.sum()
    assert low[1] == pytest.approx(x[np.searchsorted(mass, 0.025)], abs=2e-5)
    assert high[1] == pytest.approx(x[np.searchsorted(mass, 0.975)], abs=2e-5)
    assert (low[0], high[2]) == (0.0, 1.0)
    assert low[2] == pytest.approx(1 - high[0])


def test_many_simulated_samples_scatter_as_estimated_and_are_covered() -> None:
    # A brute-force world: draw whole samples from pixels, not from binomials.
    rng = np.random.default_rng(8)
    mapped = np.zeros((200, 150), dtype=np.int64)
    mapped[:30] = 1
    chance = np.where(mapped == 1, 0.85, 0.03)
    true = (rng.random(mapped.shape) < chance).astype(np.int64)
    sizes = np.bincount(mapped.ravel())
    counts = allocate(sizes, 600)
    estimates = []
    for seed in range(300):
        at = draw(mapped, counts, seed=seed)
        matrix = error_matrix(mapped.ravel()[at], true.ravel()[at], strata_count=2, classes=2)
        estimates.append(estimate(matrix, sizes.astype(float)))
    areas = np.array([each.area[1] for each in estimates])
    errors = np.array([each.area_error[1] for each in estimates])
    assert areas.mean() == pytest.approx(true.sum(), rel=0.01)
    assert np.sqrt((errors**2).mean()) == pytest.approx(areas.std(ddof=1), rel=0.1)
    covered = [each.low[1] <= true.sum() <= each.high[1] for each in estimates]
    assert 0.90 <= np.mean(covered) <= 0.98
    missed = np.array([each.producer[1] for each in estimates])
    assert missed.mean() == pytest.approx((mapped & true).sum() / true.sum(), rel=0.01)
    promised = np.sqrt(np.mean([each.producer_error[1] ** 2 for each in estimates]))
    assert promised == pytest.approx(missed.std(ddof=1), rel=0.12)


def test_each_allocation_does_what_it_is_called() -> None:
    sizes = np.array([9000, 900, 100])
    assert allocate(sizes, 300, how="equal").tolist() == [100, 100, 100]
    assert allocate(sizes, 300, how="proportional").tolist() == [270, 27, 3]
    assert allocate(sizes, 300, how="at_least").tolist() == [150, LEAST, LEAST]
    # Where by-area is more than the floor, at_least is by area.
    # Eight tiny strata take so much that the third falls below: each round is by hand.
    tiny = [25_000] * 8
    dealt = allocate(np.array([9_000_000, 800_000, *tiny]), 1000, how="at_least")
    assert dealt.tolist() == [325, *[LEAST] * 9]
    assert allocate(np.array([600, 400]), 1000, how="at_least").tolist() == [600, 400]
    # A sample too small for the floor is dealt out evenly.
    assert allocate(sizes, 30, how="at_least").tolist() == [10, 10, 10]


def test_no_stratum_gives_more_than_it_has_or_less_than_two() -> None:
    assert allocate(np.array([100_000, 20]), 1000).tolist() == [925, 20]
    assert allocate(np.array([100_000, 20]), 100, how="proportional").tolist() == [100, 2]


@given(
    st.lists(st.integers(1000, 10**7), min_size=2, max_size=6),
    st.integers(20, 1000),
    st.sampled_from(ALLOCATIONS),
)
def test_a_sample_is_dealt_out_whole(sizes: list[int], total: int, how: str) -> None:
    counts = allocate(np.array(sizes), total, how=how)
    short = sum(max(2 - round(size / sum(sizes) * total), 0) for size in sizes)
    assert total <= counts.sum() <= total + short + len(sizes)
    assert counts.min() >= 2


def test_a_draw_takes_each_pixel_once_and_from_its_stratum() -> None:
    strata = np.array([[0, 1, 1], [2, 0, 1]], dtype=np.int8)
    drawn = draw(strata, np.array([2, 2, 1]), seed=0)
    assert strata.ravel()[drawn].tolist() == [0, 0, 1, 1, 2]
    assert len(set(drawn.tolist())) == 5


def test_the_seed_decides_and_every_pixel_has_the_same_chance() -> None:
    strata = np.zeros((4, 5), dtype=np.int64)
    counts = np.array([5])
    assert draw(strata, counts, seed=3).tolist() == draw(strata, counts, seed=3).tolist()
    hits = np.zeros(20)
    for seed in range(800):
        hits[draw(strata, counts, seed=seed)] += 1
    assert np.abs(hits / 800 - 0.25).max() < 0.06  # four standard errors


def test_strata_are_drawn_each_in_its_own_stream() -> None:
    strata = np.repeat([0, 1], 50).reshape(10, 10)
    few, many = (draw(strata, np.array([4, count]), seed=1) for count in (3, 30))
    assert few[:4].tolist() == many[:4].tolist()
    first, second = np.split(draw(strata, np.array([20, 20]), seed=1), 2)
    assert first.tolist() != (second - 50).tolist()


def test_the_error_matrix_has_strata_in_rows() -> None:
    strata, reference = np.array([0, 0, 1, 1, 1]), np.array([0, 2, 1, 1, 0])
    matrix = error_matrix(strata, reference, strata_count=2, classes=3)
    assert matrix.tolist() == [[1, 0, 1], [1, 2, 0]]


PAIR = np.array([[5, 5], [5, 5]])
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: allocate(np.array([100, 1]), 50), "strata of 100, 1 pixels"),
    (lambda: allocate(np.array([100, 100]), 3), "A sample of 3 "),
    (lambda: allocate(np.array([100, 100]), 30, how="neyman"), "how is 'neyman'"),
    (lambda: draw(np.array([[0, 1]]), np.array([1, 2]), seed=0), "stratum 1, which has 1"),
    (lambda: estimate(PAIR, np.ones(3)), "2 strata, but 3 areas"),
    (lambda: estimate(PAIR, np.ones(2), mapped=(0,)), "1 classes were given"),
    (lambda: estimate(np.ones((3, 2), dtype=np.int64), np.ones(3)), "say with `mapped`"),
    (lambda: estimate(np.array([[1, 0], [5, 5]]), np.ones(2)), "2 or more pixels"),
    (lambda: estimate(np.array([[3, -1], [5, 5]]), np.ones(2)), "2 or more pixels"),
    (lambda: estimate(PAIR, np.array([1.0, 0.0])), "2 or more pixels"),
    *(
        (lambda level=level: estimate(PAIR, np.ones(2), level=level), f"level is {level}")
        for level in (0.0, 1.0, 95.0)
    ),
    *(
        (lambda pair=pair: _matrix_of(*pair), "1 pixels of the sample")
        for pair in ((2, 0), (0, 3), (-1, 0), (0, -1))
    ),
]


def _matrix_of(stratum: int, reference: int) -> np.ndarray:
    pair = np.array([stratum]), np.array([reference])
    return error_matrix(*pair, strata_count=2, classes=3)


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_cannot_be_sampled_or_estimated_is_refused(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_the_smallest_that_can_be_sampled_and_estimated_is() -> None:
    assert allocate(np.array([2, 2]), 4).tolist() == [2, 2]
    assert estimate(np.array([[2, 0], [0, 2]]), np.ones(2)).area.tolist() == [1.0, 1.0]
    assert _matrix_of(1, 2).tolist() == [[0, 0, 0], [0, 0, 1]]
