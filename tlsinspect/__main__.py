"""python -m tlsinspect."""

from __future__ import annotations

from tlsinspect.cli.app import main

main()
