"""Simulated devices as real servers: a world's truth behind Modbus, NUT, SNMP and MQTT."""
