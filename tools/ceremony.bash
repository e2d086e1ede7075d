# Sourced by ./demo and bench/ceremony: one 2-of-3 ceremony on a simulated enclave, a function for each step.
# The caller sets BIN (programs), CEREMONY (what members and operator keep), RUN (sockets, logs and the
# application's files, which a process under another uid must be able to reach) and PORT, and may replace
# client().

ROLE=arn:aws:iam::123456789012:role/quorate-demo
STATE=$RUN/state
CORE_PID='' HOST_PID=''

client() {
    "$BIN/qos_client" "$@"
}

ceremony_prepare() {
    local part
    for part in genesis-dir member1-dir member2-dir member3-dir manifest-dir attestation-dir \
        shares-dir qos-release-dir manifest-dir/set; do
        mkdir -p "$CEREMONY/$part"
    done
    cd "$CEREMONY"
    echo "$ROLE" >genesis-dir/pcr3-preimage.txt
    "$BIN/qos_core" --tee sim --sim-dir sim --role "$ROLE" --print-pcrs |
        sed -n 1,3p >qos-release-dir/aws-x86_64.pcrs
    export QUORATE_ATTESTATION_ROOT=$CEREMONY/sim/root.der
}

# wait_for PID NAME COMMAND...: until COMMAND succeeds; gives up when the process ends or after 30 s.
wait_for() {
    local pid=$1 name=$2 end=$((SECONDS + 30))
    shift 2
    until "$@" 2>/dev/null; do
        if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > end)); then
            echo "$name did not start:" >&2
            cat "$RUN/$name.log" >&2
            return 1
        fi
        read -rt 0.001 <> <(:) || true
    done
}

listens() { : >"/dev/tcp/127.0.0.1/$1"; }

machine_start() {
    rm -f "$RUN/enclave.sock"
    "$BIN/qos_core" --tee sim --sim-dir "$CEREMONY/sim" --role "$ROLE" --usock "$RUN/enclave.sock" \
        --quorum-file "$STATE/qos.quorum.key" --pivot-file "$STATE/qos.pivot.bin" \
        --ephemeral-file "$STATE/qos.ephemeral.key" --manifest-file "$STATE/qos.manifest" \
        </dev/null >>"$RUN/qos_core.log" 2>&1 &
    CORE_PID=$!
    "$BIN/qos_host" --host-ip 127.0.0.1 --host-port "$PORT" --usock "$RUN/enclave.sock" \
        </dev/null >>"$RUN/qos_host.log" 2>&1 &
    HOST_PID=$!
    wait_for "$CORE_PID" qos_core test -S "$RUN/enclave.sock"
    wait_for "$HOST_PID" qos_host listens "$PORT"
}

machine_stop() {
    local pid
    for pid in $HOST_PID $CORE_PID; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    CORE_PID='' HOST_PID=''
}

generate_key() { # NAME FOLDER
    client generate-file-key --master-seed-path "$2/$1.secret" --pub-path "$2/$1.pub"
}

collect_member_keys() {
    cp member{1,2,3}-dir/*.pub genesis-dir/
    echo 2 >genesis-dir/quorum_threshold
    cp genesis-dir/member{1,2,3}.pub genesis-dir/quorum_threshold manifest-dir/set/
}

boot_genesis() { # [more options]
    client boot-genesis --share-set-dir genesis-dir --namespace-dir genesis-dir \
        --host-ip 127.0.0.1 --host-port "$PORT" --qos-release-dir qos-release-dir \
        --pcr3-preimage-path genesis-dir/pcr3-preimage.txt "$@"
}

after_genesis() { # MEMBER
    client after-genesis --secret-path "$1-dir/$1.secret" --share-path "$1-dir/$1.share" \
        --alias "$1" --namespace-dir genesis-dir --qos-release-dir qos-release-dir \
        --pcr3-preimage-path genesis-dir/pcr3-preimage.txt
}

sets=(--manifest-set-dir manifest-dir/set --share-set-dir manifest-dir/set
    --patch-set-dir manifest-dir/set --quorum-key-path genesis-dir/quorum_key.pub)

generate_manifest() { # NONCE PIVOT PIVOT_ARGS
    sha256sum "$2" | awk '{print $1}' >"manifest-dir/pivot-hash-$1.txt"
    client generate-manifest --nonce "$1" --namespace production-v1 --restart-policy never \
        --pivot-hash-path "manifest-dir/pivot-hash-$1.txt" --pivot-args "$3" \
        --manifest-path "manifest-dir/manifest-$1" --qos-release-dir qos-release-dir \
        --pcr3-preimage-path genesis-dir/pcr3-preimage.txt "${sets[@]}"
}

approve_manifest() { # MEMBER NONCE; answers come on stdin
    client approve-manifest --secret-path "$1-dir/$1.secret" --manifest-path "manifest-dir/manifest-$2" \
        --manifest-approvals-dir manifest-dir --pivot-hash-path "manifest-dir/pivot-hash-$2.txt" \
        --qos-release-dir qos-release-dir --pcr3-preimage-path genesis-dir/pcr3-preimage.txt \
        --alias "$1" "${sets[@]}"
}

generate_envelope() { # NONCE
    client generate-manifest-envelope --manifest-approvals-dir manifest-dir \
        --manifest-path "manifest-dir/manifest-$1"
}

boot_standard() { # PIVOT
    client boot-standard --manifest-envelope-path manifest-dir/manifest_envelope --pivot-path "$1" \
        --host-ip 127.0.0.1 --host-port "$PORT" --pcr3-preimage-path genesis-dir/pcr3-preimage.txt
}

get_attestation() {
    client get-attestation-doc --host-ip 127.0.0.1 --host-port "$PORT" \
        --attestation-doc-path attestation-dir/attestation_doc \
        --manifest-envelope-path attestation-dir/manifest_envelope
}

re_encrypt_share() { # MEMBER; answers come on stdin
    client proxy-re-encrypt-share --share-path "$1-dir/$1.share" --secret-path "$1-dir/$1.secret" \
        --attestation-doc-path attestation-dir/attestation_doc \
        --eph-wrapped-share-path "shares-dir/$1.eph_wrapped.share" \
        --approval-path "shares-dir/$1.attestation.approval" \
        --manifest-envelope-path attestation-dir/manifest_envelope \
        --pcr3-preimage-path genesis-dir/pcr3-preimage.txt --manifest-set-dir manifest-dir/set \
        --alias "$1"
}

post_share() { # MEMBER
    client post-share --host-ip 127.0.0.1 --host-port "$PORT" \
        --eph-wrapped-share-path "shares-dir/$1.eph_wrapped.share" \
        --approval-path "shares-dir/$1.attestation.approval"
}

YES=$'y\ny\ny\ny\ny\ny\ny\ny\ny\ny\n'

free_port() { # FIRST: prints a port that nobody listens on
    local port
    for ((port = $1; port < $1 + 2000; port++)); do
        if ! (listens "$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    echo "no free port from $1 on" >&2
    return 1
}
