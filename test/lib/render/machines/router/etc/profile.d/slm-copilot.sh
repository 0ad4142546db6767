# Written by slm-copilot. Sourced by login shells.
case $- in
*i*)
    printf '  %s\n' \
        'SLM-Copilot router, model devstral-small-2: https://192.0.2.7/v1' \
        'API key and editor settings, as root: cat /etc/one-appliance/config' \
        'Log: /var/log/one-appliance/slm-copilot.log' \
        'CA fingerprint, SHA-256:' \
        '  A0:A1:A2:A3:A4:A5:A6:A7:A8:A9:AA:AB:AC:AD:AE:AF:' \
        '  B0:B1:B2:B3:B4:B5:B6:B7:B8:B9:BA:BB:BC:BD:BE:BF'
    # While nothing can be generated: why. While a model is pending: its progress.
    if [ -r /run/slm-copilot-unavailable ]; then
        printf 'Not available: %s\n' "$(cat /run/slm-copilot-unavailable)" | fold -s -w 76 | sed 's/^/  /'
    fi
    if [ -r /run/slm-copilot-model/progress ]; then sed 's/^/  /' /run/slm-copilot-model/progress; fi
    ;;
esac
