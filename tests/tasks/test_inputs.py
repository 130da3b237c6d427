"""What deeper layers are trained on lies on disk, and is read as a tensor would be."""

import torch
from torch import nn

from demo.data.store import PictureStore
from demo.tasks.fit import evaluate
from demo.tasks.inputs import StoredInputs


def test_stored_inputs_are_those_of_a_tensor() -> None:
    expected = torch.randn(40, 3, 2, 5, generator=torch.Generator().manual_seed(0)).half()
    store = PictureStore()
    stored = StoredInputs([store.add(each.numpy().tobytes()) for each in expected], expected.shape[1:])
    assert (len(stored), stored.ndim) == (len(expected), expected.ndim)
    for which in (slice(0, 4), slice(36, 52), torch.tensor([7]), torch.randperm(40)):
        found = stored[which]
        assert found.dtype is torch.float16
        assert torch.equal(found, expected[which])
    stored[:1].zero_()
    assert torch.equal(stored[:1], expected[:1]), "who reads has numbers of their own"
    learner = nn.Sequential(nn.Flatten(), nn.Linear(30, 2)).half()
    targets = torch.arange(40) % 2
    assert evaluate(learner, stored, targets) == evaluate(learner, expected, targets)
