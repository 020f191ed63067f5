"""The program itself where Ray isn't installed: `python -m tests.helpers.rayless_program serve --workers 2`."""

from __future__ import annotations

import sys

from app.__main__ import main

if __name__ == "__main__":
    vars(sys)["modules"]["ray"] = None  # which is how Python notes that there is none
    sys.exit(main(sys.argv[1:]))
