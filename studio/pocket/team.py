"""Several processes that train one set of weights, each on batches of its own."""

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn

MEET_STEPS = 8


@dataclass(frozen=True)
class Team:
    """This process's number, and how many there are; one alone needs no launcher.

    Two processes of one thread each outrun one of two threads on a busy machine: they wait for
    each other once in `MEET_STEPS` steps, not once an operation.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process saves, reports and decides when to stop."""
        return self.rank == 0

    def share(self, value: float) -> float:
        """Return the leader's value."""
        if self.size == 1:
            return value
        shared = torch.tensor([value if self.leads else 0.0], dtype=torch.float64)
        distributed.all_reduce(shared)
        return float(shared)

    def mean_weights(self, learner: nn.Module) -> None:
        """Replace the weights with the team's mean (local SGD, Stich 2019)."""
        if self.size == 1:
            return
        weights = [parameter.data for parameter in learner.parameters()]
        joined = torch.cat([weight.flatten() for weight in weights])
        distributed.all_reduce(joined)
        joined /= self.size
        start = 0
        for weight in weights:
            weight.copy_(joined[start : start + weight.numel()].view_as(weight))
            start += weight.numel()


def join_team() -> Team:
    """Join the processes that `torchrun` started; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    cuda = torch.cuda.is_available()
    distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    return Team(distributed.get_rank(), size)
