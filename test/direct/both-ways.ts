// A block's answers, taken by the direct way and by the long one. The long way is the rule: what the direct way takes, it
// must take as well, and the rows must be the same to the byte.

import assert from "node:assert/strict";
import type { BlockAnswers } from "../../src/chain/endpoint/fetch-block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { createProve } from "../../src/chain/prove-block.js";
import type { VerifyLevel } from "../../src/chain/verify/verify-block.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { createDirectWay } from "../../src/direct/direct-way.js";
import { parseExactly } from "../../src/exact-number.js";
import { createEncoder, type EncodedBlock } from "../../src/store/encode-block.js";
import { toRows } from "../../src/store/to-rows.js";

/** The texts of two results, as a node writes them. */
export interface Texts {
  block: string;
  receipts: string;
}

export interface Asked {
  number: number;
  hash?: `0x${string}`;
  chainId?: number;
}

export function textsOf({ block, receipts }: { block: unknown; receipts: unknown }): Texts {
  return { block: JSON.stringify(block), receipts: JSON.stringify(receipts) };
}

/** An answer with this result. In pieces, as answers come. */
export function answerOf(result: string, { id = 1 } = {}): BlockAnswers["block"] {
  const whole = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${result}}`);
  const half = whole.length >> 1;
  const chunks = [whole.subarray(0, half), whole.subarray(half)];
  const unused = (): never => assert.fail("the direct way parses nothing");
  return { bytes: { chunks, size: whole.length, id, parse: unused }, tookMs: 0, result: unused };
}

export interface BothWays {
  /** Whether the direct way takes it. Fails where it should not have, or differs. */
  take(texts: Texts, asked: Asked): boolean;
}

export function bothWays(level: VerifyLevel): BothWays {
  const encoder = createEncoder();
  const proving = { level, recoverSenders: false, onRules: () => {} };
  const takeDirectly = createDirectWay({ ...proving, encoder });
  const prove = createProve(proving);

  const takeLong = ({ block, receipts }: Texts, { number, hash, chainId = 1 }: Asked) => {
    const asked = { endpoint: "node", number, ...(hash === undefined ? {} : { hash }) };
    const lenience = prove.lenience(number, chainId);
    const parsed = parseBlock(parseExactly(block), parseExactly(receipts), asked, lenience);
    const verified = prove(parsed, { endpoint: "node", chainId });
    return { rows: encoder.encode(toRows(parsed, decodeTokenTransfers(parsed), verified)), verified };
  };

  return {
    take(texts, asked) {
      const answers = { block: answerOf(texts.block), receipts: answerOf(texts.receipts) };
      const wanted = { number: asked.number, hash: asked.hash ?? null };
      const direct = takeDirectly(answers, { wanted, chainId: asked.chainId ?? 1 });
      if (direct === null) return false;
      const long = takeLong(texts, asked);
      assert.deepEqual(comparable(direct.rows), comparable(long.rows));
      assert.deepEqual(direct.verified, long.verified);
      encoder.reuse([direct.rows, long.rows]);
      return true;
    },
  };
}

function comparable({ rows, digest, ...rest }: EncodedBlock): unknown {
  const hex = Object.entries(rows).map(([table, bytes]) => [table, bytes.toString("hex")]);
  return { ...rest, rows: Object.fromEntries(hex), digest: digest.toString("hex") };
}
