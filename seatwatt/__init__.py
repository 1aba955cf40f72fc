"""Seatwatt: tenant electricity of shared offices, proved line by line."""

__version__ = "0.1.0"
