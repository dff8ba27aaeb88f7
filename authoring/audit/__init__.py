"""What was done, by whom and when: events committed with the change, linked into a hash chain."""
