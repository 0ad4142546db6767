/**
 * What the product and its build take from outside, pinned: versions, addresses, sizes, digests. Everything else
 * reads them from here; three kinds are pinned where their own tools look for them: npm packages in
 * package-lock.json (Node.js among them), GitHub Actions in .github/workflows, each by digest. `make pins` compares
 * all with what is newer, and with files already fetched.
 */

/** `size` in bytes. */
export type PinnedFile = { url: string; size: number; sha256: string }

/** `spec`: name@version. `integrity`: `npm view SPEC dist.integrity`. */
export type NpmPackage = { spec: string; integrity: string }

/** The official build in the published image. Digest: two independent public sources. */
export const llamaCpp = {
  tag: 'b11194',
  archive: {
    url: 'https://github.com/ggml-org/llama.cpp/releases/download/b11194/llama-b11194-bin-ubuntu-x64.tar.gz',
    size: 17_014_362,
    sha256: '527c09064f3c89e4b6e1008a641e31903a04ccdd1c69abd0752acbbd4e1905f6',
  },
} as const satisfies { tag: string; archive: PinnedFile }

/** The weights of the catalogue's models. Digests: at least two independent public sources each. */
export const weights = {
  'devstral-small-2': {
    url: 'https://huggingface.co/unsloth/Devstral-Small-2-24B-Instruct-2512-GGUF/resolve/6e458b8add42681bfd023de5eab93637694aaf82/Devstral-Small-2-24B-Instruct-2512-Q4_K_M.gguf',
    size: 14_334_446_752,
    sha256: 'd14ba9edee1bb4c4996a726deb81e49ae81800a3216f0774634238c380aee496',
  },
  'qwen3-coder-30b-a3b': {
    url: 'https://huggingface.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF/resolve/b17cb02dd882d5b6ab62fc777ad2995f19668350/Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf',
    size: 18_556_689_568,
    sha256: 'fadc3e5f8d42bf7e894a785b05082e47daee4df26680389817e2093056f088ad',
  },
  'qwen3.6-35b-a3b': {
    url: 'https://huggingface.co/unsloth/Qwen3.6-35B-A3B-GGUF/resolve/a483e9e6cbd595906af30beda3187c2663a1118c/Qwen3.6-35B-A3B-UD-Q4_K_M.gguf',
    size: 22_134_528_992,
    sha256: 'ac0e2c1189e055faa36eff361580e79c5bd6f8e76bffb4ce547f167d53e31a61',
  },
  'gpt-oss-20b': {
    url: 'https://huggingface.co/ggml-org/gpt-oss-20b-GGUF/resolve/ef9b12f2ff56c69cf32153a02784e7a3c88bf524/gpt-oss-20b-MXFP4.gguf',
    size: 12_109_566_624,
    sha256: '27cd6c432c7672cb812a92f611cf3ba7bbc35928262bb1e1253ff4ee6ae35901',
  },
  'qwen2.5-coder-3b': {
    url: 'https://huggingface.co/Qwen/Qwen2.5-Coder-3B-Instruct-GGUF/resolve/f74adce6aa16316c625447af059dbebe4983757c/qwen2.5-coder-3b-instruct-q4_k_m.gguf',
    size: 2_104_932_800,
    sha256: '724fb256bec1ff062b2f65e4569e871ad2e95ab2a3989723d1769c54294730b7',
  },
} as const satisfies Record<string, PinnedFile>

/**
 * The weights of the models for completion, embeddings and reranking. Digests as above; the last two's file names:
 * one source.
 */
export const companionWeights = {
  'qwen2.5-coder-1.5b': {
    url: 'https://huggingface.co/ggml-org/Qwen2.5-Coder-1.5B-Q8_0-GGUF/resolve/8be1b8a895a84beea772817caaa71eba6b6e0d07/qwen2.5-coder-1.5b-q8_0.gguf',
    size: 1_646_573_056,
    sha256: '29871c94d15727a6e243f79a37113d4ae625a6215b5e800bf41a23af2da32832',
  },
  'qwen2.5-coder-0.5b': {
    url: 'https://huggingface.co/ggml-org/Qwen2.5-Coder-0.5B-Q8_0-GGUF/resolve/5788aee90e725673490be18f553d234feaa8303d/qwen2.5-coder-0.5b-q8_0.gguf',
    size: 531_068_128,
    sha256: 'd0f8cd6c49bab52a0abdbe47948518b1f4d9b1a8a2a6825099cea31cea10ac56',
  },
  'qwen2.5-coder-7b': {
    url: 'https://huggingface.co/ggml-org/Qwen2.5-Coder-7B-Q8_0-GGUF/resolve/bca77e0a8c88fc224882bcc404170c3ef17efacc/qwen2.5-coder-7b-q8_0.gguf',
    size: 8_098_525_600,
    sha256: '0ef48dc94a3c551a6736ac2601de38413dc9aa9318534b16e8baee08290a4aaf',
  },
  'qwen3-embedding-0.6b': {
    url: 'https://huggingface.co/Qwen/Qwen3-Embedding-0.6B-GGUF/resolve/370f27d7550e0def9b39c1f16d3fbaa13aa67728/Qwen3-Embedding-0.6B-Q8_0.gguf',
    size: 639_150_592,
    sha256: '06507c7b42688469c4e7298b0a1e16deff06caf291cf0a5b278c308249c3e439',
  },
  'nomic-embed-text-v1.5': {
    url: 'https://huggingface.co/nomic-ai/nomic-embed-text-v1.5-GGUF/resolve/0188c9bf409793f810680a5a431e7b899c46104c/nomic-embed-text-v1.5.Q8_0.gguf',
    size: 146_146_432,
    sha256: '3e24342164b3d94991ba9692fdc0dd08e3fd7362e0aacc396a9a5c54a544c3b7',
  },
  'qwen3-reranker-0.6b': {
    url: 'https://huggingface.co/ggml-org/Qwen3-Reranker-0.6B-Q8_0-GGUF/resolve/a02f48bb4f057028298c21fa033da2b30d7742d5/qwen3-reranker-0.6b-q8_0.gguf',
    size: 639_153_184,
    sha256: '22c9979ce4fbcdc5acdc310c6641c32797eff1aa980b8f7a2db8a8ea23429a48',
  },
} as const satisfies Record<string, PinnedFile>

/** OpenNebula's framework for appliances: the files that go into the image, and the context agent of its base. */
export const oneApps = {
  repository: 'https://github.com/OpenNebula/one-apps',
  commit: 'ae5a43e411bde941f46b1e8e314eccf5c7a327b2',
  /** VERSION and RELEASE in Makefile.config at that commit. */
  version: '7.2.1-0',
} as const

/** Where the appliance is submitted to. The files of `make marketplace` have the layout that it had at this commit. */
export const marketplace = {
  repository: 'https://github.com/OpenNebula/marketplace-community',
  commit: 'fa6fbbd328e6bc57cf7a6c472a8898b0f699ffc2',
} as const

/**
 * The image's operating system. Its packages are the current ones, signed by Debian: a bundle (`make bundle`) records
 * which, by digest. Debian 13's releases are signed with Debian 12's archive key too, so the keyring of every supported
 * system can verify them.
 */
export const debian = {
  suite: 'trixie',
  archive: 'http://deb.debian.org/debian',
  securityArchive: 'http://deb.debian.org/debian-security',
} as const

/** For Packer 1.7 and newer, which has no builders of its own. */
export const packerPlugin = {
  repository: 'https://github.com/hashicorp/packer-plugin-qemu',
  version: '1.1.0',
} as const

/**
 * node-llama-cpp's packages: llama.cpp's source, and its libraries for all CPU generations, for the tests'
 * llama-server.
 */
export const packagedLlama = {
  /** The llama.cpp release that both contain, see `llama/llama.cpp.info.json`. */
  tag: 'v0.5.0',
  source: {
    spec: 'node-llama-cpp@3.22.1',
    integrity:
      'sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==',
  },
  libraries: {
    spec: '@node-llama-cpp/linux-x64@3.22.1',
    integrity:
      'sha512-5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg==',
  },
} as const satisfies { tag: string; source: NpmPackage; libraries: NpmPackage }
