#!/bin/sh
# Creates the namespace and registers Sostenuto's search attributes, where they are missing. Safe to run at every start.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}"

attempts=0
until temporal operator cluster health >/dev/null 2>&1; do
    attempts=$((attempts + 1))
    if [ "$attempts" -ge 60 ]; then
        echo "no Temporal server answers at $TEMPORAL_ADDRESS" >&2
        exit 1
    fi
    sleep 1
done

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "${RETENTION:-168h}"

# A new namespace is known to all of the server only after a while.
attempts=0
until known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" 2>/dev/null); do
    attempts=$((attempts + 1))
    if [ "$attempts" -ge 60 ]; then
        echo "the namespace $TEMPORAL_NAMESPACE did not become ready" >&2
        exit 1
    fi
    sleep 1
done

while read -r name type; do
    echo "$known" | grep -qw "$name" ||
        temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "$type"
done <<ATTRIBUTES
SostenutoRunnable Keyword
SostenutoStatus Keyword
SostenutoTenant Keyword
SostenutoAwaiting Keyword
SostenutoCostUsd Double
SostenutoTokens Int
ATTRIBUTES
