import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Endpoint } from "../chain/endpoint/endpoint.js";
import { fetchHead } from "../chain/endpoint/fetch-head.js";
import type { Endpoints } from "../chain/endpoints.js";
import { followHeads } from "../chain/heads/follow-heads.js";
import type { Head } from "../chain/parse/parse-head.js";
import type { Config } from "../config/schema.js";
import { dispositionOf } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Counts } from "../metrics/counts.js";
import type { Door } from "../pipeline/change-rows.js";
import { readHead } from "../queue/head.js";
import { createFollower, type FollowerOptions, type Tags } from "./follow-head.js";

export interface FollowChainOptions extends Door {
  endpoints: Endpoints;
  config: Config;
  log: Logger;
  signal: AbortSignal;
  announce?: FollowerOptions["announce"];
  counts?: Counts;
}

type ToldHead = Head & { endpoint: string };

/** Heads that wait while one is worked on; of more, the oldest are dropped: the newer ones link to them. */
const maxWaiting = 64;
/** How long another branch that was not confirmed waits for a second look. */
const askAgainMs = 300;
const afterErrorMs = 200;

/**
 * Follows the chain until `signal` aborts: heads come as the endpoints push them, and are worked on one
 * at a time. Rejects only with what makes work impossible: endpoints of another chain than the schema's.
 */
export async function followChain(options: FollowChainOptions): Promise<void> {
  const { endpoints, config, log } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const inbox = createInbox<ToldHead>(signal);
  const tags: Tags = { safe: null, finalized: null };
  const heads = followHeads(endpoints, {
    pollMs: config.pipeline.check_interval * 1_000,
    signal,
    onHead: inbox.put,
    onTags: ({ safe, finalized }) => {
      tags.safe = safe ?? null;
      tags.finalized = finalized ?? null;
    },
    onLost: (reason) => log.info({ reason }, "the head is not told"),
  });
  const looks = lookAround({ ...options, signal }, inbox);
  try {
    await workOnHeads({ ...options, signal }, inbox, tags);
  } finally {
    ended.abort();
    await Promise.all([heads, looks]);
  }
}

/**
 * Takes a head now and then whether it is news or not, while nothing else waits: a branch that was not
 * confirmed at first may be by now, and what was stored meanwhile may be of another one (Follower.accept).
 */
async function lookAround(
  { endpoints, config, signal }: FollowChainOptions,
  inbox: Inbox<ToldHead>,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(config.pipeline.check_interval * 1_000, undefined, { signal }).catch(() => {});
    try {
      const work = async (endpoint: Endpoint, cancelled: AbortSignal) => ({
        ...(await fetchHead(endpoint, cancelled)),
        endpoint: endpoint.name,
      });
      inbox.putBack(await endpoints.tryEach(work, { signal }));
    } catch {
      // followHeads tells why.
    }
  }
}

async function workOnHeads(options: FollowChainOptions, inbox: Inbox<ToldHead>, tags: Tags): Promise<void> {
  const { pool, dependents, endpoints, config, log, signal, announce, counts } = options;
  let follower: ReturnType<typeof createFollower> | undefined;
  for (let head = await inbox.take(); head !== undefined; head = await inbox.take()) {
    try {
      follower ??= createFollower({
        pool,
        dependents,
        endpoints,
        config,
        log,
        signal,
        ...(announce === undefined ? {} : { announce }),
        ...(counts === undefined ? {} : { counts }),
        chainId: await agreeOnChain(pool, endpoints, head),
      });
      const outcome = await follower.accept(head, head.endpoint, { ...tags });
      if (outcome.kind === "enqueued" && outcome.blocks > 0) {
        log.info({ head: head.number, blocks: outcome.blocks }, "new blocks");
      }
      if (outcome.kind === "unconfirmed") await lookAgain(head, askAgainMs);
    } catch (error) {
      if (signal.aborted) return;
      if (dispositionOf(error) === "fatal-process") throw error;
      log.warn({ head: head.number, err: error }, "the head could not be worked on; trying again");
      await lookAgain(head, afterErrorMs);
    }
  }

  // Unless a newer one came meanwhile: it leads to the same place.
  async function lookAgain(head: ToldHead, afterMs: number): Promise<void> {
    await sleep(afterMs, undefined, { signal }).catch(() => {});
    inbox.putBack(head);
  }
}

/** The chain that the schema holds; for a schema without one, the chain of the endpoint that told of the head. */
async function agreeOnChain(pool: pg.Pool, endpoints: Endpoints, head: ToldHead): Promise<number> {
  const followed = await readHead(pool);
  const told = endpoints.all.find(({ name }) => name === head.endpoint)?.capabilities.chainId;
  const chainId = followed?.chainId ?? told ?? (await anyChainId(endpoints));
  endpoints.expectChain(chainId);
  // Throws a ConfigError when none of them serves it.
  await anyChainId(endpoints);
  return chainId;
}

async function anyChainId(endpoints: Endpoints): Promise<number> {
  return endpoints.tryEach(async ({ capabilities }) => capabilities.chainId ?? 0);
}

interface Inbox<T> {
  put(item: T): void;
  /** Puts an item back, unless another one is waiting. */
  putBack(item: T): void;
  /** The next item; undefined when `signal` has aborted. */
  take(): Promise<T | undefined>;
}

function createInbox<T>(signal: AbortSignal): Inbox<T> {
  const items: T[] = [];
  let wake = (): void => {};
  signal.addEventListener("abort", () => wake());
  return {
    put(item) {
      items.push(item);
      if (items.length > maxWaiting) items.shift();
      wake();
    },
    putBack(item) {
      if (items.length > 0) return;
      items.push(item);
      wake();
    },
    async take() {
      while (items.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return signal.aborted ? undefined : items.shift();
    },
  };
}
