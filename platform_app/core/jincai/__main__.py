"""`python -m jincai` is the same program as `jincai`."""

from jincai.cli import main

if __name__ == "__main__":
    main()
