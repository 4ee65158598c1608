import { performance } from "node:perf_hooks";
import { describeError } from "../../errors.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { fetchHead } from "../endpoint/fetch-head.js";
import { type Head, parseHead } from "../parse/parse-head.js";
import type { BlockRhythm } from "./block-rhythm.js";
import { pause } from "./pause.js";

export interface SubscriptionOptions {
  rhythm: BlockRhythm;
  pollMs: number;
  signal: AbortSignal;
  /** Makes sure that the endpoint serves the right chain. */
  ready(): Promise<void>;
  /** A head that was pushed, or that the endpoint was asked for. */
  onHead(head: Head, channel: "push" | "look"): void;
  /** Called with true when a first head was pushed, and after that with false when the subscription has ended. */
  onState(isPushing: boolean): void;
  onLost(reason: string): void;
}

/** The shortest silence that is looked into. */
const leastSilenceMs = 2_000;
const reconnectMs = { base: 100, max: 30_000 };

/**
 * Keeps a newHeads subscription on one endpoint until `signal` aborts. When it is silent for longer than
 * blocks take, the endpoint is asked for its head; if that was not pushed, the subscription is dead and is
 * replaced. A lost one is made again, later every time it fails. Never rejects.
 */
export async function keepSubscription(endpoint: Endpoint, options: SubscriptionOptions): Promise<void> {
  const { signal, onLost } = options;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await options.ready();
      const reason = await subscribeOnce(endpoint, options, () => {
        failures = 0;
      });
      if (signal.aborted) return;
      onLost(`${endpoint.name}: the subscription is lost: ${reason}`);
    } catch (error) {
      if (signal.aborted) return;
      onLost(`${endpoint.name}: no subscription: ${describeError(error, 300)}`);
    }
    const delayMs = Math.min(reconnectMs.max, reconnectMs.base * 2 ** Math.min(failures, 10));
    await pause(delayMs * (0.5 + Math.random() / 2), signal);
  }
}

/** One subscription, until it is lost or proves dead. Resolves with the reason. */
async function subscribeOnce(
  endpoint: Endpoint,
  { rhythm, pollMs, signal, onHead, onState }: SubscriptionOptions,
  onAlive: () => void,
): Promise<string> {
  let lost: string | undefined;
  let wake = (): void => {};
  let newest = -1;
  let heardAt = performance.now();
  let isPushing = false;
  const subscription = await endpoint.subscribe(
    ["newHeads"],
    {
      onMessage(raw) {
        // A subscription that was replaced may still have something to say; it says it in vain.
        if (lost !== undefined || signal.aborted) return;
        try {
          const head = parseHead(raw, endpoint.name);
          heardAt = performance.now();
          newest = Math.max(newest, head.number);
          if (!isPushing) onState(true);
          isPushing = true;
          onAlive();
          onHead(head, "push");
        } catch (error) {
          lost = describeError(error, 300);
          wake();
        }
      },
      onLost(reason) {
        lost ??= reason;
        wake();
      },
    },
    { signal },
  );
  try {
    // What came before the subscription was not pushed.
    newest = await look(endpoint, { onHead, signal });
    while (lost === undefined && !signal.aborted) {
      const bound = silenceMs(rhythm, pollMs);
      const leftMs = heardAt + bound - performance.now();
      if (leftMs > 0) {
        await pause(leftMs, signal, (end) => {
          wake = end;
        });
        continue;
      }
      const before = newest;
      const head = await look(endpoint, { onHead, signal });
      // A push that came while we looked is as good as one before.
      if (head > Math.max(before, newest)) lost ??= `head ${head} was not pushed`;
      else heardAt = performance.now();
    }
    return lost ?? "ended";
  } finally {
    lost ??= "ended";
    subscription.end();
    if (isPushing) onState(false);
  }
}

async function look(
  endpoint: Endpoint,
  { onHead, signal }: Pick<SubscriptionOptions, "onHead" | "signal">,
): Promise<number> {
  const head = await fetchHead(endpoint, signal);
  onHead(head, "look");
  return head.number;
}

/** How long a subscription may be silent before it is looked into. */
function silenceMs({ intervalMs }: BlockRhythm, pollMs: number): number {
  return Math.max(leastSilenceMs, Math.min(pollMs, 3 * (intervalMs ?? 0)));
}
