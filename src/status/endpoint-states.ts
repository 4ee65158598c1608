import type { LiveWorker } from "../queue/read-workers.js";

/** An endpoint as all the processes that live see it. */
export interface EndpointState {
  name: string;
  /** Processes that ask it, that let it rest, and that refuse it since it serves another chain. */
  up: number;
  resting: number;
  refused: number;
  /** Why it rests or is refused, in the words of one of them. */
  reason: string | null;
  /** The average of theirs. */
  latencyMs: number | null;
  head: number | null;
  lag: number | null;
}

/** Puts together what the workers and orchestrators that live tell of their endpoints, in the order of their names. */
export function endpointStates(workers: readonly LiveWorker[]): EndpointState[] {
  const told = workers.filter(({ lives }) => lives).flatMap(({ doing }) => doing.endpoints ?? []);
  const names = [...new Set(told.map(({ name }) => name))].sort();
  return names.map((name) => {
    const all = told.filter((each) => each.name === name);
    const inState = (state: string) => all.filter((each) => each.state === state);
    const latencies = all.flatMap(({ latencyMs }) => latencyMs ?? []);
    const heads = all.flatMap(({ head }) => head ?? []);
    const lags = all.flatMap(({ lag }) => lag ?? []);
    return {
      name,
      up: inState("up").length,
      resting: inState("resting").length,
      refused: inState("refused").length,
      reason: all.find(({ state, reason }) => state !== "up" && reason !== null)?.reason ?? null,
      latencyMs: latencies.length === 0 ? null : latencies.reduce((a, b) => a + b, 0) / latencies.length,
      head: heads.length === 0 ? null : Math.max(...heads),
      lag: lags.length === 0 ? null : Math.min(...lags),
    };
  });
}
