/** The first signal aborts; a second one ends the program as it always does. `forgetSignals` takes the handlers away. */
export function abortOnSignals(): { signal: AbortSignal; forgetSignals(): void } {
  const asked = new AbortController();
  const onSignal = (): void => asked.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  return {
    signal: asked.signal,
    forgetSignals: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
