"""Trials that end in a table and a verdict: swapped grounds, near-copies across the split, heads of more layers."""
