"""Documents beside the page, which are the same for everybody: to print, to send to a class, to answer."""
