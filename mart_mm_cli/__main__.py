"""``python -m mart_mm_cli`` is ``mart-mm``."""

import sys

from mart_mm_cli.main import main

if __name__ == '__main__':
    sys.exit(main())
