# syntax=docker/dockerfile:1
# The first stage installs what the lock file names, with hashes; the others carry it alone.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
COPY requirements-uv.txt requirements.txt ./
RUN python -m venv /opt/uv \
 && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
 && python -m venv --without-pip /opt/seatwatt \
 && /opt/uv/bin/uv pip install --no-cache --require-hashes --python /opt/seatwatt/bin/python -r requirements.txt

FROM python:3.11.14-slim-bookworm AS service
ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/seatwatt/bin:$PATH
COPY --from=build /opt/seatwatt /opt/seatwatt
WORKDIR /app
COPY examples examples
COPY seatwatt seatwatt
USER 10001:10001
ENTRYPOINT ["python", "-m", "seatwatt"]
CMD ["--help"]

# With the servers behind which `seatwatt simulate --devices` puts its UPSs; for demonstrations.
FROM service AS devices
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends nut-server snmpd \
 && rm -rf /var/lib/apt/lists/*
USER 10001:10001

# What is built when no target is named.
FROM service
