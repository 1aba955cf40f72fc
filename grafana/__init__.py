"""Grafana as files: a data source, dashboards and alert rules, generated and committed."""
