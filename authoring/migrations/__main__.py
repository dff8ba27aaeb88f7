"""For developers: `python -m authoring.migrations "what changes"` drafts the next migration from the tables."""

import sys

from authoring.migrations.running import draft_migration

if len(sys.argv) != 2:
    sys.exit('usage: python -m authoring.migrations "what changes"')
sys.stdout.write(f"{draft_migration(sys.argv[1])}\n")
