// A head that no chain has: headers that are made up, each the parent of the next, up to a number far above the chain's.
import { createHash } from "node:crypto";
import { quantity } from "./hex.js";
import type { Json } from "./protocol.js";

/** So many blocks below it are made up, too. */
const depth = 5_000;

/** The made-up block of a number, from a real one; undefined: it is not one of them. */
export function falseBlock(model: Json, top: number, number: number): Json | undefined {
  if (number > top || number <= top - depth || number <= Number(model.number)) return undefined;
  return { ...model, number: quantity(number), hash: hashOf(number), parentHash: hashOf(number - 1) };
}

/** The number of the made-up block that has the hash. */
export function falseNumber(top: number, hash: string): number | undefined {
  for (let number = top; number > top - depth; number -= 1) if (hashOf(number) === hash) return number;
  return undefined;
}

function hashOf(number: number): string {
  return `0x${createHash("sha256").update(`false ${number}`).digest("hex")}`;
}
