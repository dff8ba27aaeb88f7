"""Papers: approved objects made from assembled forms."""
