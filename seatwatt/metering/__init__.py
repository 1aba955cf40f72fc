"""Register readings -> trusted energy per interval, by rules R01 to R08 (DESIGN section 4)."""

from seatwatt.metering.curve import Curve, register_curve
from seatwatt.metering.energy import MeterEnergy, Quality, RegisterAt
from seatwatt.metering.meter import curve_energy, meter_energy
from seatwatt.metering.registers import MeterRules, RegisterColumn
from seatwatt.metering.shape import Shape
from seatwatt.metering.site import Registers, register_name, site_energy

__all__ = ["Curve", "MeterEnergy", "MeterRules", "Quality", "RegisterAt", "RegisterColumn",
           "Registers", "Shape", "curve_energy", "meter_energy", "register_curve",
           "register_name", "site_energy"]
