"""LeNet-5, a network small enough to be trained from scratch."""

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import functional as transforms

from demo.models.untrained import sample_weights

SIDE_PX = 32


class LeNet5(nn.Module):
    """Two convolutions, each followed by pooling, and three linear layers, as in 1998.

    It differs from the original as is usual today: it has ReLU and max pooling instead of scaled tanh and trained
    averages, every map of the second convolution sees every map of the first, and the input has three colours.

    Source:
        LeCun et al. 1998, https://doi.org/10.1109/5.726791, figure 2
    """

    def __init__(self, num_classes: int, *, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):  # torch's own random weights would advance the global generator
            self.features = nn.Sequential(
                nn.Conv2d(3, 6, 5),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(6, 16, 5),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            self.classifier = nn.Sequential(
                nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, num_classes)
            )
        self.to_empty(device="cpu")
        sample_weights(self, generator)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits (N, K) of pictures (N, 3, 32, 32)."""
        logits: Tensor = self.classifier(self.features(pictures).flatten(1))
        return logits


def lenet_input(picture: Image.Image) -> Tensor:
    """Return LeNet-5's input for one RGB picture: float32 (3, 32, 32) from -1 to 1; it is squeezed, not cropped."""
    squeezed = picture.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
    pixels: Tensor = transforms.to_tensor(squeezed)
    return pixels * 2 - 1
