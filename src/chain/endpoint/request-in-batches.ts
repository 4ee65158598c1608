import { RateLimitedError } from "../../errors.js";
import type { RpcAnswer } from "./wire.js";

export interface BatchOptions {
  /** Calls that one batch may have now; 1: it takes no batches. */
  size(): number;
  /** A batch was refused: from now on none has more calls than this. */
  shrinkTo(size: number): void;
  /** A call by itself. Throws what its refusal means. */
  request(params: unknown[]): Promise<unknown>;
  sendBatch(calls: unknown[][]): Promise<RpcAnswer[]>;
  signal?: AbortSignal | undefined;
}

/** So many calls that a batch left open are asked for singly; more of them are another batch, of half the size. */
const fewCalls = 10;

/**
 * The results of calls, in order. Servers refuse a batch in many ways: by one error, bare or in a list, with or without
 * an id; by an error for each call, or for those beyond the first few; by a status, by silence, by closing the
 * connection. None of them is the end: one of the calls that failed is asked for singly. When that fails too, it
 * is thrown: it was not the batch. Else batches are half as large from now on, and the others that failed follow.
 */
export async function requestInBatches(calls: unknown[][], options: BatchOptions): Promise<unknown[]> {
  const size = options.size();
  if (size <= 1 || calls.length === 1) return Promise.all(calls.map((params) => options.request(params)));
  const parts: unknown[][][] = [];
  for (let at = 0; at < calls.length; at += size) parts.push(calls.slice(at, at + size));
  const results = await Promise.all(parts.map((part) => requestPart(part, options)));
  return results.flat();
}

async function requestPart(part: unknown[][], options: BatchOptions): Promise<unknown[]> {
  const answers = await answersTo(part, options);
  const failed = part.flatMap((_, i) => (resultIn(answers?.[i]) === undefined ? [i] : []));
  const [first, ...others] = failed;
  const results: unknown[] = part.map((_, i) => resultIn(answers?.[i])?.result);
  if (first === undefined) return results;
  results[first] = await options.request(part[first] ?? []);
  options.shrinkTo(Math.max(1, Math.floor(part.length / 2)));
  const again = others.map((i) => part[i] ?? []);
  const came = await (others.length > fewCalls
    ? requestInBatches(again, options)
    : Promise.all(again.map((params) => options.request(params))));
  for (const [at, i] of others.entries()) results[i] = came[at];
  return results;
}

/** Undefined: the batch failed as a whole. */
async function answersTo(part: unknown[][], options: BatchOptions): Promise<RpcAnswer[] | undefined> {
  try {
    return await options.sendBatch(part);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof RateLimitedError) || error.retryAfterMs === undefined) return undefined;
    // It says when: until then nothing is asked for. A limit below the batch's size would never let it through.
    options.shrinkTo(Math.max(1, Math.floor(part.length / 2)));
    throw error;
  }
}

function resultIn(answer: RpcAnswer | undefined): { result: unknown } | undefined {
  return answer !== undefined && "result" in answer ? answer : undefined;
}
