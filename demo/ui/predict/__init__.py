"""Tab 1: what networks pretrained on ImageNet see."""
