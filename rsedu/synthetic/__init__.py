"""A made-up world, its truth known: the synthetic forest frontier."""
