import { setMaxListeners } from "node:events";

/**
 * Runs `work` with a signal that aborts as soon as one of `sources` does, for its reason, and lets go of them when
 * the work is over. `AbortSignal.any` keeps what it made for as long as its sources live
 * (https://github.com/nodejs/node/issues/55351, https://github.com/nodejs/node/issues/64476), and a process's own
 * live for months.
 */
export async function withLinkedSignal<T>(
  sources: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const linked = new AbortController();
  const ends = sources.map((source) => {
    const abort = (): void => linked.abort(source.reason);
    if (source.aborted) abort();
    // As many listen as there are blocks under way.
    setMaxListeners(0, source);
    source.addEventListener("abort", abort, { once: true });
    return () => source.removeEventListener("abort", abort);
  });
  try {
    return await work(linked.signal);
  } finally {
    for (const end of ends) end();
  }
}
