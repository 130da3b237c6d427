"""What stands round gradio: doors, files, the queue, and its private names."""
