"""Numbers in, numbers out: neighbours, probes, masks, areas, intervals."""

from rsedu.evaluation.intervals import Interval, interval, paired_interval

__all__ = ["Interval", "interval", "paired_interval"]
