// Signatures as people write them, and the items of ABI files.

import { type Abi, type AbiParameter, parseAbi } from "viem";
import { describeError } from "../errors.js";
import { nameOf } from "./parse-type.js";
import { SignatureError } from "./signature-error.js";

/** An event or a function, whichever way it was written. */
export interface AbiItem {
  kind: "event" | "function";
  name: string;
  inputs: readonly AbiParameter[];
  anonymous: boolean;
}

/** `Transfer(address indexed from, ...)`, with or without `event` before it; `struct` lines; or an item of an ABI's JSON. */
export type Source = string | object;

const expected = { event: "an event", function: "a function" };

/** The items of one kind, in their order; structs are known to all of them. Throws SignatureError. */
export function readSignatures(kind: AbiItem["kind"], sources: readonly Source[]): AbiItem[] {
  const lines = sources.map((source) => (typeof source === "string" ? asLine(kind, source) : source));
  const structs = lines.filter((line) => typeof line === "string" && line.startsWith("struct ")) as string[];
  return lines
    .filter((line) => !structs.includes(line as string))
    .map((line) => (typeof line === "string" ? itemOfText(kind, line, structs) : itemOfJson(kind, line)));
}

/** In one line, with its keyword, without what Solidity ends it with. */
function asLine(kind: AbiItem["kind"], text: string): string {
  const line = text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/ ?; ?$/, "");
  return /^(event|function|struct) /.test(line) ? line : `${kind} ${line}`;
}

function itemOfText(kind: AbiItem["kind"], line: string, structs: readonly string[]): AbiItem {
  const anonymous = kind === "event" && / ?\banonymous$/.test(line);
  if (!line.startsWith(`${kind} `))
    throw new SignatureError(`${JSON.stringify(line)}: expected ${expected[kind]}`);
  const signature = anonymous ? line.replace(/ ?anonymous$/, "") : line;
  let abi: Abi;
  try {
    abi = parseAbi([...structs, signature] as readonly string[] as readonly string[] & never) as Abi;
  } catch (error) {
    throw new SignatureError(`${JSON.stringify(signature)}: ${oneLine(error)}`, {}, { cause: error });
  }
  const [item] = abi;
  return itemOfJson(kind, { ...item, ...(anonymous ? { anonymous } : {}) });
}

/** What abitype says without the headings under which it says it. */
function oneLine(error: unknown): string {
  const { shortMessage, metaMessages, details } = error as Record<string, unknown>;
  const parts = [shortMessage, details, ...(Array.isArray(metaMessages) ? metaMessages : [])];
  const said = parts.filter((part) => typeof part === "string" && part !== "").join(" ");
  return said === "" ? describeError(error) : said;
}

function itemOfJson(kind: AbiItem["kind"], source: object): AbiItem {
  const { type, name, inputs = [], anonymous = false } = source as Record<string, unknown>;
  const shown = JSON.stringify(source).slice(0, 200);
  if (type !== kind) throw new SignatureError(`${shown}: expected ${expected[kind]}`);
  if (typeof name !== "string" || name === "" || !Array.isArray(inputs))
    throw new SignatureError(`${shown}: expected an item of an ABI with a name and inputs`);
  for (const input of inputs)
    if (typeof input !== "object" || input === null)
      throw new SignatureError(`${shown}: expected each of the inputs to be an object`);
  return { kind, name: nameOf({ name }), inputs: inputs as AbiParameter[], anonymous: anonymous === true };
}
