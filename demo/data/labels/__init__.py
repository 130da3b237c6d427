"""Labels that are not folders: tables among the files, and what stands in the files' names."""
