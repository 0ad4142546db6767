/** Judges disks: free space and reading speed. */
import { type Finding, ok, problem, warning } from './finding.ts'

/** Bytes below which logs and state files may soon fail to be written, and below which that is to be expected. */
const scarce = 2e9
const critical = 200e6

/** Bytes per second below which a model of 14 GB takes over two minutes to load. */
const slowDisk = 120e6

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`

export const enoughSpace = `${gigabytes(scarce)} free`
export const fastEnough = `${slowDisk / 1e6} MB/s, so that a model of 14 GB loads within two minutes`

/** `free`: bytes on the file system of a folder. */
export function spaceFinding(folder: string, free: number): Finding {
  const seen = `${gigabytes(free)} free`
  if (free >= scarce) return ok(seen)
  const fix = `Enlarge the VM's disk in OpenNebula, or delete what is not needed: du -xh ${folder} | sort -h | tail`
  return free < critical ? problem(seen, fix) : warning(seen, fix)
}

/** `seconds`: the time that it took to read `bytes` of a file, not from the page cache. */
export function readingFinding(bytes: number, seconds: number): Finding {
  const speed = bytes / seconds
  const seen = `${Math.round(speed / 1e6)} MB/s`
  if (speed >= slowDisk) return ok(seen)
  return warning(seen, 'Move the image to a faster datastore: the model is read from it at each start.')
}
