"""Review of items by three different people: author, reviewer, approver."""
