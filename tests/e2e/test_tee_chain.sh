#!/usr/bin/env bash
# TEE1 -> TEE2 -> TEE3, each step with the manifest of TEE1, and each instance on its own afterwards.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/instances.bash"

for name in tee1 tee2 tee3; do instance_start "$name"; done
instance_complete tee1 3 2
key_moves tee1 tee2 "$WORK/tee1.response"
key_moves tee2 tee3 "$WORK/tee1.response"
for pair in tee1:tee2 tee1:tee3 tee3:tee1; do same_seed "${pair%:*}" "${pair#*:}"; done
for name in tee1 tee2 tee3; do
    call "$name" POST /generate-seed "{\"seed_type\":\"$name-seed\",\"seed_data\":\"$name-test-data\"}"
    check "$name makes a seed" answers 200 '.word_count == 24'
done
instance_stop tee1
check "tee2 goes on without tee1" phase_is tee2 ApplicationReady
same_seed tee2 tee3
instance_start tee5
key_moves tee3 tee5 "$WORK/tee1.response"
instance_stop tee2
same_seed tee3 tee5
