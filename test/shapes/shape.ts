// A shape: how some chain's nodes write a block otherwise than Ethereum's do, and what must be stored. It is a file of this
// folder: what is changed in a usual block, and in what its rows then differ from the usual ones.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Chain } from "../../bench/fixture-node/chain.js";
import { type ChainWishes, chainOptions } from "../../bench/fixture-node/chain-options.js";
import type { Block } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { createProve } from "../../src/chain/prove-block.js";
import type { VerifyLevel } from "../../src/chain/verify/verify-block.js";
import { parseExactly } from "../../src/exact-number.js";
import { projectRoot } from "../support/project.js";

export interface Shape {
  file: string;
  /** In words. */
  shape: string;
  chain: { name: string; id: number };
  /** Where it was seen. */
  seen: string;
  verify: VerifyLevel;
  /**
   * By path, in the block or its receipts (`[*]`: each item), the value there; null: it is missing. A text that begins with
   * "=" is a value that follows from the usual one: `=xdc`, `=number`, `=place`, `=+7`, or another field's, as `=miner`.
   */
  set: Record<string, unknown>;
  /** By path in the program's block, what differs from the usual one's. `logs`: how they are numbered. */
  stored: Record<string, unknown>;
  /** Fields about which the endpoint is warned of; none where it is left out. */
  warns?: string[];
}

export type Raw = Record<string, unknown>;

export interface RawAnswers {
  block: Raw;
  receipts: Raw[];
}

/** The block of which every shape is made: transactions of each type, 6 creates a contract, 7 failed and has no logs. */
export const usualNumber = 3;
export const usualWishes: ChainWishes = { transactions: 16, logsPerTransaction: 2, signatures: "random" };

const folder = path.join(projectRoot, "test/shapes");

export const shapes: readonly Shape[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .sort()
  .map((file) => ({
    file,
    ...(parseExactly(readFileSync(path.join(folder, file), "utf8")) as Omit<Shape, "file">),
  }));

/** A chain's usual block: its hashes and roots hold. */
export function usualBlock(chainId: number): RawAnswers {
  const block = new Chain(chainOptions({ ...usualWishes, chainId })).block("main", usualNumber);
  assert(block !== undefined);
  return {
    block: JSON.parse(block.read("full").toString()),
    receipts: JSON.parse(block.read("receipts").toString()),
  };
}

/** The same in a shape. Values that follow from others are taken before anything is removed. */
export function shaped(usual: RawAnswers, { set }: Pick<Shape, "set">): RawAnswers {
  const answers = structuredClone(usual);
  const entries = Object.entries(set).sort(([, a], [, b]) => Number(a === null) - Number(b === null));
  for (const [at, value] of entries) {
    const places = placesOf(answers, at);
    assert(places.length > 0, `${at} is nowhere`);
    for (const { holder, key, item } of places) {
      if (value === null) delete holder[key];
      else holder[key] = valueAt(value, { holder, key, item });
    }
  }
  return answers;
}

interface Place {
  holder: Raw;
  key: string;
  /** The holder's place in its list. */
  item: number;
}

/** Where a path leads. Of a list's items, those that have the field; `name` itself may be a new one where no item is asked for. */
function placesOf(root: unknown, at: string): Place[] {
  const steps = at.split(/[.[\]]+/).filter((step) => step !== "");
  const key = steps.pop() ?? "";
  let holders: { holder: unknown; item: number }[] = [{ holder: root, item: 0 }];
  for (const step of steps) {
    holders = holders.flatMap(({ holder, item }) => {
      if (step === "*") return (holder as unknown[]).map((each, index) => ({ holder: each, item: index }));
      return [{ holder: (holder as Raw)[step], item }];
    });
  }
  return holders
    .map(({ holder, item }) => ({ holder: holder as Raw, key, item }))
    .filter(({ holder }) => holder !== undefined && holder !== null);
}

function valueAt(value: unknown, { holder, key, item }: Place): unknown {
  if (typeof value !== "string" || !value.startsWith("=")) return value;
  const told = holder[key];
  const rule = value.slice(1);
  if (rule === "place") return `0x${item.toString(16)}`;
  if (rule.startsWith("+")) return `0x${(Number(told) + Number(rule)).toString(16)}`;
  // A field that this one does not have, as the fee cap of a legacy transaction, stays so.
  if (rule === "xdc") return typeof told === "string" ? told.replace(/^0x/, "xdc") : told;
  if (rule === "number")
    return told === undefined || Number(told) > Number.MAX_SAFE_INTEGER ? told : Number(told);
  return holder[rule];
}

/** What the long way makes of a node's answers. */
export function storedBlock(
  answers: RawAnswers,
  { chain, verify }: Shape,
  onWarning: (field: string) => void = () => {},
): { block: Block; verified: readonly string[] } {
  const prove = createProve({
    ...{ level: verify, recoverSenders: false, onRules() {} },
    onDerived({ field, told }) {
      if (told !== null) onWarning(field.replace(/\[\d+\]/g, "[]"));
    },
  });
  const { block, receipts } = parseExactly(JSON.stringify(answers)) as RawAnswers;
  const asked = { endpoint: "node", number: usualNumber };
  const parsed = parseBlock(block, receipts, asked, prove.lenience(usualNumber, chain.id));
  const verified = prove(parsed, { endpoint: "node", chainId: chain.id });
  return { block: parsed, verified };
}

/** The usual block with what a shape's file says. */
export function asShaped(usual: Block, { stored }: Shape): Block {
  const block = structuredClone(usual);
  for (const [at, value] of Object.entries(stored)) {
    if (at === "logs") {
      for (const { receipt } of block.transactions)
        for (const log of receipt.logs) log.logIndex += Number(String(value).slice(1));
      continue;
    }
    const steps = at.split(/[.[\]]+/).filter((step) => step !== "");
    const key = steps.pop() ?? "";
    const holder = steps.reduce<unknown>((inside, step) => (inside as Raw)[step], block) as Raw;
    assert(key in holder, `${at} is no field`);
    holder[key] = value;
  }
  return block;
}
