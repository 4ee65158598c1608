import { useEffect, useRef, useState } from "preact/hooks";

/** What could not be read is tried again so soon. */
const againMs = 2_000;

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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      const isRead = document.hidden || (await readOnce());
      if (!abort.signal.aborted)
        timer = setTimeout(() => void load(), isRead ? everyMs : Math.min(everyMs, againMs));
    };
    const readOnce = async (): Promise<boolean> => {
      const mine = ++last.current;
      try {
        const response = await fetch(path, { signal: abort.signal });
        const body = (await response.json()) as T & { error?: string };
        if (mine !== last.current) return true;
        if (response.ok) set({ value: body, error: null });
        else set((before) => ({ ...before, error: body.error ?? `HTTP ${response.status}` }));
        return response.ok;
      } catch (error) {
        if (!abort.signal.aborted) set((before) => ({ ...before, error: (error as Error).message }));
        return false;
      }
    };
    void load();
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [path, everyMs, when]);
  return read;
}
