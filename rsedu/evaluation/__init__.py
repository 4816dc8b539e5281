"""Numbers in, numbers out: neighbours, probes, masks, areas, intervals."""
