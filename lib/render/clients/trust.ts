/** How to trust the appliance's CA on a developer's computer: commands for each system. */

export type TrustValues = {
  /** Where the CA's certificate is served without authentication. */
  caUrl: string
  /** The file name to save it as. */
  caFile: string
}

const printFingerprint = (caFile: string) => `openssl x509 -in ${caFile} -noout -fingerprint -sha256\n`

/** The commands for each system: download the CA, print its fingerprint for comparison, and only then trust it. */
export const trustCommands = ({ caUrl, caFile }: TrustValues) => [
  {
    name: 'debian',
    title: 'Debian, Ubuntu',
    snippets: [
      {
        place: 'a terminal: download it and compare the fingerprint',
        text: fetchAndPrint({ caUrl, caFile }),
      },
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
    snippets: [
      {
        place: 'a terminal: download it and compare the fingerprint',
        text: fetchAndPrint({ caUrl, caFile }),
      },
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
    snippets: [
      { place: 'Terminal: download it and compare the fingerprint', text: fetchAndPrint({ caUrl, caFile }) },
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
    snippets: [
      {
        place: 'PowerShell: download it and compare the fingerprint',
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
    snippets: [
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
    snippets: [
      {
        place: 'the shell that starts a program or editor on Node.js, or ~/.profile',
        text: `export NODE_EXTRA_CA_CERTS=/path/to/${caFile}\n`,
      },
      {
        place: 'the shell that starts a program in Python, which then trusts no other CA',
        text: `export SSL_CERT_FILE=/path/to/${caFile}\n`,
      },
      {
        place: 'PowerShell on Windows, for programs on Node.js: restart them',
        text: `setx NODE_EXTRA_CA_CERTS C:\\path\\to\\${caFile}\n`,
      },
    ],
  },
]

/** The download cannot be verified before the CA is trusted, hence the comparison of fingerprints. */
const fetchAndPrint = ({ caUrl, caFile }: TrustValues) =>
  `curl --insecure --output ${caFile} ${caUrl}\n${printFingerprint(caFile)}`
