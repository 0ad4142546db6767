/** How a developer's machine comes to trust the appliance's own CA: commands for each system. */

export type TrustValues = {
  /** Where the CA's certificate is served, without a key. */
  caUrl: string
  /** The file name to keep it under. */
  caFile: string
}

const printFingerprint = (caFile: string) => `openssl x509 -in ${caFile} -noout -fingerprint -sha256\n`

/** What a developer types, for each system: fetch, print the fingerprint to compare, and only then trust. */
export const trustCommands = ({ caUrl, caFile }: TrustValues) => [
  {
    name: 'debian',
    title: 'Debian, Ubuntu',
    parts: [
      { place: 'a terminal: fetch it, and compare', text: fetchAndPrint({ caUrl, caFile }) },
      {
        place: 'a terminal: trust it',
        text: `sudo cp ${caFile} /usr/local/share/ca-certificates/slm-copilot.crt
sudo update-ca-certificates
`,
      },
    ],
  },
  {
    name: 'fedora',
    title: 'Fedora, RHEL',
    parts: [
      { place: 'a terminal: fetch it, and compare', text: fetchAndPrint({ caUrl, caFile }) },
      {
        place: 'a terminal: trust it',
        text: `sudo cp ${caFile} /etc/pki/ca-trust/source/anchors/slm-copilot.crt
sudo update-ca-trust
`,
      },
    ],
  },
  {
    name: 'macos',
    title: 'macOS',
    parts: [
      { place: 'Terminal: fetch it, and compare', text: fetchAndPrint({ caUrl, caFile }) },
      {
        place: 'Terminal: trust it',
        text: `sudo security add-trusted-cert -d -r trustRoot \\
  -k /Library/Keychains/System.keychain ${caFile}
`,
      },
    ],
  },
  {
    name: 'windows',
    title: 'Windows',
    parts: [
      {
        place: 'PowerShell: fetch it, and compare',
        text: `curl.exe --insecure --output ${caFile} ${caUrl}
(Get-PfxCertificate .\\${caFile}).GetCertHashString('SHA256')
`,
      },
      { place: 'PowerShell: trust it, for your user', text: `certutil -user -addstore Root ${caFile}\n` },
    ],
  },
  {
    name: 'browsers',
    title: 'Browsers on Linux',
    parts: [
      {
        place: 'a terminal: Chromium and Chrome (package libnss3-tools)',
        text: `mkdir -p ~/.pki/nssdb
certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n SLM-Copilot -i ${caFile}
`,
      },
      {
        place: 'Firefox',
        text: 'Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import\n',
      },
    ],
  },
  {
    name: 'node',
    title: 'Node, Python',
    parts: [
      {
        place: 'the shell that starts a program or editor on Node.js, or ~/.profile',
        text: `export NODE_EXTRA_CA_CERTS=/path/to/${caFile}\n`,
      },
      {
        place: 'the shell that starts a program in Python, which then trusts no other CA',
        text: `export SSL_CERT_FILE=/path/to/${caFile}\n`,
      },
    ],
  },
]

/** Not verified: nothing can be before the CA is trusted. Hence the comparison. */
const fetchAndPrint = ({ caUrl, caFile }: TrustValues) =>
  `curl --insecure --output ${caFile} ${caUrl}\n${printFingerprint(caFile)}`
