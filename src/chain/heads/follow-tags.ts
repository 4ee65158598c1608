import { describeError, EndpointUnavailableError, RateLimitedError } from "../../errors.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { fetchChainId, fetchTag } from "../endpoint/fetch-head.js";
import type { Endpoints } from "../endpoints.js";
import type { Head } from "../parse/parse-head.js";
import { pause } from "./pause.js";

/** Block numbers. Absent: no endpoint knows the tag, or the chain has no such block yet. */
export interface KnownTags {
  safe?: number;
  finalized?: number;
}

/** They move once in an epoch on most chains. */
const everyMs = 3_000;

/** Asks for the tags after new heads, but not more often than every few seconds. */
export async function followTags(
  endpoints: Endpoints,
  {
    onTags,
    onLost,
    onDue,
    pollMs,
    signal,
  }: {
    onTags(tags: KnownTags): void;
    onLost(reason: string): void;
    /** Hands out the function that tells of a new head. */
    onDue(due: () => void): void;
    pollMs: number;
    signal: AbortSignal;
  },
): Promise<void> {
  let isDue = true;
  let wake = (): void => {};
  let told: KnownTags = {};
  onDue(() => {
    isDue = true;
    wake();
  });
  while (!signal.aborted) {
    if (!isDue) {
      await pause(Math.max(everyMs, pollMs), signal, (end) => {
        wake = end;
      });
    }
    isDue = false;
    try {
      const tags = await askTags(endpoints, signal);
      if (tags.safe !== told.safe || tags.finalized !== told.finalized) {
        told = tags;
        if (!signal.aborted) onTags(tags);
      }
    } catch (error) {
      if (signal.aborted) return;
      onLost(describeError(error, 300));
    }
    await pause(everyMs, signal);
  }
}

async function askTags(endpoints: Endpoints, signal: AbortSignal): Promise<KnownTags> {
  const lacking = new Set<string>();
  for (;;) {
    // What an endpoint can is known once it was probed, which is before its first work.
    const found = await endpoints
      .tryEach(
        async (endpoint, cancelled): Promise<KnownTags | string> => {
          const { finalized, safe } = endpoint.capabilities;
          if (!finalized && !safe) return endpoint.name;
          const [safeHead, finalHead] = await Promise.all([
            safe ? askTag(endpoint, "safe", cancelled) : null,
            finalized ? askTag(endpoint, "finalized", cancelled) : null,
          ]);
          return {
            ...(safeHead === null ? {} : { safe: safeHead.number }),
            ...(finalHead === null ? {} : { finalized: finalHead.number }),
          };
        },
        { signal, except: [...lacking] },
      )
      .catch((error: unknown) => {
        if (error instanceof EndpointUnavailableError && lacking.size > 0) return {};
        throw error;
      });
    if (typeof found !== "string") return found;
    lacking.add(found);
    if (lacking.size === endpoints.all.length) return {};
  }
}

/** Null also where the endpoint turns out to lack the tag, which is learned. Throws where it is down. */
async function askTag(
  endpoint: Endpoint,
  tag: "safe" | "finalized",
  signal: AbortSignal,
): Promise<Head | null> {
  try {
    return await fetchTag(endpoint, tag, signal);
  } catch (error) {
    if (signal.aborted || error instanceof RateLimitedError) throw error;
    await fetchChainId(endpoint, signal);
    endpoint.learn({ [tag]: false });
    return null;
  }
}
