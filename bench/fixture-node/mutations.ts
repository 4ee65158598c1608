// Wrong answers on order: which call gets one, and what is done to its answer.
import { Blooms } from "./bloom.js";
import { quantity, toHex } from "./hex.js";
import { type Answer, blockAskedFor, bodyAskedFor, parseJson } from "./methods.js";
import type { Json, Mutation } from "./protocol.js";
import type { View } from "./view.js";

interface Asked {
  view: View;
  method: string;
  params: readonly unknown[];
}

/** "missing": the response has neither result nor error. */
export type MutatedAnswer = Answer | "missing";

const DEFAULT_DEPTH = 100_000;

/** The mutations that are on order at an endpoint; the first that matches a call is used. */
export class Mutations {
  #ordered: { order: number; mutation: Mutation; left: number }[] = [];
  #orders = 0;

  /** How many were ordered so far: a call takes none that was ordered after the call came. */
  get orders(): number {
    return this.#orders;
  }

  order(mutation: Mutation): void {
    this.#orders += 1;
    this.#ordered.push({ order: this.#orders, mutation, left: mutation.count || Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#ordered = [];
  }

  /** The mutation for a call that came when so many were ordered; it is then used up once. */
  take({ view, method, params }: Asked, orders: number): Mutation | undefined {
    if (this.#ordered.length === 0) return undefined;
    const number = blockAskedFor(view, params)?.number ?? numberIn(params);
    const found = this.#ordered.find(
      ({ order, mutation }) =>
        order <= orders &&
        (mutation.method === "*" || mutation.method === method) &&
        (mutation.block === undefined || mutation.block === number),
    );
    if (!found) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#ordered = this.#ordered.filter((other) => other !== found);
    return found.mutation;
  }
}

/** The answer with the mutation done to it; those that need the whole HTTP response leave it as it is. */
export function mutateAnswer(answer: Answer, mutation: Mutation, asked: Asked): MutatedAnswer {
  switch (mutation.kind) {
    case "null-result":
      return Buffer.from("null");
    case "missing-result":
      return "missing";
    case "error":
      return { code: mutation.code, message: mutation.message };
    case "deep-nesting": {
      const depth = mutation.depth ?? DEFAULT_DEPTH;
      return Buffer.from("[".repeat(depth) + "]".repeat(depth));
    }
    case "many-values":
      return Buffer.from(`[${Array(mutation.values).fill("{}").join()}]`);
    case "other-branch":
      return otherBlock(asked, { branch: mutation.branch, offset: 0 }) ?? answer;
    case "other-number":
      return otherBlock(asked, { branch: asked.view.branch, offset: mutation.offset }) ?? answer;
    case "result":
      return Buffer.from(JSON.stringify(mutation.value));
    case "set":
      return edit(answer, (result) => setPath(result, mutation.path, mutation.value));
    case "empty-list":
      return Buffer.from("[]");
    case "first-alone":
      return firstOf(answer);
    case "http-500":
      return mutation.code === undefined
        ? answer
        : { code: mutation.code, message: mutation.message ?? "Internal error" };
    case "drop-receipt":
      return edit(answer, (result) => Array.isArray(result) && result.shift());
    case "drop-log":
      return edit(answer, (result) =>
        dropLog(result, { index: mutation.index ?? 0, hidden: mutation.hidden ?? false }),
      );
    case "change-log-byte":
      return edit(answer, changeLogByte);
    default:
      return answer;
  }
}

function otherBlock(
  { view, method, params }: Asked,
  { branch, offset }: { branch: string; offset: number },
): Buffer | undefined {
  const asked = blockAskedFor(view, params);
  const body = bodyAskedFor(method, params);
  if (!asked || !body) return undefined;
  return view.onBranch(branch, asked.number + offset)?.read(body) ?? Buffer.from("null");
}

function firstOf(answer: Answer): Answer {
  if (!Buffer.isBuffer(answer)) return answer;
  const result = parseJson(answer);
  return Buffer.from(JSON.stringify(Array.isArray(result) ? (result[0] ?? {}) : result));
}

function edit(answer: Answer, change: (result: unknown) => void): Answer {
  if (!Buffer.isBuffer(answer)) return answer;
  const result = parseJson(answer);
  change(result);
  return Buffer.from(JSON.stringify(result));
}

/** `transactions[0].gas`, `[2].logs[0].data`. An undefined value removes the member. */
function setPath(root: unknown, path: string, value: unknown): void {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  const last = steps.pop();
  let at = root;
  for (const step of steps) at = isObject(at) ? at[step] : undefined;
  if (!isObject(at) || last === undefined) return;
  if (value === undefined) delete at[last];
  else at[last] = value;
}

function dropLog(result: unknown, { index, hidden }: { index: number; hidden: boolean }): void {
  const lists = logLists(result);
  let left = index;
  const holder = lists.find((logs) => {
    if (left < logs.length) return true;
    left -= logs.length;
    return false;
  });
  holder?.splice(left, 1);
  if (!hidden) return;
  let logIndex = 0;
  for (const log of lists.flat()) {
    log.logIndex = quantity(logIndex);
    logIndex += 1;
  }
  for (const receipt of receiptsIn(result)) {
    receipt.logsBloom = toHex(new Blooms().ofLogs(logsIn(receipt).map(bloomLog)));
  }
}

/** Flips the lowest bit of the first byte of data; of the address, if no log has data. */
function changeLogByte(result: unknown): void {
  const logs = logLists(result).flat();
  const withData = logs.find(({ data }) => String(data).length > 2);
  const log = withData ?? logs[0];
  if (!log) return;
  const field = withData ? "data" : "address";
  const bytes = hexBytes(log[field]);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  log[field] = toHex(bytes);
}

/** The lists of logs in an answer: of each receipt, of the one receipt, or of eth_getLogs. */
function logLists(result: unknown): Json[][] {
  const receipts = receiptsIn(result);
  if (receipts.length > 0) return receipts.map(logsIn);
  return Array.isArray(result) ? [result] : [];
}

function receiptsIn(result: unknown): Json[] {
  const list: unknown[] = Array.isArray(result) ? result : [result];
  return list.filter((item): item is Json => isObject(item) && Array.isArray(item.logs));
}

function logsIn(receipt: Json): Json[] {
  return receipt.logs as Json[];
}

function bloomLog(log: Json) {
  return { address: hexBytes(log.address), topics: (log.topics as unknown[]).map(hexBytes) };
}

function hexBytes(hex: unknown): Buffer {
  return Buffer.from(String(hex).slice(2), "hex");
}

function numberIn([first]: readonly unknown[]): number | undefined {
  return typeof first === "string" && first.length < 20 ? Number(first) : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
