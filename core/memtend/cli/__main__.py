"""`python -m memtend.cli`: the same as `memtend`, where scripts are not on the path."""

from memtend.cli import main

if __name__ == "__main__":
    main()
