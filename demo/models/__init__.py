"""What has been learned: networks pretrained on ImageNet, and the heads that visitors put on them."""
