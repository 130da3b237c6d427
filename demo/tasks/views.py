"""What a training is shown of a picture: as it is, mirrored, or cropped."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageOps

from demo.data.dataset import Sample
from demo.models.recipe import Recipe

_MIN_CROP_AREA = 0.5  # share of the picture's area
_MAX_CROP_ASPECT = 4 / 3  # a crop's ratio of sides, divided by the picture's own


@dataclass(frozen=True)
class View:
    """One view of a training picture: as it is, mirrored, or one of its random crops (numbered from 1)."""

    flip: bool = False
    crop: int = 0

    def show(self, picture: Image.Image, digest: str) -> Image.Image:
        """Return what this view shows of a picture; a picture of the same digest is always cropped alike."""
        shown = picture.crop(_choose_crop(picture.size, self.crop, digest)) if self.crop else picture
        return ImageOps.mirror(shown) if self.flip else shown


PLAIN = View()


def choose_views(recipe: Recipe) -> tuple[View, ...]:
    """Return the views of a training picture beside the plain one; every second crop is mirrored as well.

    Ridge regression has none: it chooses its penalty by leave-one-out, and a second view of the row that is left
    out would give the row away.
    """
    if recipe.is_closed_form:
        return ()
    flips = (View(flip=True),) if recipe.flips else ()
    return (
        *flips,
        *(View(flip=recipe.flips and number % 2 == 0, crop=number) for number in range(1, recipe.crops + 1)),
    )


@dataclass(frozen=True)
class SampleView:
    """One view of one sample."""

    sample: Sample
    view: View = field(default=PLAIN)

    @property
    def key(self) -> tuple[View, str]:
        """The key in a FeatureCache: the same picture in two places is computed once."""
        return self.view, self.sample.digest


def _choose_crop(size: tuple[int, int], number: int, digest: str) -> tuple[float, float, float, float]:
    """Return a random box (left, top, right, bottom) of at least half of a picture's area."""
    generator = np.random.default_rng([number, int(digest[:8], 16)])
    width, height = size
    aspect = np.exp(generator.uniform(-1, 1) * np.log(_MAX_CROP_ASPECT))  # relative to the picture's own
    area = generator.uniform(_MIN_CROP_AREA, 1)
    wide, high = min(1.0, (area * aspect) ** 0.5) * width, min(1.0, (area / aspect) ** 0.5) * height
    left, top = generator.uniform(0, width - wide), generator.uniform(0, height - high)
    return tuple(round(each) for each in (left, top, left + max(wide, 1), top + max(high, 1)))
