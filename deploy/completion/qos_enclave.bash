# Completion for qos_enclave in bash: the program itself says which options there are.
_qos_enclave() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $before in
    --nitro-cli | --run-folder | --qemu | --vhost-device-vsock)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    --health-ip | --health-port | --ask-timeout | --stop-timeout) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W \
            "$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^\t\(--[a-z-]*\).*/\1/p')" -- "$word")
        ;;
    esac
}
complete -F _qos_enclave qos_enclave
