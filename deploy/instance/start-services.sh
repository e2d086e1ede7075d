#!/usr/bin/env bash
# One TEE instance: the enclave's program with a SIMULATED TEE, and HTTP in front of it. What the container image of
# an instance runs; by hand it needs nothing but the two programs. Settings are in the environment:
#   INSTANCE_IP, INSTANCE_PORT   where HTTP listens (0.0.0.0 and 8080: in a container its port is published or it is not)
#   INSTANCE_DIR                 what belongs to this instance: socket, published files (/run/quorate)
#   INSTANCE_SIM_DIR             PKI of the simulated TEE: instances that share it can share a key (/var/lib/quorate/sim)
#   INSTANCE_CORE_OPTIONS, INSTANCE_HOST_OPTIONS   more options of qos_core and qos_host
# Ends with 0 on SIGTERM or SIGINT, else when one of the two ends, with its code.
set -euo pipefail
ip=${INSTANCE_IP:-0.0.0.0} port=${INSTANCE_PORT:-8080}
dir=${INSTANCE_DIR:-/run/quorate} sim=${INSTANCE_SIM_DIR:-/var/lib/quorate/sim}
# Words, on one line or several; read ends with 1 at the end of the text.
read -rd '' -a core_options <<<"${INSTANCE_CORE_OPTIONS:-}" || true
read -rd '' -a host_options <<<"${INSTANCE_HOST_OPTIONS:-}" || true

# Whatever is started by then ends; a second signal changes nothing.
stop() {
    trap '' TERM INT
    # shellcheck disable=SC2046 # one word a program
    kill $(jobs -p) 2>/dev/null || true
    wait
    exit 0
}
trap stop TERM INT

mkdir -p "$dir"
[[ -O $dir && ! -L $dir ]] || {
    echo "INSTANCE_DIR: expected a folder of its own, found somebody else's or a link: $dir" >&2
    exit 1
}
chmod 0700 "$dir"
qos_core --tee sim --sim-dir "$sim" --usock "$dir/enclave.sock" --quorum-file "$dir/qos.quorum.key" \
    --pivot-file "$dir/qos.pivot.bin" --ephemeral-file "$dir/qos.ephemeral.key" \
    --manifest-file "$dir/qos.manifest" "${core_options[@]}" &
core=$!
qos_host --host-ip "$ip" --host-port "$port" --usock "$dir/enclave.sock" "${host_options[@]}" &
host=$!

code=0
wait -n "$core" "$host" || code=$?
kill "$host" "$core" 2>/dev/null || true
wait
exit "$code"
