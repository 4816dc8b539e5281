"""Verdicts on decibels that lesson 00 reads aloud."""

import numpy as np

from rsedu.course import check


def test_the_verdict_that_lesson_00_reads_aloud() -> None:
    verdict = check.evaluate("to_db", lambda power: 20 * np.log10(power))
    assert check.render(verdict) == (
        "wrong value: Power in decibels (1 point)\n"
        "  You multiply by 20, which is the rule for amplitudes. Backscatter is a power already:\n"
        "  the factor is 10.\n"
        "  In to_db([1, 10, 100, 0.5]): at [1] expected 10, got 20."
    )


def test_every_law_of_decibels_is_held() -> None:
    verdict = check.evaluate("to_db", lambda power: 5 * np.log10(power))
    assert "ten times the power is 10 dB more. Every value is 0.5 times" in verdict.lines[0]
