// What was asked of the node: so that tests can count, look, and wait for a call instead of for time.
import type { Call } from "./protocol.js";

const CALLS_KEPT = 10_000;

interface Waiter {
  endpoint: number | undefined;
  method: string;
  count: number;
  resolve: (count: number) => void;
}

export class CallLog {
  readonly #keeps: boolean;
  #calls: Call[] = [];
  #counts = new Map<number, Record<string, number>>();
  #waiters: Waiter[] = [];

  constructor({ keepCalls }: { keepCalls: boolean }) {
    this.#keeps = keepCalls;
  }

  record(call: Call): void {
    const counts = this.#counts.get(call.endpoint) ?? {};
    counts[call.method] = (counts[call.method] ?? 0) + 1;
    this.#counts.set(call.endpoint, counts);
    if (this.#keeps) this.#calls.push(call);
    // Twice the bound before cutting, so that cutting is rare.
    if (this.#calls.length > 2 * CALLS_KEPT) this.#calls = this.#calls.slice(-CALLS_KEPT);
    if (this.#waiters.length > 0) this.#wake();
  }

  /** The newest calls, oldest first. */
  calls({ endpoint, method }: { endpoint?: number; method?: string }): Call[] {
    return this.#calls
      .slice(-CALLS_KEPT)
      .filter(
        (call) => (endpoint ?? call.endpoint) === call.endpoint && (method ?? call.method) === call.method,
      );
  }

  counts(endpoint: number | undefined): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const [at, counts] of this.#counts) {
      if (endpoint !== undefined && endpoint !== at) continue;
      for (const [method, count] of Object.entries(counts)) sum[method] = (sum[method] ?? 0) + count;
    }
    return sum;
  }

  waitFor({
    endpoint,
    method,
    count,
  }: {
    endpoint?: number;
    method: string;
    count: number;
  }): Promise<number> {
    return new Promise((resolve) => {
      this.#waiters.push({ endpoint, method, count, resolve });
      this.#wake();
    });
  }

  reset(): void {
    this.#calls = [];
    this.#counts.clear();
  }

  #wake(): void {
    this.#waiters = this.#waiters.filter(({ endpoint, method, count, resolve }) => {
      const counts = this.counts(endpoint);
      const seen = method === "*" ? Object.values(counts).reduce((a, b) => a + b, 0) : (counts[method] ?? 0);
      if (seen < count) return true;
      resolve(seen);
      return false;
    });
  }
}
