#!/usr/bin/env bash
# One TEE instance from its start to seeds: health, keys, genesis, shares, seeds, and what must be refused on the way.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/instances.bash"

instance_start tee1
call tee1 GET /health
check "health" answers 200 '.status == "healthy"'
check "waits for boot" phase_is tee1 WaitingForBootInstruction
call tee1 POST /generate-seed '{"strength":256}'
check "no seed without a key" answers 503 '.error | test("Quorum key not provisioned")'
call tee1 POST /enclave/inject-shares '{"namespace_name":"qos-namespace","namespace_nonce":12345,"shares":[{"member_alias":"member1","decrypted_share":[1]}]}'
check "no shares without a genesis" answers 409 '.code == 409'

check "keys" generate_keys 3 2 "$WORK/request"
BODY=$(cat "$WORK/request")
check "three keys of one point" body '[.share_members, .manifest_members | length] == [3, 3] and all(.share_members[].pub_key; length == 65 and .[0] == 4)'
for number in 1 2 3; do
    secret=$(find "$WORK" -name "request*member$number*secret*")
    check "a secret for member$number, for nobody else to read" test "$(stat -c %a "$secret" 2>/dev/null)" = 600
done

genesis tee1 "$WORK/request" "$WORK/response"
check "genesis" answers 200 '(.quorum_public_key | length) == 65 and (.encrypted_shares | length) == 3 and .waiting_state == "GenesisBooted"'
check "shares are sealed" body 'all(.encrypted_shares[]; (.encrypted_quorum_key_share | length) == 130 and (.share_hash | length) == 64)'
check "phase after genesis" phase_is tee1 GenesisBooted
key=$(jq -c .quorum_public_key "$WORK/response")
genesis tee1 "$WORK/request" "$WORK/again"
check "the same genesis again is answered as before" answers 200 .quorum_public_key "$key"
check "and not made again" cmp -s "$WORK/response" "$WORK/again"
jq '.namespace_nonce += 1' "$WORK/request" >"$WORK/other"
genesis tee1 "$WORK/other" "$WORK/ignored"
check "another genesis is refused" status_is 409

inject tee1 "$WORK/response" 0 1
check "two shares make the key" answers 200 '.success'
check "which is that of the genesis" body .reconstructed_quorum_key "$key"
check "ready" phase_is tee1 ApplicationReady
call tee1 GET /enclave/application-status
check "has its key" body .has_quorum_key
inject tee1 "$WORK/response" 0 1
check "the same shares again are answered as before" answers 200 .reconstructed_quorum_key "$key"
check "still ready" phase_is tee1 ApplicationReady

for pair in 128:12 160:15 192:18 224:21 256:24; do
    call tee1 POST /generate-seed "{\"strength\":${pair%:*}}"
    check "a seed of ${pair%:*} bits" answers 200 "[.strength, .word_count] == [${pair%:*}, ${pair#*:}]"
done
seed=$(jq -r .seed_phrase <<<"$BODY")
call tee1 POST /validate-seed "{\"seed_phrase\":\"$seed\"}"
check "it is valid" answers 200 '.valid and .word_count == 24'
call tee1 POST /generate-seed '{"seed_type":"test-seed","seed_data":"test-data"}'
check "the guide's request" answers 200 '.strength == 256'
call tee1 POST /generate-seed '{"strength":100}'
check "no other strength" answers 400 '.error | test("Invalid strength. Must be 128, 160, 192, 224, or 256 bits")'
call tee1 POST /validate-seed '{"seed_phrase":" "}'
check "no empty phrase" answers 400 '.error | test("Seed phrase cannot be empty")'
call tee1 POST /validate-seed '{"seed_phrase":"invalid seed phrase"}'
check "an invalid phrase" answers 200 '.valid == false and .word_count == 3'

call tee1 GET /info
check "info" answers 200 '.service == "QEMU Host API Gateway" and .healthy'
call tee1 GET /network/status
check "network status" answers 200 '.tap_interface == "tap0" and (.connectivity.loopback | type == "boolean")'
call tee1 GET /enclave/info
check "enclave info" answers 200 .healthy
call tee1 POST /network/test '{}'
check "network test" answers 200 .success
call tee1 POST /enclave/reset '{}'
check "nobody resets it without the admin's key" answers 403 '.code == 403'
check "still ready after all of it" phase_is tee1 ApplicationReady
