"""Methods that map forest loss."""
