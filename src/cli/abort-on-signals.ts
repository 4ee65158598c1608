/**
 * The first SIGINT or SIGTERM aborts; a second one, of either kind, ends the program as it always does. `forgetSignals`
 * takes the handlers away.
 */
export function abortOnSignals(): { signal: AbortSignal; forgetSignals(): void } {
  const asked = new AbortController();
  const forgetSignals = (): void => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  const onSignal = (): void => {
    forgetSignals();
    asked.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { signal: asked.signal, forgetSignals };
}
