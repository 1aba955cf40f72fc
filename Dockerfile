# syntax=docker/dockerfile:1
# Two stages: the first installs what the lock file names, with hashes; the second carries it alone.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
COPY requirements-uv.txt requirements.txt ./
RUN python -m venv /opt/uv \
 && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
 && python -m venv --without-pip /opt/seatwatt \
 && /opt/uv/bin/uv pip install --no-cache --require-hashes --python /opt/seatwatt/bin/python -r requirements.txt

FROM python:3.11.14-slim-bookworm
ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/seatwatt/bin:$PATH
COPY --from=build /opt/seatwatt /opt/seatwatt
WORKDIR /app
COPY examples examples
COPY seatwatt seatwatt
USER 10001:10001
ENTRYPOINT ["python", "-m", "seatwatt"]
CMD ["--help"]
