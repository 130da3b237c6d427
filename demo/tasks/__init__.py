"""What is done with a picture or a dataset and a network: predict, fine-tune, look inside."""
