import { useEffect, useRef, useState } from "preact/hooks";

/** What was read, and why the last read failed. */
export interface Read<T> {
  value: T | null;
  error: string | null;
}

/**
 * Reads JSON from `path` at once, and every `everyMs` while the page is visible; undefined: nothing is read. What was read
 * stays until there is something newer. `when`: a change of it reads again.
 */
export function useRead<T>(path: string | undefined, everyMs: number, when?: unknown): Read<T> {
  const [read, set] = useState<Read<T>>({ value: null, error: null });
  const last = useRef(0);
  // `when` only says that it is time.
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    const load = async (): Promise<void> => {
      if (document.hidden) return;
      const mine = ++last.current;
      try {
        const response = await fetch(path, { signal: abort.signal });
        const body = (await response.json()) as T & { error?: string };
        if (mine !== last.current) return;
        if (response.ok) set({ value: body, error: null });
        else set((before) => ({ ...before, error: body.error ?? `HTTP ${response.status}` }));
      } catch (error) {
        if (abort.signal.aborted) return;
        set((before) => ({ ...before, error: (error as Error).message }));
      }
    };
    void load();
    const timer = setInterval(() => void load(), everyMs);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [path, everyMs, when]);
  return read;
}
