"""Tasks with a network and a picture or a dataset: predict, fine-tune, look inside."""
