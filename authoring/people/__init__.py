"""Who works with the bank: persons, their roles, and the tokens they reach the API with."""
