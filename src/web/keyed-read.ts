import { createSharedRead, type Reading } from "./shared-read.js";

/**
 * Reads, for many who ask, what a key names: each key as createSharedRead does. The keys that were asked for last are
 * remembered, at most `most`.
 */
export function createKeyedRead<T>({
  read,
  most = 64,
  ...options
}: {
  read(key: string): Promise<T>;
  everyMs: number;
  most?: number;
  describe(error: unknown): string;
  now?(): number;
}): (key: string) => Promise<Reading<T>> {
  const reads = new Map<string, () => Promise<Reading<T>>>();
  return (key) => {
    const shared = reads.get(key) ?? createSharedRead({ ...options, read: () => read(key) });
    reads.delete(key);
    reads.set(key, shared);
    const [oldest] = reads.keys();
    if (reads.size > most && oldest !== undefined) reads.delete(oldest);
    return shared();
  };
}
