import random
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from rsedu import device as subject
from rsedu.device import describe_device, pick_device, seed_everything
from rsedu.errors import InputError


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No override from outside, and no probe remembered from another test."""
    monkeypatch.delenv("RSEDU_DEVICE", raising=False)
    _forget()
    yield
    _forget()


def _forget() -> None:
    for remembered in (subject._fault, subject._automatic):
        getattr(remembered, "cache_clear", lambda: None)()


def _pretend(monkeypatch: pytest.MonkeyPatch, present: set[str], faults: dict[str, str]) -> None:
    """A machine with these accelerators, some of which fail their probe."""
    monkeypatch.setattr(subject, "_is_present", present.__contains__)
    monkeypatch.setattr(subject, "_fault", faults.get)
    monkeypatch.setattr(subject, "_label", lambda device: f"a {device.type}")


@pytest.mark.parametrize(
    ("present", "override", "prefer", "choice"),
    [
        ("", None, "auto", "cpu (no CUDA or MPS device found)"),
        ("cuda", None, "auto", "cuda (a cuda, found and probed)"),
        ("mps", None, "auto", "mps (a mps, found and probed)"),
        ("cuda mps", None, "auto", "cuda (a cuda, found and probed)"),
        ("cuda", " CPU ", "cuda", "cpu (a cpu, chosen by RSEDU_DEVICE=cpu)"),
        ("cuda", "", "cuda:1", "cuda:1 (a cuda, chosen by prefer=cuda:1)"),
        ("mps", "auto", "cpu", "mps (a mps, found and probed)"),
    ],
)
def test_cuda_then_mps_then_cpu_and_the_environment_before_the_argument(
    monkeypatch: pytest.MonkeyPatch, present: str, override: str | None, prefer: str, choice: str
) -> None:
    _pretend(monkeypatch, set(present.split()), {})
    if override is not None:
        monkeypatch.setenv("RSEDU_DEVICE", override)
    assert str(describe_device(prefer)) == choice
    assert pick_device(prefer) == torch.device(choice.split()[0])


def test_a_broken_accelerator_is_left_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, {"cuda"}, {"cuda": "no kernel image is available"})
    with pytest.warns(RuntimeWarning, match="Using the CPU: cuda is there but failed its probe"):
        first = describe_device()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert describe_device() == first  # the second time it is silent
    assert first.device == torch.device("cpu")
    assert "no kernel image is available" in first.reason


def test_a_broken_first_accelerator_leaves_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, {"cuda", "mps"}, {"cuda": "driver too old"})
    with pytest.warns(RuntimeWarning, match="driver too old"):
        assert pick_device() == torch.device("mps")


@pytest.mark.parametrize("nonsense", ["gpu", "cuda:", "cuda:-1", "tpu", "cpu:0x", "meta"])
def test_nonsense_is_named_with_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch, nonsense: str
) -> None:
    monkeypatch.setenv("RSEDU_DEVICE", nonsense)
    with pytest.raises(InputError, match=r"RSEDU_DEVICE='.*' names no device: wanted auto, cpu"):
        pick_device()
    monkeypatch.delenv("RSEDU_DEVICE")
    with pytest.raises(InputError, match=r"prefer='.*' names no device"):
        pick_device(nonsense)


def test_a_device_named_outright_is_never_replaced_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _pretend(monkeypatch, set(), {"cuda": "no driver"})
    with pytest.raises(InputError, match=r"cannot be used here \(no driver\): say cpu, or auto"):
        pick_device("cuda")


def test_the_probe_reports_wrong_sums_and_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert subject._fault("cpu") is None
    assert subject._fault("meta") is not None  # it allocates, yet holds no values
    _forget()

    def too_few(*args: object, **options: object) -> torch.Tensor:
        warnings.warn("the driver is too old", UserWarning, stacklevel=1)
        return torch.zeros(2)

    monkeypatch.setattr(subject.torch, "ones", too_few)
    assert subject._fault("cpu") == "it adds 1 and 1 wrongly: the driver is too old"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_missing_accelerator_is_an_error_with_its_cause() -> None:
    with pytest.raises(InputError, match="prefer='cuda', but that device cannot be used here"):
        pick_device("cuda")


def _draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_a_seed_repeats_all_three_generators_and_another_changes_all() -> None:
    seed_everything(7)
    first = _draws()
    seed_everything(7)
    assert _draws() == first
    seed_everything(8)
    assert all(new != old for new, old in zip(_draws(), first, strict=True))


@pytest.mark.parametrize(("seed", "beyond"), [(0, -1), (2**32 - 1, 2**32)])
def test_the_ends_of_the_range_are_seeds(seed: int, beyond: int) -> None:
    seed_everything(seed)
    with pytest.raises(InputError, match=rf"seed={beyond} is out of range: wanted 0 to 4294967295"):
        seed_everything(beyond)
