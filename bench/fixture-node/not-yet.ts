// A node that announces its head sooner than it has it in full.
import { type Answer, answerMethod, blockAskedFor, parseJson } from "./methods.js";
import type { Json, NotYet } from "./protocol.js";
import type { View } from "./view.js";

interface Call {
  method: string;
  params: readonly unknown[];
}

/** What is said of a block that is not there yet; undefined: the call is not about one. */
export function answerNotYet(
  view: View,
  { method, params }: Call,
  { blocks, block = "there", receipts = "there" }: NotYet,
): Answer | undefined {
  const about =
    method === "eth_getTransactionReceipt" ? blockOfReceipt(view, params) : numberOf(view, params);
  if (about === undefined || about <= view.head - blocks) return undefined;
  if (method === "eth_getBlockReceipts") return receiptsAnswer(view, { method, params }, receipts);
  if (method === "eth_getTransactionReceipt") {
    if (receipts === "there") return undefined;
    return typeof receipts === "object" ? receipts : Buffer.from("null");
  }
  const isFull = method.startsWith("eth_getBlockBy") && params[1] === true;
  if (!isFull || block === "there") return undefined;
  return block === "null" ? Buffer.from("null") : block;
}

function receiptsAnswer(
  view: View,
  call: Call,
  receipts: NonNullable<NotYet["receipts"]>,
): Answer | undefined {
  if (typeof receipts === "object") return receipts;
  if (receipts === "there") return undefined;
  if (receipts === "null") return Buffer.from("null");
  if (receipts === "empty") return Buffer.from("[]");
  const answer = answerMethod(view, { ...call, lacks: [] });
  const list = Buffer.isBuffer(answer) ? (parseJson(answer) as Json[]) : [];
  if (receipts === "few") return Buffer.from(JSON.stringify(list.slice(0, -1)));
  for (const receipt of list) receipt.cumulativeGasUsed = "0x1";
  return Buffer.from(JSON.stringify(list));
}

function numberOf(view: View, params: readonly unknown[]): number | undefined {
  // Heads are told all the same.
  return params[0] === "latest" ? undefined : blockAskedFor(view, params)?.number;
}

function blockOfReceipt(view: View, params: readonly unknown[]): number | undefined {
  const answer = answerMethod(view, { method: "eth_getTransactionReceipt", params, lacks: [] });
  const receipt = Buffer.isBuffer(answer) ? (parseJson(answer) as Json | null) : null;
  return receipt === null ? undefined : Number(receipt.blockNumber);
}
