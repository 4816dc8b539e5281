"""A recipe on some data: how the kit's weights are made."""
