# Sourced by the four test scripts of the guide to TEE instances: instances on this machine, HTTP calls to them, and
# checks that are counted. Every script ends with "N passed, N failed" and the code that says the same.
# QUORATE_BUILD is the build folder; by default that of this tree.
set -uo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
BIN=${QUORATE_BUILD:-$ROOT/build}/bin
PATH=$BIN:$PATH
for tool in jq curl; do
    command -v "$tool" >/dev/null || { echo "$tool is needed and not there"; exit 1; }
done
[[ -x $BIN/qos_core && -x $BIN/qos_host ]] || { echo "no programs in $BIN: ./check --build"; exit 1; }

WORK=$(mktemp -d)
declare -A INSTANCE_PID=() INSTANCE_AT=()
STATUS='' BODY='' # of the last call
passed=0 failed=0

# A script that did not come to its end has failed, whatever it had checked by then.
finish() {
    local code=$? name
    for name in "${!INSTANCE_PID[@]}"; do instance_stop "$name"; done
    rm -rf "$WORK"
    ((code == 0)) || echo "ended early, with code $code"
    echo "$passed passed, $failed failed"
    ((code == 0)) || exit "$code"
    ((failed == 0 && passed > 0)) || exit 1
    exit 0
}
trap finish EXIT
trap 'exit 130' INT TERM

check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what"
        echo "        status ${STATUS:-none}, body ${BODY:0:400}"
    fi
}

free_port() { # a port that nobody listens on
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# All instances of one script share the PKI of the simulated TEE.
instance_start() { # NAME [option of qos_core...]
    local name=$1
    shift
    INSTANCE_AT[$name]=$(free_port)
    INSTANCE_IP=127.0.0.1 INSTANCE_PORT=${INSTANCE_AT[$name]} INSTANCE_DIR=$WORK/$name INSTANCE_SIM_DIR=$WORK/sim \
        INSTANCE_CORE_OPTIONS="$*" "$ROOT/deploy/instance/start-services.sh" >>"$WORK/$name.log" 2>&1 </dev/null &
    INSTANCE_PID[$name]=$!
    # Not -o: a curl that has to ask again wants to cut what it wrote, which /dev/null does not let it.
    local round
    for ((round = 0; round < 120; round++)); do
        curl -sf --retry 1 --retry-connrefused "http://127.0.0.1:${INSTANCE_AT[$name]}/health" >/dev/null && return
        kill -0 "${INSTANCE_PID[$name]}" 2>/dev/null || break
    done
    echo "$name did not start:"
    cat "$WORK/$name.log"
    exit 1
}

instance_stop() { # NAME
    kill "${INSTANCE_PID[$1]}" 2>/dev/null
    wait "${INSTANCE_PID[$1]}" 2>/dev/null
    unset "INSTANCE_PID[$1]"
}

# call NAME METHOD PATH [BODY]: sets STATUS and BODY. A body that begins with @ is a file's.
call() {
    local out=$WORK/.answer
    local words=(-s -X "$2" -o "$out" -w '%{http_code}' "http://127.0.0.1:${INSTANCE_AT[$1]}$3")
    if (($# > 3)); then
        printf '%s' "$4" >"$WORK/.sent"
        [[ $4 == @* ]] && cp "${4#@}" "$WORK/.sent"
        words+=(-H 'Content-Type: application/json' --data-binary @"$WORK/.sent")
    fi
    : >"$out"
    STATUS=$(curl "${words[@]}")
    BODY=$(cat "$out")
}

status_is() { [[ $STATUS == "$1" ]]; }
# body FILTER [VALUE]: what jq makes of the last body is VALUE, or true.
body() { [[ $(jq -c "$1" <<<"$BODY" 2>/dev/null) == "${2:-true}" ]]; }
# answers STATUS FILTER [VALUE]
answers() { status_is "$1" && body "${@:2}"; }
phase_is() { # NAME PHASE, said by all who say it
    local name=$1 phase=$2
    call "$name" GET /enclave/application-status
    answers 200 .phase "\"$phase\"" || return 1
    call "$name" GET /health
    answers 200 .phase "\"$phase\"" || return 1
    call "$name" GET /info
    answers 200 .phase "\"$phase\""
}

generate_keys() { # MEMBERS THRESHOLD FILE
    genesis_key_generator --member-count "$1" --threshold "$2" --output "$3" >"$WORK/generator.log" 2>&1
}

genesis() { # NAME REQUEST RESPONSE
    call "$1" POST /enclave/genesis-boot "@$2"
    printf '%s' "$BODY" >"$3"
}

# injection RESPONSE INDEX...: the request that hands these members' shares in as the guide does.
injection() {
    local response=$1
    shift
    jq -c --argjson wanted "[$(IFS=,; echo "$*")]" '. as $r | {
        namespace_name: .manifest_envelope.manifest.namespace.name,
        namespace_nonce: .manifest_envelope.manifest.namespace.nonce,
        shares: [$wanted[] | {member_alias: $r.encrypted_shares[.].share_set_member.alias,
                              decrypted_share: $r.encrypted_shares[.].encrypted_quorum_key_share}]}' "$response"
}

inject() { # NAME RESPONSE INDEX...
    local name=$1
    shift
    call "$name" POST /enclave/inject-shares "$(injection "$@")"
}

# An instance with its key: genesis of MEMBERS and THRESHOLD, then THRESHOLD shares.
instance_complete() { # NAME MEMBERS THRESHOLD
    local name=$1 members=$2 threshold=$3
    check "$name: keys for $threshold of $members" generate_keys "$members" "$threshold" "$WORK/$name.request"
    genesis "$name" "$WORK/$name.request" "$WORK/$name.response"
    check "$name: genesis" answers 200 '.encrypted_shares | length' "$members"
    # shellcheck disable=SC2046 # one word a number
    inject "$name" "$WORK/$name.response" $(seq 0 $((threshold - 1)))
    check "$name: $threshold shares make the key" answers 200 .success
    check "$name: ready" phase_is "$name" ApplicationReady
}

seed_from() { # NAME: leaves the answer in BODY
    call "$1" POST /generate-seed '{"strength":256}'
}

# key_moves FROM TO ENVELOPE: the guide's four steps, each checked. ENVELOPE is the file of a genesis response.
key_moves() {
    local from=$1 to=$2 envelope document key
    envelope=$(jq -c .manifest_envelope "$3")
    call "$to" POST /enclave/share-manifest "{\"manifest_envelope\":$envelope}"
    check "$to takes the manifest" answers 200 .result.ShareManifestResponse.success
    check "$to waits for a key" phase_is "$to" WaitingForForwardedKey
    call "$to" POST /enclave/generate-attestation \
        '{"manifest_hash":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"pcr_values":[[],[],[],[]]}'
    check "$to attests" answers 200 '.result.GenerateAttestationResponse.attestation_doc | type == "array" and length > 1000'
    document=$(jq -c .result.GenerateAttestationResponse.attestation_doc <<<"$BODY")
    call "$from" POST /enclave/export-key "{\"manifest_envelope\":$envelope,\"attestation_doc\":$document}"
    check "$from exports" answers 200 '.result.ExportKeyResponse | (.encrypted_quorum_key | length) == 129 and (.signature | length) == 64'
    key=$(jq -c '.result.ExportKeyResponse | {encrypted_quorum_key, signature}' <<<"$BODY")
    printf '%s' "$document" >"$WORK/document"
    printf '%s' "$key" >"$WORK/key"
    call "$to" POST /enclave/inject-key "$key"
    check "$to takes the key" answers 200 .result.InjectKeyResponse.success
    check "$to is ready" phase_is "$to" ApplicationReady
    check "$from is still ready" phase_is "$from" ApplicationReady
}

# same_seed A B: a seed made by A is valid on B and gives the same address there.
same_seed() {
    local seed address
    seed_from "$1"
    check "$1 makes a seed" answers 200 '.word_count == 24 and .strength == 256'
    seed=$(jq -r .seed_phrase <<<"$BODY")
    call "$2" POST /validate-seed "{\"seed_phrase\":\"$seed\"}"
    check "$2 reads a seed of $1" answers 200 '.valid and .word_count == 24'
    local request="{\"encrypted_seed_phrase\":\"$seed\",\"path\":\"m/44'/60'/0'/0/0\",\"curve\":\"CURVE_SECP256K1\"}"
    call "$1" POST /derive-address "$request"
    check "$1 derives an address" answers 200 '.address | test("^0x[0-9a-fA-F]{40}$")'
    address=$(jq -c .address <<<"$BODY")
    call "$2" POST /derive-address "$request"
    check "$2 derives the same one" answers 200 .address "$address"
}
