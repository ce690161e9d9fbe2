#!/bin/sh
# Makes the cluster at the first start, with the superuser berth and the password in the file POSTGRES_PASSWORD_FILE;
# then is PostgreSQL. A first start that was cut short begins anew.
set -eu
if [ ! -e "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.unfinished"
  initdb --pgdata "$PGDATA.unfinished" --username berth --pwfile "$POSTGRES_PASSWORD_FILE" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8
  echo 'host all all all scram-sha-256' >> "$PGDATA.unfinished/pg_hba.conf"
  mv "$PGDATA.unfinished" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
