#!/usr/bin/env bash
# Thresholds: k shares of n make the key, whichever they are; k - 1 do not; impossible sets are refused.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/instances.bash"

# k of n at a time on a fresh instance: first k - 1, then the one that is missing; the indexes given, in their order.
reaches() { # NAME N K INDEX...
    local name=$1 n=$2 k=$3
    shift 3
    local chosen=("$@")
    instance_start "$name"
    check "$name: keys" generate_keys "$n" "$k" "$WORK/$name.request"
    genesis "$name" "$WORK/$name.request" "$WORK/$name.response"
    check "$name: $n shares" answers 200 '.encrypted_shares | length' "$n"
    local key
    key=$(jq -c .quorum_public_key "$WORK/$name.response")
    inject "$name" "$WORK/$name.response" "${chosen[@]:0:k-1}"
    check "$name: $((k - 1)) shares are too few" answers 200 ".success == false and .shares_received == $((k - 1)) and .threshold == $k"
    check "$name: waits for more" phase_is "$name" WaitingForQuorumShards
    call "$name" POST /generate-seed '{}'
    check "$name: no seed yet" status_is 503
    inject "$name" "$WORK/$name.response" "${chosen[@]:k-1}"
    check "$name: with ${#chosen[@]} the key is there" answers 200 .reconstructed_quorum_key "$key"
    check "$name: ready" phase_is "$name" ApplicationReady
    seed_from "$name"
    check "$name: a seed" answers 200 '.word_count == 24'
    instance_stop "$name"
}

reaches two-of-three 3 2 0 1
reaches two-of-three-others 3 2 2 0
reaches three-of-five 5 3 4 0 2
reaches five-of-five 5 5 0 1 2 3 4
reaches seven-of-seven 7 7 6 5 4 3 2 1 0
reaches five-of-ten 10 5 9 7 5 3 1
reaches seven-of-ten 10 7 0 2 4 6 8 9 1
reaches more-than-needed 5 3 0 1 2 3 4

check "the generator refuses 5 of 3" eval '! generate_keys 3 5 "$WORK/impossible" && [[ ! -e $WORK/impossible ]]'
check "and 1 of 3" eval '! generate_keys 3 1 "$WORK/impossible" && [[ ! -e $WORK/impossible ]]'
instance_start last
check "keys" generate_keys 3 2 "$WORK/request"
for change in '.share_threshold = 0' '.share_threshold = 4' '.share_threshold = 1' '.manifest_threshold = 0' '.manifest_threshold = 4' '.share_members = []' '.manifest_members = []' '.share_members[1] = .share_members[0]'; do
    call last POST /enclave/genesis-boot "$(jq -c "$change | del(.parameters)" "$WORK/request")"
    check "refused: $change" answers 400 '.code == 400'
done
check "and still waits for boot" phase_is last WaitingForBootInstruction
