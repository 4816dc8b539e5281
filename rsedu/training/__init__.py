"""One training loop for CPU, GPU and torchrun."""
