/** Waits for so long, or until `signal` aborts, or until `wake` is called. Never rejects. */
export function pause(ms: number, signal: AbortSignal, onStart?: (wake: () => void) => void): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
    onStart?.(end);
  });
}
