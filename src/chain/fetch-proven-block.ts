import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { Block } from "../block.js";
import type { Compute } from "../child/compute-mark.js";
import { BadResponseError, BlockmillError, BlockNotFoundError } from "../errors.js";
import type { Endpoint } from "./endpoint/endpoint.js";
import { askForBlock, type BlockAnswers, readBlock, type WantedBlock } from "./endpoint/fetch-block.js";
import { fetchHeaderByNumber } from "./endpoint/fetch-head.js";
import type { Endpoints } from "./endpoints.js";
import { AbsentBlockError, maySkip, proveAbsence } from "./prove-absence.js";
import type { Prove } from "./prove-block.js";
import { VerificationError } from "./verify/verification-error.js";

export interface ProvenBlock {
  block: Block;
  /** What was proven. */
  verified: readonly string[];
  /** The endpoint that served it. */
  endpoint: string;
  /** How long that took to answer, in milliseconds. */
  answerMs: number;
  verifyMs: number;
}

/** A block that somebody made something else of than a ProvenBlock, out of its answers and as proven. */
export interface TakenBlock<Taken> {
  taken: Taken;
  endpoint: string;
  answerMs: number;
}

export interface FetchProvenOptions<Taken> {
  endpoints: Endpoints;
  prove: Prove;
  wanted: WantedBlock;
  signal: AbortSignal;
  /** Let what has come meanwhile go first after each step, instead of being done with the block's data the sooner. */
  inSteps?: boolean;
  /** Runs each piece of computing for the block. */
  compute: Compute;
  /** Sees the answers first. Null: it does not take them, and they are parsed and proven as ever. */
  take?:
    | ((answers: BlockAnswers, served: { wanted: WantedBlock; chainId: number }) => Taken | null)
    | undefined;
}

/**
 * Waits between looks for a block that was announced a moment ago: the endpoint that is asked may not be
 * the one that announced it, nor have its receipts yet. In milliseconds.
 */
const announcedWaitsMs = [20, 50, 100, 200, 400, 800];

/**
 * Fetches a block and proves it. Data that cannot be proven blames its endpoint, and another is tried; where nobody's can,
 * each transaction's receipt is asked for by itself. A block that is wanted by its hash was announced: it is waited
 * for a little, until some endpoint has it. Throws an AbsentBlockError where it is proven that the chain has none at the number.
 */
export async function fetchProvenBlock<Taken>(
  options: FetchProvenOptions<Taken>,
): Promise<ProvenBlock | TakenBlock<Taken>> {
  try {
    return await fetchWhenThere(options);
  } catch (error) {
    if (options.signal.aborted) throw error;
    if (error instanceof BlockNotFoundError) {
      throw (await provenAbsent(options)) ?? (await inItsPlace(options, error));
    }
    if (!mayBeReceipts(error)) throw error;
    // What is thrown is the first reason: to ask singly was a last try.
    return await fetchOnce({ ...options, singly: true }).catch(() => {
      throw error;
    });
  }
}

async function fetchWhenThere<Taken>(
  options: FetchProvenOptions<Taken>,
): Promise<ProvenBlock | TakenBlock<Taken>> {
  const waits = options.wanted.hash === null ? [] : announcedWaitsMs;
  for (const waitMs of waits) {
    try {
      return await fetchOnce(options);
    } catch (error) {
      if (!(error instanceof BlockNotFoundError)) throw error;
      await sleep(waitMs, undefined, { signal: options.signal });
    }
  }
  return fetchOnce(options);
}

/** The error that says that the chain has no block at the number, where its rules say that this happens. Null: nobody can prove it. */
async function provenAbsent<Taken>({
  endpoints,
  wanted: { number, hash },
  signal,
}: FetchProvenOptions<Taken>): Promise<AbsentBlockError | null> {
  if (hash !== null || !endpoints.all.some(maySkip)) return null;
  const prove = async (endpoint: Endpoint, cancelled: AbortSignal): Promise<AbsentBlockError | null> => {
    const absence = await proveAbsence(endpoint, number, cancelled);
    return absence === null ? null : new AbsentBlockError({ number, absence, endpoint: endpoint.name });
  };
  return endpoints.tryEach(prove, { signal, block: number }).catch((error: unknown) => {
    // What was thrown first tells more.
    if (error instanceof BlockmillError) return null;
    throw error;
  });
}

/** The error that says so when another block than the one with this hash is canonical at its number by now. */
async function inItsPlace<Taken>(
  { endpoints, wanted, signal }: FetchProvenOptions<Taken>,
  error: BlockNotFoundError,
): Promise<BlockNotFoundError> {
  const { number, hash } = wanted;
  if (hash === null) return error;
  const there = await endpoints
    .tryEach((endpoint, cancelled) => fetchHeaderByNumber(endpoint, number, cancelled), { signal })
    .catch(() => null);
  if (there === null || there.hash === hash) return error;
  const message = `${error.message}; ${there.hash} is in its place`;
  return new BlockNotFoundError(message, { ...error.facts, replaced: true }, { cause: error });
}

/** Whether the receipts may be what is wrong with a block: they are, or the block contradicts what was made of them. */
export function mayBeReceipts(error: unknown): boolean {
  if (!(error instanceof VerificationError || error instanceof BadResponseError)) return false;
  return /^(receipts|logsBloom|gasUsed)/.test(String(error.facts.field));
}

function fetchOnce<Taken>({
  endpoints,
  prove,
  wanted,
  signal,
  inSteps,
  compute,
  take,
  singly = false,
}: FetchProvenOptions<Taken> & { singly?: boolean }): Promise<ProvenBlock | TakenBlock<Taken>> {
  return endpoints.tryEach(
    async (endpoint, cancelled) => {
      const answers = await askForBlock(endpoint, wanted, { signal: cancelled, singly });
      if (inSteps) await setImmediate();
      // Another endpoint may have been quicker.
      cancelled.throwIfAborted();
      // Known: an endpoint is probed before its first work.
      const chainId = endpoint.capabilities.chainId ?? 0;
      const place = endpoints.all.indexOf(endpoint);
      const computeHere: Compute = (block, work) => compute(block, work, place);
      const taken = computeHere(wanted.number, () => take?.(answers, { wanted, chainId }) ?? null);
      const answerMs = Math.max(answers.block.tookMs, answers.receipts.tookMs);
      if (taken !== null) return { taken, endpoint: endpoint.name, answerMs };
      const lenience = prove.lenience(wanted.number, chainId);
      const block = await readBlock(endpoint, answers, wanted, {
        signal: cancelled,
        compute: computeHere,
        lenience,
      });
      if (inSteps) await setImmediate();
      const started = performance.now();
      const verified = computeHere(wanted.number, () => prove(block, { endpoint: endpoint.name, chainId }));
      return { block, verified, endpoint: endpoint.name, answerMs, verifyMs: performance.now() - started };
    },
    { signal, block: wanted.number },
  );
}
