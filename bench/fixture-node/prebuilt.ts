// Blocks built ahead into one file, so that a benchmark's chain costs its build once and no memory.
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlockBuilder } from "./block-builder.js";
import { type Body, MAIN, type StoredBlock } from "./chain.js";
import type { ChainOptions } from "./chain-options.js";

const PREFIX = "blockmill-fixture-";
/** Other chains' files that may stay; older ones are removed when a new one is written. */
const FILES_KEPT = 3;
const PARTIAL_KEPT_MS = 3_600_000;
/** Bodies that were read stay in memory up to this many bytes: reading anew doubles the cost of an answer. */
const MEMORY_BYTES = 512 * 1024 * 1024;
const BODIES: readonly Body[] = ["full", "hashesOnly", "receipts"];

/** number, hash, parentHash, then the offset and length of each body in the file. */
type Entry = [number, string, string, ...number[]];

/**
 * The first `blocks` blocks of main, from the cache in `folder` (os.tmpdir()), built into it if they are not
 * there. The file is named after the options and this generator's own code, so it is never stale.
 */
export function prebuiltBlocks(
  options: ChainOptions,
  {
    blocks,
    folder = tmpdir(),
    onProgress,
  }: { blocks: number; folder?: string; onProgress?: (built: number) => void },
): StoredBlock[] {
  const base = join(folder, PREFIX + cacheKey(options, blocks));
  if (!existsSync(`${base}.json`)) {
    removeOldFiles(folder);
    buildFile(base, options, { blocks, onProgress });
  }
  const entries = JSON.parse(readFileSync(`${base}.json`, "utf8")) as Entry[];
  const file = openSync(`${base}.bin`, "r");
  const read = cachedReader(file);
  return entries.map(([number, hash, parentHash, ...spans]) => ({
    branch: MAIN,
    number,
    hash,
    parentHash,
    read: (body) => {
      const at = 2 * BODIES.indexOf(body);
      return read(spans[at] ?? 0, spans[at + 1] ?? 0);
    },
  }));
}

/** Keeps what fits and evicts nothing: a chain that is larger, read in a circle, would evict all the time. */
function cachedReader(file: number): (offset: number, length: number) => Buffer {
  const kept = new Map<number, Buffer>();
  let left = MEMORY_BYTES;
  return (offset, length) => {
    const known = kept.get(offset);
    if (known) return known;
    const buffer = Buffer.allocUnsafeSlow(length);
    readSync(file, buffer, 0, length, offset);
    if (left >= length) {
      kept.set(offset, buffer);
      left -= length;
    }
    return buffer;
  };
}

/** Written under another name and renamed when whole: two processes may build the same file. */
function buildFile(
  base: string,
  options: ChainOptions,
  { blocks, onProgress }: { blocks: number; onProgress: ((built: number) => void) | undefined },
): void {
  const partial = `${base}.${process.pid}.partial`;
  const file = openSync(partial, "w");
  try {
    const builder = new BlockBuilder(options);
    const entries: Entry[] = [];
    let parentHash = builder.firstParentHash();
    let offset = 0;
    for (let i = 0; i < blocks; i += 1) {
      const built = builder.build({ ancestry: [MAIN], number: options.start + i, parentHash });
      const entry: Entry = [built.number, built.hash, built.parentHash];
      for (const body of BODIES) {
        writeSync(file, built[body]);
        entry.push(offset, built[body].length);
        offset += built[body].length;
      }
      entries.push(entry);
      parentHash = built.hash;
      onProgress?.(i + 1);
    }
    renameSync(partial, `${base}.bin`);
    writeFileSync(partial, JSON.stringify(entries));
    renameSync(partial, `${base}.json`);
  } finally {
    closeSync(file);
    rmSync(partial, { force: true });
  }
}

function cacheKey(options: ChainOptions, blocks: number): string {
  const hash = createHash("sha256").update(JSON.stringify([options, blocks]));
  const folder = new URL(".", import.meta.url);
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith(".js")) hash.update(readFileSync(new URL(name, folder)));
  }
  return hash.digest("hex").slice(0, 16);
}

function removeOldFiles(folder: string): void {
  const own = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
  for (const name of own.filter((name) => name.endsWith(".partial"))) {
    // Left by a build that was killed; a build takes minutes.
    const modified = statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - modified > PARTIAL_KEPT_MS) rmSync(join(folder, name), { force: true });
  }
  const files = own
    .filter((name) => name.endsWith(".bin"))
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      return modified === undefined ? [] : [{ path, modified }];
    })
    .sort((a, b) => b.modified - a.modified);
  for (const { path } of files.slice(FILES_KEPT)) {
    // The index first: a data file without an index is rebuilt, an index without data is not.
    rmSync(path.replace(/\.bin$/, ".json"), { force: true });
    rmSync(path, { force: true });
  }
}
