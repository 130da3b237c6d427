"""What has been learned: networks pretrained on ImageNet, and the heads that visitors put on them."""

import demo.models.hardware  # noqa: F401  before torch, which all others here import
