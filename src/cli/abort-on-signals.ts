/** The first signal aborts; a second one ends the program as it always does. `release` takes the handlers away. */
export function abortOnSignals(): { signal: AbortSignal; release(): void } {
  const asked = new AbortController();
  const onSignal = (): void => asked.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  return {
    signal: asked.signal,
    release: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
