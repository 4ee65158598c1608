import type { StatusAnswer } from "../src/web/answers.js";

/** The last word of the daemon, and how old it is. */
export interface Live {
  /** Null: none has come yet. */
  answer: StatusAnswer | null;
  /** Seconds since it came. */
  ageSeconds: number;
  /** The daemon cannot be reached, or has been silent for longer than it ever is. */
  isAway: boolean;
  /** Grows with each reorg that the daemon tells of. */
  reorgs: number;
}

/** A daemon sends its status each second. */
const silentSeconds = 5;
const againMs = 2_000;

/** Listens for the daemon's status, through its restarts, and tells it, and once a second how old it is. */
export function connect(path: string): { subscribe(listener: (live: Live) => void): void } {
  const listeners: ((live: Live) => void)[] = [];
  let answer: StatusAnswer | null = null;
  let cameAt = performance.now();
  let reorgs = 0;
  let isOpen = false;

  const tell = (): void => {
    const ageSeconds = (performance.now() - cameAt) / 1_000;
    const live = { answer, ageSeconds, isAway: !isOpen || ageSeconds > silentSeconds, reorgs };
    for (const listener of listeners) listener(live);
  };
  const listen = (): void => {
    const source = new EventSource(path);
    source.addEventListener("open", () => {
      isOpen = true;
    });
    source.addEventListener("status", (event) => {
      answer = JSON.parse(event.data) as StatusAnswer;
      cameAt = performance.now();
      isOpen = true;
      tell();
    });
    source.addEventListener("reorg", () => {
      reorgs += 1;
    });
    source.addEventListener("error", () => {
      isOpen = false;
      tell();
      // It tries again by itself, but for where the answer was an error.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, againMs);
    });
  };
  listen();
  setInterval(() => {
    if (performance.now() - cameAt > 1_500) tell();
  }, 1_000);
  return {
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
