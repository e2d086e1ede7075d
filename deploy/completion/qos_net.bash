# Completion for qos_net in bash: the program itself says which options there are.
_qos_net() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $before in
    --usock)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    --cid | --port | --pool-size | --max-connections) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W \
            "$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^\t\(--[a-z-]*\).*/\1/p')" -- "$word")
        ;;
    esac
}
complete -F _qos_net qos_net
