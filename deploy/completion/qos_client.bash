# Completion for qos_client and quorate in bash. The program itself says what there is: commands by
# "help", options by "help COMMAND".

# A command is one word, or two: "share check".
_qos_client_commands() {
    "$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9-]*\( [a-z][a-z0-9-]*\)\{0,1\}\)  .*/\1/p'
}

_qos_client_options() {
    "$@" 2>/dev/null | sed -n 's/^\t\(--[a-z0-9-]*\).*/\1/p'
}

_qos_client() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local at=1 commands seconds
    COMPREPLY=()
    [[ ${COMP_WORDS[1]} == help ]] && at=2
    commands=$(_qos_client_commands "$program")
    if ((COMP_CWORD == at || COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "help $(cut -d ' ' -f 1 <<<"$commands" | uniq)" -- "$word")
        return
    fi
    seconds=$(awk -v first="${COMP_WORDS[at]}" '$1 == first && NF == 2 { print $2 }' <<<"$commands")
    if [[ -n $seconds ]] && ((COMP_CWORD == at + 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$seconds" -- "$word")
        return
    fi
    case $before in
    --restart-policy) mapfile -t COMPREPLY < <(compgen -W "never always" -- "$word") ;;
    --debug-mode) mapfile -t COMPREPLY < <(compgen -W "true false" -- "$word") ;;
    --at) mapfile -t COMPREPLY < <(compgen -W "document" -- "$word") ;;
    --key-format) mapfile -t COMPREPLY < <(compgen -W "qos-130 sec1-65" -- "$word") ;;
    --method) mapfile -t COMPREPLY < <(compgen -W "GET POST" -- "$word") ;;
    --use-manifest-version) mapfile -t COMPREPLY < <(compgen -W "1 2" -- "$word") ;;
    --display-type)
        mapfile -t COMPREPLY < <(compgen -W "manifest manifest-envelope genesis-output" -- "$word")
        ;;
    --*-dir | --all)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        ;;
    --*-path | --share | --*-module | --unsafe-eph-path-override | --secret | --response | --request | --out | \
        --body | --admin-key | --client-key | --reply-key)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    *)
        mapfile -t COMPREPLY < <(
            compgen -W "$(_qos_client_options "$program" help "${COMP_WORDS[@]:1:${seconds:+1}+1}")" \
                -- "$word"
        )
        ;;
    esac
}

complete -F _qos_client qos_client quorate
