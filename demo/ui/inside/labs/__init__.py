"""Panels of tab 3 that need no network: what a neuron, a deep network and a block are made of."""
