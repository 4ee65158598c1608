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

/** What one process says of an endpoint, as far as it fits. */
interface Told {
  name: string;
  state: string;
  reason: string | null;
  latencyMs: number | null;
  head: number | null;
  lag: number | null;
}

/** Puts together what the workers and orchestrators that live tell of their endpoints, in the order of their names. */
export function endpointStates(workers: readonly LiveWorker[]): EndpointState[] {
  const told = workers.filter(({ lives }) => lives).flatMap(({ doing }) => readTold(doing.endpoints));
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

/** `processing_workers.doing` is what another version wrote, or a person. */
function readTold(endpoints: unknown): Told[] {
  if (!Array.isArray(endpoints)) return [];
  return endpoints.flatMap((each: unknown) => {
    if (typeof each !== "object" || each === null) return [];
    const { name, state, reason, latencyMs, head, lag } = each as Record<string, unknown>;
    if (typeof name !== "string" || typeof state !== "string") return [];
    const number = (value: unknown) => (typeof value === "number" ? value : null);
    const told = { latencyMs: number(latencyMs), head: number(head), lag: number(lag) };
    return { name, state, reason: typeof reason === "string" ? reason : null, ...told };
  });
}
