import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { describeError } from "../../errors.js";
import { fetchHead } from "../endpoint/fetch-head.js";
import type { Endpoints } from "../endpoints.js";
import type { Head } from "../parse/parse-head.js";
import { BlockRhythm, pollDelayMs } from "./block-rhythm.js";
import { followTags, type KnownTags } from "./follow-tags.js";
import { keepSubscription } from "./keep-subscription.js";
import { pause } from "./pause.js";
import { SeenHeads } from "./seen-heads.js";

export interface FollowOptions {
  /** The longest time between two looks at the head, in milliseconds (pipeline.check_interval). */
  pollMs: number;
  /** A head, as it comes: it may be lower than one before, leave numbers out, or be of another branch. */
  onHead(head: Head & { endpoint: string }): void;
  /** What is final or safe by now; only what endpoints say, and only when it changes. */
  onTags(tags: KnownTags): void;
  /** A subscription or a look at the head failed. It is tried again by itself. */
  onLost(reason: string): void;
  signal: AbortSignal;
}

/**
 * Follows the chain's head until `signal` aborts. Every endpoint that can push is subscribed to; beside
 * that the head is looked at every `pollMs`, and as often as blocks come while nobody pushes. Each head is
 * passed on once, by whomever it was told first. Resolves when everything has ended; never rejects.
 */
export async function followHeads(endpoints: Endpoints, options: FollowOptions): Promise<void> {
  const { pollMs, onHead, onTags, onLost } = options;
  // Many listen to it, for each endpoint.
  const ended = new AbortController();
  const { signal } = ended;
  setMaxListeners(0, signal);
  const end = (): void => ended.abort(options.signal.reason);
  if (options.signal.aborted) end();
  options.signal.addEventListener("abort", end, { once: true });
  const rhythm = new BlockRhythm();
  const seen = new SeenHeads();
  let pushing = 0;
  let changed = (): void => {};
  let tagsDue = (): void => {};

  const take = (channel: string, endpoint: string, head: Head): void => {
    if (signal.aborted) return;
    endpoints.sawHead(endpoint, head.number);
    rhythm.saw(head.number, performance.now());
    if (!seen.isNews(`${channel} ${endpoint}`, head.hash)) return;
    onHead({ ...head, endpoint });
    tagsDue();
  };

  const poll = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const [endpoint, head] = await endpoints.tryEach(
          async (each, cancelled) => [each.name, await fetchHead(each, cancelled)] as const,
          { signal },
        );
        take("poll", endpoint, head);
      } catch (error) {
        if (signal.aborted) return;
        onLost(describeError(error, 300));
        await pause(Math.min(pollMs, 1_000), signal);
        continue;
      }
      const sinceLastMs = performance.now() - (rhythm.lastAt ?? performance.now());
      const delayMs =
        pushing > 0 ? pollMs : pollDelayMs({ intervalMs: rhythm.intervalMs, sinceLastMs, mostMs: pollMs });
      await pause(delayMs, signal, (wake) => {
        changed = wake;
      });
    }
  };

  const subscriptions = endpoints.all
    .filter(({ canPush }) => canPush)
    .map((endpoint) =>
      keepSubscription(endpoint, {
        ready: () => endpoints.ready(endpoint.name),
        rhythm,
        pollMs,
        signal,
        onHead: (head, channel) => take(channel, endpoint.name, head),
        onState(isPushing) {
          pushing += isPushing ? 1 : -1;
          // Nobody pushes any more: look at once, and often.
          if (pushing === 0) changed();
        },
        onLost,
      }),
    );
  const tags = followTags(endpoints, {
    signal,
    onTags,
    onLost,
    onDue: (due) => {
      tagsDue = due;
    },
    pollMs,
  });
  await Promise.all([poll(), tags, ...subscriptions]);
  options.signal.removeEventListener("abort", end);
}
