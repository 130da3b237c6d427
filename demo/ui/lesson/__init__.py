"""The guided lesson beside the tabs."""
