"""`torchrun -m rsedu.pretraining NAME` and `python -m rsedu.pretraining NAME`."""

from rsedu.pretraining.command import pretrain

if __name__ == "__main__":
    pretrain()
