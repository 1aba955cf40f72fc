#!/bin/sh
# Installs the servers that the tests start themselves. Where it may not, the tests that need one
# are skipped and say so.
set -u
missing=""
need() { [ -x "$1" ] || missing="$missing $2"; }
need /usr/sbin/mosquitto mosquitto
need /usr/bin/influxd influxdb
[ -n "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || missing="$missing postgresql"
need /usr/sbin/upsd nut-server
need /usr/sbin/snmpd snmpd
need /usr/bin/certutil libnss3-tools
need /usr/bin/chromium chromium
[ -n "$missing" ] || exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if ! command -v apt-get >/dev/null || ! $sudo true 2>/dev/null; then
	echo "cannot install$missing here; their tests will be skipped" >&2
	exit 0
fi
echo "installing$missing ..."
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
