#!/bin/sh
# Runs inside the new tree, after its packages, whichever way it was made.
set -eu

# Login shells read profile.d; bash otherwise reads only this file.
line='. /etc/profile.d/berth-prompt.sh'
grep -qxF "$line" /etc/bash.bashrc || echo "$line" >> /etc/bash.bashrc

# The authorities of the site that makes the image may lie in /usr/local/share/ca-certificates.
update-ca-certificates >/dev/null

# dpkg leaves these out, but not of the packages that were there before its settings.
rm -rf /usr/share/man/* /usr/share/info/* /usr/share/locale/*
find /usr/share/doc ! -type d ! -name copyright -delete
find /usr/share/doc -type d -empty -delete

mkdir -p /home
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/cache/debconf/*-old /var/lib/dpkg/*-old
rm -rf /var/log/apt /var/log/*.log /var/log/journal /var/cache/ldconfig/aux-cache
rm -f /etc/machine-id
: > /etc/machine-id
