// The life of a forked peer: as bench/programs/run-program.ts.

/**
 * `work` gets the settings, says `await ready()` and goes on when the word comes; what it returns is the
 * result. `finish` aborts when it is asked for that.
 */
export function runPeer(work) {
  const finish = new AbortController();
  let go;
  const gone = new Promise((resolve) => {
    go = resolve;
  });
  const send = (message, sent = () => {}) => process.send(message, sent);
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    if (message.type === "go") go();
    if (message.type === "finish") finish.abort();
    if (message.type !== "settings") return;
    const ready = () => {
      send({ type: "ready" });
      return gone;
    };
    const progress = (done, at) => send({ type: "progress", done, at });
    work({ settings: message.settings, ready, progress, finish: finish.signal }).then(
      (result) => send({ type: "result", result }, () => process.exit(0)),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

/** Milliseconds of the system's monotonic clock, which processes share. */
export function monotonicMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}
