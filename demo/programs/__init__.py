"""What a notebook and the command line call: files in, values out that show themselves."""
