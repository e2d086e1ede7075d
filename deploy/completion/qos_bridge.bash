# Completion for qos_bridge in bash: the program itself says which options there are.
_qos_bridge() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $before in
    --vsock-to-host) mapfile -t COMPREPLY < <(compgen -W "true false" -- "$word") ;;
    --usock | --egress-bin-path)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    --control-url | --cid | --host-port-override | --poll-interval | --egress-port) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W \
            "$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^\t\(--[a-z-]*\).*/\1/p')" -- "$word")
        ;;
    esac
}
complete -F _qos_bridge qos_bridge
