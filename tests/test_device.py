import random
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest
import torch

from rsedu import device as subject
from rsedu.device import autocast, describe_device, pick_device, seed_everything
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
    ("present", "chosen"),
    [(set(), "cpu"), ({"cuda"}, "cuda"), ({"mps"}, "mps"), ({"cuda", "mps"}, "cuda")],
)
def test_auto_takes_cuda_then_mps_then_cpu(
    monkeypatch: pytest.MonkeyPatch, present: set[str], chosen: str
) -> None:
    _pretend(monkeypatch, present, {})
    assert pick_device() == torch.device(chosen)


def test_auto_says_why_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, set(), {})
    assert str(describe_device()) == "cpu (no CUDA or MPS device found)"


def test_auto_says_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, {"cuda"}, {})
    assert str(describe_device()) == "cuda (a cuda, found and probed)"


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


def test_the_environment_goes_before_the_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, {"cuda"}, {})
    monkeypatch.setenv("RSEDU_DEVICE", " CPU ")
    assert str(describe_device("cuda")) == "cpu (a cpu, chosen by RSEDU_DEVICE=cpu)"


def test_an_empty_override_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, {"cuda"}, {})
    monkeypatch.setenv("RSEDU_DEVICE", "")
    assert pick_device("cuda:1") == torch.device("cuda", 1)


def test_an_override_of_auto_chooses_automatically(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, {"mps"}, {})
    monkeypatch.setenv("RSEDU_DEVICE", "auto")
    assert pick_device("cpu") == torch.device("mps")


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


def test_the_probe_passes_the_cpu_and_fails_a_device_without_numbers() -> None:
    assert subject._fault("cpu") is None
    assert subject._fault("meta") is not None  # it allocates, yet holds no values


def test_the_probe_reports_wrong_sums_and_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_the_ends_of_the_range_are_seeds(seed: int) -> None:
    seed_everything(seed)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=rf"seed={seed} is out of range: wanted 0 to 4294967295"):
        seed_everything(seed)


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_autocast_changes_nothing_off_cuda(kind: str) -> None:
    with autocast(torch.device(kind)):
        assert not torch.is_autocast_enabled("cpu")
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize(("supported", "enabled"), [(True, True), (False, False)])
def test_autocast_is_bfloat16_on_a_cuda_card_that_has_it(
    monkeypatch: pytest.MonkeyPatch, supported: bool, enabled: bool
) -> None:
    asked: list[tuple[str, torch.dtype]] = []

    def record(kind: str, *, dtype: torch.dtype) -> AbstractContextManager[None]:
        asked.append((kind, dtype))
        return nullcontext()

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    monkeypatch.setattr(torch, "autocast", record)
    autocast(torch.device("cuda"))
    assert asked == ([("cuda", torch.bfloat16)] if enabled else [])
