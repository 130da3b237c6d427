"""The application without a page: what a visitor brings, trains and keeps, for as long as a session lasts."""
