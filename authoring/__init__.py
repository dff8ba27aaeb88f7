"""The bank: database, workflow and HTTP API. It composes the other three packages; nothing imports it.

Deliberately empty: the areas (`authoring.items`, `authoring.standards`, …) are imported where they are used, so that
`tiku --help` stays quick.
"""

__all__: list[str] = []
