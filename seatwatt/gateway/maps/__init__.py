"""Register maps of meter models, one YAML file a model; `seatwatt.gateway.registers_file` reads."""
