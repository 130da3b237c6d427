"""The door of the page: who may come in, by which address, and what is told to those who keep it."""
