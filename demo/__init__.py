"""Vision pretrained models: predict with them, put a head of your own on them, look inside them.

What a visitor brings (`data`) meets what has been learned (`models`); a task does one thing with the two
(`tasks`); the page shows it (`ui`). Imports point one way:
`settings, errors <- data <- models <- tasks <- ui`; `figures` knows values only.
"""
