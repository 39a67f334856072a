#!/bin/sh
# Runs once, when the data folder is empty: two roles that own one database each, and no more.
set -eu

one() {
    psql --username postgres --set ON_ERROR_STOP=1 --set role="$1" --set password="$2" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
SQL
}

one memory "$MEMORY_PASSWORD"
one prefect "$PREFECT_PASSWORD"
