"""`python -m seatwatt` is the same as `seatwatt`."""

from seatwatt.cli import main

if __name__ == "__main__":
    main()
