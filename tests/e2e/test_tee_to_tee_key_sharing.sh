#!/usr/bin/env bash
# TEE1 -> TEE2: the key moves by attestation, works in both, and does not move to anybody who cannot prove what runs.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/instances.bash"

instance_start tee1
instance_start tee2
instance_complete tee1 3 2
check "tee2 is fresh" phase_is tee2 WaitingForBootInstruction
envelope=$(jq -c .manifest_envelope "$WORK/tee1.response")

call tee2 POST /enclave/share-manifest '{}'
check "no manifest" answers 400 '.result.Error.message | test("Failed to parse manifest envelope")'
call tee2 POST /enclave/share-manifest "$(jq -c '.manifest.namespace.nonce += 1 | {manifest_envelope: .}' <<<"$envelope")"
check "a changed manifest" status_is 400
call tee2 POST /enclave/inject-key '{"encrypted_quorum_key":[1],"signature":[1]}'
check "no key before a manifest" answers 409 '.result.Error.code == 409'
call tee2 GET /enclave/share-manifest
check "no manifest shared yet" answers 200 '.manifest_shared == false'
check "tee2 is as before" phase_is tee2 WaitingForBootInstruction

key_moves tee1 tee2 "$WORK/tee1.response"
document=$(cat "$WORK/document")
call tee2 GET /enclave/share-manifest
check "the manifest is shared" answers 200 '.manifest_shared == true and (.manifest_hash | length) == 64'
same_seed tee1 tee2
same_seed tee2 tee1

call tee2 POST /enclave/inject-key "$(cat "$WORK/key")"
check "the same injection again is answered as before" answers 200 .result.InjectKeyResponse.success
call tee2 POST /enclave/inject-key "$(jq -c '.signature[0] = 255 - .signature[0]' "$WORK/key")"
check "another one is refused" answers 409 '.result.Error.code == 409'

export_to() { # DOCUMENT [ENVELOPE]
    call tee1 POST /enclave/export-key "{\"manifest_envelope\":${2:-$envelope},\"attestation_doc\":$1}"
}
export_to "$(jq -c '.[500] = 255 - .[500]' <<<"$document")"
check "a changed document" status_is 400
export_to "$(jq -c '.[:-1]' <<<"$document")"
check "a document cut short" status_is 400
export_to '[]'
check "no document" status_is 400
export_to '[1,2,256]'
check "a byte that is none" answers 422 '.result.Error.code == 422'
export_to "$document" "$(jq -c '.manifest.namespace.nonce += 1' <<<"$envelope")"
check "another manifest" status_is 400

instance_start tee4
call tee4 POST /enclave/share-manifest "{\"manifest_envelope\":$envelope}"
check "tee4 takes the manifest" status_is 200
inject_into_tee4() {
    call tee4 POST /enclave/inject-key "$1"
    status_is 400 && phase_is tee4 WaitingForForwardedKey
}
check "tee2's key does not open in tee4" inject_into_tee4 "$(cat "$WORK/key")"
check "zeros are no signature" inject_into_tee4 "$(jq -c '.signature |= map(0)' "$WORK/key")"
check "a tampered envelope" inject_into_tee4 "$(jq -c '.encrypted_quorum_key[100] = 255 - .encrypted_quorum_key[100]' "$WORK/key")"
check "all are where they were" eval 'phase_is tee1 ApplicationReady && phase_is tee2 ApplicationReady'
