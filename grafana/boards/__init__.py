"""The dashboards, in the order in which an engineer goes from the site to the device."""

from grafana.board import Board
from grafana.boards import (
    devices,
    electricity,
    overview,
    pipeline,
    seats,
    tenants,
    ups,
)

BOARDS: tuple[Board, ...] = (overview.BOARD, seats.BOARD, electricity.BOARD, ups.BOARD,
                             tenants.BOARD, pipeline.BOARD, devices.BOARD)
