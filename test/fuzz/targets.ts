// What is fuzzed: everything that reads what somebody else wrote. Each target takes an input and throws
// when a promise about it is broken; an answer that is refused in the promised way is no failure.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import type { Block, Hex } from "../../src/block.js";
import {
  MalformedAnswerError,
  matchAnswer,
  matchBatch,
  parseAnswer,
} from "../../src/chain/endpoint/match-answers.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { parseHead } from "../../src/chain/parse/parse-head.js";
import { createProve } from "../../src/chain/prove-block.js";
import { VerificationError } from "../../src/chain/verify/verification-error.js";
import { loadConfig } from "../../src/config/load.js";
import { listKeys } from "../../src/config/schema.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { BadResponseError, type BlockmillError, ConfigError, describeError } from "../../src/errors.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { toRows } from "../../src/store/to-rows.js";
import { compareWithViem } from "../abi/differential.js";
import { bothWays, textsOf } from "../direct/both-ways.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";
import { rawBlock } from "../support/raw-block.js";
import { type Change, changed, changes, hostileValue, type Json } from "./mutate.js";

export interface Target<T = unknown> {
  name: string;
  inputs: fc.Arbitrary<T>;
  /** Throws when the input breaks a promise. */
  check(input: T): void;
}

const target = <T>(each: Target<T>): Target => each as Target;

const prove = createProve({ level: "roots", recoverSenders: false, onRules: () => {} });
const { encode } = createEncoder();
const served = { endpoint: "node.example", chainId: 1 };
/** What the direct way takes, the long way must take as well, with the same rows. */
const ways = [bothWays("roots"), bothWays("off")];

/** Blocks as nodes send them. The first is a chain's, with hashes that hold; the others are made up. */
const documents: { document: Json; number: number; original: Block | undefined }[] = [
  (() => {
    const { block, receipts } = scriptChain({ head: 3, transactions: 4 }).raw(2);
    const document = { block, receipts } as Json;
    const original = parse(document, 2);
    prove(original, served);
    return { document, number: 2, original };
  })(),
  ...(["frontier", "byzantium", "london", "prague"] as const).map((fork) => {
    const types = fork === "prague" ? [0, 1, 2, 3, 4, 0x7e] : [0];
    const { block, receipts } = rawBlock({
      ...{ number: 7, fork, transactions: types, logsPerTransaction: 4, withdrawals: 2 },
    });
    return { document: { block, receipts } as Json, number: 7, original: undefined };
  }),
];

function parse(document: Json, number: number): Block {
  const { block, receipts } = (document ?? {}) as { block?: unknown; receipts?: unknown };
  return parseBlock(block, receipts, { endpoint: served.endpoint, number });
}

/** Runs `work`, and returns its result, or undefined when it threw one of the errors that are promised. */
function refusedAs<T>(kinds: (new (...args: never[]) => Error)[], work: () => T): { result: T } | undefined {
  try {
    return { result: work() };
  } catch (error) {
    assert(
      kinds.some((kind) => error instanceof kind),
      new Error("refused in another way than promised", { cause: error }),
    );
    const told = describeError(error);
    assert(told.length > 0 && told.length <= 2_000 && !told.includes("\0"), "an error that nobody can read");
    return undefined;
  }
}

/** Fields that may be missing where another one says the same (test/verify/mutations.test.ts). */
const repeated = ["chainId", "gasPrice", "v", "yParity", "contractAddress", "effectiveGasPrice"];

/** A block without what no hash of it covers, and without what says once more what another field says. */
function provenPartOf({ header, transactions, withdrawals }: Block, like: Block): unknown {
  const { extra: _e, size: _s, totalDifficulty: _t, ...hashed } = header;
  const filled = (fields: object, original: object | undefined): object =>
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => {
        const isMissing = value === null && repeated.includes(key);
        return [key, isMissing ? (original as Record<string, unknown> | undefined)?.[key] : value];
      }),
    );
  return {
    header: hashed,
    withdrawals,
    transactions: transactions.map(({ extra: _extra, from: _from, receipt, ...transaction }, i) => {
      const { blobGasPrice: _price, extra: _more, from: _f, to: _t, type: _y, ...proven } = receipt;
      const original = like.transactions[i];
      return { ...filled(transaction, original), receipt: filled(proven, original?.receipt) };
    }),
  };
}

const block = target({
  name: "block",
  inputs: fc.tuple(fc.nat(documents.length - 1), changes),
  check([which, list]: [number, Change[]]) {
    const { document, number, original } = documents[which] ?? assert.fail();
    const answer = changed(document, list);
    const { block, receipts } = (answer ?? {}) as { block?: unknown; receipts?: unknown };
    if (block !== undefined && receipts !== undefined) {
      for (const way of ways) way.take(textsOf({ block, receipts }), { number });
    }
    const parsed = refusedAs([BadResponseError], () => parse(answer, number));
    if (parsed === undefined) return;
    // Whatever parses can be written: the level "off" proves nothing.
    encode(toRows(parsed.result, decodeTokenTransfers(parsed.result), []));
    const proven = refusedAs([VerificationError], () => prove(parsed.result, served));
    if (proven === undefined) return;
    assert(original !== undefined, "a made-up block was proven");
    const parts = [parsed.result, original].map((each) => provenPartOf(each, original));
    assert.deepEqual(parts[0], parts[1], "a changed block was proven");
  },
});

const rawHead = scriptChain({ head: 3, transactions: 0 }).raw(2).block as Json;

const head = target({
  name: "head",
  inputs: fc.oneof(
    changes.map((list) => changed(rawHead, list)),
    hostileValue as fc.Arbitrary<Json>,
  ),
  check(raw: Json) {
    refusedAs([BadResponseError], () => parseHead(raw, served.endpoint));
  },
});

const calls = [1, 2, 3].map((id) => ({ id, method: "eth_blockNumber", params: [] }));
const answers: Json = calls.map(({ id }) => ({ jsonrpc: "2.0", id, result: "0x1" }));

const answer = target({
  name: "answer",
  inputs: fc.oneof(
    changes.map((list) => JSON.stringify(changed(answers, list))),
    fc.tuple(changes, fc.nat(200)).map(([list, at]) => JSON.stringify(changed(answers, list)).slice(0, at)),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.constantFrom("[".repeat(100_000), `${'{"a":'.repeat(50_000)}1`, "", "\u0000", "\ufeff[]"),
  ),
  check(text: string) {
    refusedAs([MalformedAnswerError], () => {
      const raw = parseAnswer(text);
      for (const result of matchBatch(calls, raw)) assert("result" in result || "error" in result);
      const [call] = calls;
      if (call !== undefined && Array.isArray(raw)) matchAnswer(call, raw[0]);
    });
  },
});

const topic0 = [
  "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62",
  "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb",
];
const hexOf = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString("hex")}`;
const word = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    0x40n,
    0x60n,
    0x80n,
    31n,
    33n,
    2n ** 31n,
    2n ** 53n,
    2n ** 64n,
    2n ** 255n,
    2n ** 256n - 1n,
  ),
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
);
const words = fc
  .array(word, { maxLength: 40 })
  .map((list): Hex => `0x${list.map((each) => each.toString(16).padStart(64, "0")).join("")}`);

const transfers = target({
  name: "transfers",
  inputs: fc.array(
    fc.record({
      topics: fc
        .tuple(
          fc.constantFrom(...topic0),
          fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 3 }),
        )
        .map(([first, rest]) => [first as Hex, ...rest.map(hexOf)]),
      data: fc.oneof(words, fc.uint8Array({ maxLength: 400 }).map(hexOf)),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  check(logs: { topics: Hex[]; data: Hex }[]) {
    const parsed = parse(documents[1]?.document ?? null, 7);
    const [transaction] = parsed.transactions;
    assert(transaction !== undefined);
    const [like] = transaction.receipt.logs;
    assert(like !== undefined);
    transaction.receipt.logs = logs.map((log, logIndex) => ({ ...like, ...log, logIndex }));
    const decoded = decodeTokenTransfers(parsed);
    const most = logs.reduce((sum, { data }) => sum + 1 + Math.floor(data.length / 64), 0);
    assert(decoded.length <= most, "more transfers than the data holds");
    for (const { value, tokenId } of decoded) {
      for (const number of [value, tokenId ?? "0x0"]) assert.match(number, /^0x(0|[1-9a-f][0-9a-f]{0,63})$/);
    }
    encode(toRows(parsed, decoded, []));
  },
});

const secret = "hunter2-planted";
const paths = listKeys().map((key) => key.path);
const settings: Json = Object.fromEntries(
  [...new Set(paths.map((each) => each.split(".")[0] ?? ""))].map((section) => [
    section,
    Object.fromEntries(
      listKeys()
        .filter((key) => key.path.startsWith(`${section}.`))
        .map((key) => [key.path.slice(section.length + 1), plantedOr(key.path, key.default as Json)]),
    ),
  ]),
);

function plantedOr(at: string, value: Json): Json {
  if (at === "database.url") return `postgresql://u:${secret}@db.example/x`;
  return at === "rpc.urls" ? [`https://node.example/${secret}`] : value;
}

const configuration = target({
  name: "configuration",
  inputs: fc.oneof(
    changes.map((list) => JSON.stringify(changed(settings, list))),
    fc
      .tuple(changes, fc.nat(2_000))
      .map(([list, at]) => JSON.stringify(changed(settings, list)).slice(0, at)),
    fc.string({ unit: "binary", maxLength: 100 }),
  ),
  check(text: string) {
    const folder = mkdtempSync(path.join(tmpdir(), "blockmill-fuzz-"));
    try {
      const file = path.join(folder, "chain.json");
      writeFileSync(file, text);
      loadConfig({ file, env: {} });
    } catch (error) {
      assert(error instanceof ConfigError, new Error("refused in another way", { cause: error }));
      const told = describeError(error);
      assert(told.includes("chain.json"), `it does not name the file: ${told}`);
      assert(!told.includes(secret), "a secret is told");
      assert(
        !JSON.stringify((error as BlockmillError).facts).includes(secret),
        "a secret is among the facts",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});

const value = target({
  name: "setting",
  inputs: fc.tuple(
    fc.constantFrom(...paths),
    fc.oneof(
      hostileValue.map((each) => (typeof each === "string" ? each : (JSON.stringify(each) ?? ""))),
      fc.string({ unit: "binary" }),
    ),
  ),
  check([at, text]: [string, string]) {
    refusedAs([ConfigError], () => loadConfig({ env: {}, flags: [{ path: at, flag: "--set", text }] }));
  },
});

const events = target({
  name: "events",
  inputs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  check(seed: number) {
    compareWithViem(seed);
  },
});

export const targets: readonly Target[] = [block, head, answer, transfers, events, configuration, value];
