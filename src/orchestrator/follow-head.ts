// Following the head: each head that an endpoint tells of is linked to the view of the chain so far,
// compared with what is stored, and enqueued. When the database holds another branch, nothing is
// enqueued before that branch is undone (revert-above.ts).

import type pg from "pg";
import type { Endpoint } from "../chain/endpoint.js";
import type { Endpoints } from "../chain/endpoints.js";
import { fetchHeaderByHash, fetchHeaderByNumber } from "../chain/fetch-header.js";
import type { Head } from "../chain/parse/parse-head.js";
import type { Config } from "../config/schema.js";
import { BlockNotFoundError } from "../errors.js";
import type { Log } from "../log.js";
import { advanceHead } from "../queue/head.js";
import { clearAlert, raiseAlert } from "../queue/reorgs.js";
import { CanonicalView, extendView } from "./canonical-view.js";
import { confirmBranch } from "./confirm-branch.js";
import { type Conflict, findConflict, findConflictBelow } from "./find-conflict.js";
import { revertAbove } from "./revert-above.js";

export interface FollowerOptions {
  pool: pg.Pool;
  endpoints: Endpoints;
  config: Config;
  chainId: number;
  log: Log;
}

export interface Tags {
  safe: number | null;
  finalized: number | null;
}

/**
 * What became of a head: `enqueued` (with the number of blocks that became due), `known` (nothing new,
 * or a node that lags), `unconfirmed` (another branch that a second endpoint does not confirm: ask again
 * later), `halted` (a reorg deeper than chain.max_reorg_depth: a person must look).
 */
export type HeadOutcome = { kind: "enqueued"; blocks: number } | { kind: "known" | "unconfirmed" | "halted" };

/** Follows the chain: `accept` takes heads one at a time, as they come. */
export function createFollower(options: FollowerOptions) {
  const { pool, endpoints, config, chainId, log } = options;
  const { max_reorg_depth: maxDepth, finality_depth: finalityDepth } = config.chain;
  let view = new CanonicalView();

  /** The lowest block that may still change, as far as anybody knows, within the limit. */
  const lowestOpen = (head: Head, { finalized }: Tags): number =>
    Math.max(0, head.number - maxDepth, finalized ?? head.number - finalityDepth);

  return {
    async accept(head: Head, toldBy: string, tags: Tags): Promise<HeadOutcome> {
      const lowest = Math.min(head.number, lowestOpen(head, tags));
      if (view.tail !== undefined && head.number < view.tail.number) return { kind: "known" };
      const ask = askFirst(endpoints, toldBy);
      const extended = await extendView(view, {
        head,
        lowest,
        fetchByHash: (hash, number) => ask((endpoint) => fetchHeaderByHash(endpoint, { hash, number })),
        fetchByNumber: (numbers) => ask((endpoint) => headersByNumber(endpoint, numbers)),
      });
      if (extended.view === view) return { kind: "known" };

      let candidate = extended.view;
      let conflict = await findConflict(pool, candidate);
      if (!extended.linked) {
        const below = await findConflictBelow(pool, {
          tail: candidate.tail?.number ?? head.number,
          limit: maxDepth,
          hashAt: async (number) => (await ask((endpoint) => headerAt(endpoint, number))).hash,
        });
        if (below === "too deep") return halt(head, toldBy);
        if (below !== null) {
          candidate = await deepen(candidate, below.block, ask);
          conflict = {
            ...below,
            oldHead: Math.max(conflict?.oldHead ?? 0, (candidate.tail?.number ?? 0) - 1, below.block),
          };
          conflict = (await findConflict(pool, candidate)) ?? conflict;
        }
      }
      if (conflict !== null) {
        if (conflict.oldHead - conflict.block >= maxDepth) return halt(head, toldBy);
        const confirmed = await undo(candidate, conflict, toldBy);
        if (!confirmed) return { kind: "unconfirmed" };
      }
      const oldTip = extended.linked && conflict === null ? (view.tip?.number ?? -1) : -1;
      const blocks = await advanceHead(pool, {
        chainId,
        headers: candidate.headers.filter(({ number }) => number > lowest || number === head.number),
        fresh: candidate.above(oldTip),
        safeBlock: tags.safe,
        finalizedBlock: tags.finalized,
        startBlock: config.chain.start_block,
        priorityBlocks: config.pipeline.priority_blocks,
        autoEnqueue: config.pipeline.auto_enqueue,
      });
      if (view.tip === undefined || conflict !== null) await clearAlert(pool, "reorg_too_deep");
      view = candidate;
      return { kind: "enqueued", blocks };
    },
  };

  async function undo(candidate: CanonicalView, conflict: Conflict, toldBy: string): Promise<boolean> {
    const forkBlock = conflict.block - 1;
    const branch = candidate.above(forkBlock);
    const first = branch[0];
    const tip = candidate.tip;
    if (first === undefined || tip === undefined) return false;
    const confirmedBy = await confirmBranch(endpoints, {
      number: first.number,
      hash: first.hash,
      tip: tip.number,
      toldBy,
    });
    const facts = { forkBlock, oldHead: conflict.oldHead, newHead: tip.number, toldBy };
    if (confirmedBy === null) {
      log.warn(facts, "another branch was told of, but is not confirmed; nothing is removed");
      return false;
    }
    const removed = await revertAbove(pool, {
      schema: config.database.schema,
      forkBlock,
      branch,
      oldHead: conflict.oldHead,
      oldHash: conflict.hash,
      toldBy,
      confirmedBy,
    });
    log.warn(
      { ...facts, confirmedBy, removed },
      "reorg: the dropped branch's rows are removed, its blocks enqueued again",
    );
    return true;
  }

  async function halt(head: Head, toldBy: string): Promise<HeadOutcome> {
    const message =
      `${toldBy} tells of head ${head.number} on a branch that parts from the stored blocks more than ` +
      `chain.max_reorg_depth (${maxDepth}) blocks deep. Nothing was removed, and no new block is enqueued. ` +
      "Look whether the endpoint serves the right chain; if it does, raise chain.max_reorg_depth and restart.";
    log.error({ head: head.number, endpoint: toldBy }, message);
    await raiseAlert(pool, "reorg_too_deep", message);
    return { kind: "halted" };
  }
}

type Ask = <T>(work: (endpoint: Endpoint) => Promise<T>) => Promise<T>;

/** Asks the endpoint that told of a head, which has it for sure; when it fails, any other. */
function askFirst(endpoints: Endpoints, name: string): Ask {
  const teller = endpoints.all.find((endpoint) => endpoint.name === name);
  return async (work) => {
    if (teller === undefined) return endpoints.tryEach(work);
    try {
      return await work(teller);
    } catch (error) {
      if (endpoints.all.length < 2) throw error;
      return endpoints.tryEach(work, { except: [name] });
    }
  };
}

/** The view with its tail moved down to `to`, by walking parents. */
async function deepen(view: CanonicalView, to: number, ask: Ask): Promise<CanonicalView> {
  const { tail } = view;
  if (tail === undefined || tail.number <= to) return view;
  const { view: below } = await extendView(new CanonicalView(), {
    head: tail,
    lowest: to,
    fetchByHash: (hash, number) => ask((endpoint) => fetchHeaderByHash(endpoint, { hash, number })),
    fetchByNumber: (numbers) => ask((endpoint) => headersByNumber(endpoint, numbers)),
  });
  return new CanonicalView([...below.headers.slice(0, -1), ...view.headers]);
}

async function headerAt(endpoint: Endpoint, number: number): Promise<Head> {
  const header = await fetchHeaderByNumber(endpoint, number);
  if (header !== null) return header;
  const facts = { endpoint: endpoint.name, block: number };
  throw new BlockNotFoundError(`${endpoint.name} does not have block ${number}`, facts);
}

async function headersByNumber(endpoint: Endpoint, numbers: number[]): Promise<Head[]> {
  return Promise.all(numbers.map((number) => headerAt(endpoint, number)));
}
