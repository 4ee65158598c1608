// docs/QUERIES.md: each command as it is written there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { readerIndexes } from "../../src/store/reader-indexes.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { projectRoot } from "../support/project.js";
import { blockmill } from "./blockmill.js";

interface Question {
  heading: string;
  indexes: string[];
  args: string[];
}

const text = await readFile(path.join(projectRoot, "docs/QUERIES.md"), "utf8");
const questions: Question[] = text
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [, line = "", command = ""] =
      /^Index(?:es)?: (.*)\.$[\s\S]*^```sh\n([\s\S]*?)^```$/m.exec(section) ?? [];
    return {
      heading: section.split("\n")[0] ?? "",
      indexes: [...line.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
      args: wordsOf(command),
    };
  });

/** The words of a command, as a shell takes them. */
function wordsOf(command: string): string[] {
  const found = command.replaceAll("\\\n", " ").matchAll(/'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|(\S+)/g);
  return [...found].map(
    ([, single, double, bare]) => single ?? double?.replace(/\\([$`"\\])/g, "$1") ?? bare ?? "",
  );
}

let database: TestDatabase;

/** The accounts and contracts that the page names. */
const hex = {
  wallet: "\\xa9d1e08c7793af67e9d92fe308d5697fb81d3e43",
  usdc: "\\xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
  pair: "\\xb4e16d0168e52d35cacd2c6185b44281ec28c9dc",
  factory: "\\x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
};

before(async () => {
  database = await createDatabase();
  const topic = (address: string) => `\\x${"00".repeat(12)}${address.slice(2)}`;
  const words = (...values: (number | string)[]) =>
    `\\x${values.map((value) => (typeof value === "number" ? value.toString(16) : value.slice(2)).padStart(64, "0")).join("")}`;
  const other = `\\x${"22".repeat(20)}`;
  const logs: [address: string, topics: string[], data: string][] = [
    [
      hex.usdc,
      [
        "\\xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        topic(other),
        topic(hex.wallet),
      ],
      words(500),
    ],
    [
      hex.usdc,
      [
        "\\x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",
        topic(hex.wallet),
        topic(other),
      ],
      words(7),
    ],
    [
      hex.factory,
      ["\\x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9", topic(hex.usdc), topic(other)],
      words(hex.pair, 1),
    ],
    [
      hex.pair,
      ["\\xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822", topic(other), topic(other)],
      words(30, 0, 0, 4),
    ],
    [
      hex.pair,
      ["\\xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822", topic(other), topic(other)],
      words(0, 5, 12, 0),
    ],
  ];
  for (const [index, [address, [t0, t1, t2], data]] of logs.entries())
    await database.pool.query(
      `insert into logs (block_number, log_index, block_hash, transaction_hash, transaction_index, address, topic0, topic1, topic2, data)
       values (21000007, $1, '\\x01', '\\x02', 0, $2, $3, $4, $5, $6)`,
      [index, address, t0, t1, t2, data],
    );
  await database.pool.query(
    `insert into token_transfers (block_number, log_index, batch_index, transaction_hash, token_address, standard, from_address, to_address, value)
     values (21000007, 0, 0, '\\x02', $1, 'erc20', $2, $3, 500), (21000008, 0, 0, '\\x03', $1, 'erc20', $3, $2, 120)`,
    [hex.usdc, other, hex.wallet],
  );
});
after(() => database.drop());

test("the page has questions, each with the indexes that it wants, which blockmill index builds", () => {
  assert(questions.length >= 12);
  const known = new Set(readerIndexes.map(({ name }) => name));
  for (const { heading, indexes, args } of questions) {
    assert.deepEqual(args.slice(0, 2), ["blockmill", "query"], heading);
    assert.deepEqual(
      indexes.filter((name) => !known.has(name)),
      [],
      heading,
    );
  }
});

/** What is known of the answers, by the beginnings of the headings. */
const answers: Record<string, object[]> = {
  "A holder's balance": [{ balance: "380" }],
  "The largest holders": [{ holder: `0x${hex.wallet.slice(2)}`, balance: "380" }],
  "A factory's pairs": [
    {
      ...{ pair: `0x${hex.pair.slice(2)}`, token0: `0x${hex.usdc.slice(2)}`, token1: `0x${"22".repeat(20)}` },
      ...{ swaps: 2, volume0: "42" },
    },
  ],
  "The volume of a pair": [{ day: null, swaps: 2, volume0: "42", volume1: "9" }],
  "The allowances": [{ spender: `0x${"22".repeat(20)}`, value: "7", block_timestamp: null }],
  "What was paid": [{ block_timestamp: null, from_: `0x${"22".repeat(20)}`, value: "500" }],
};

for (const { heading, args } of questions)
  test(`${heading}: the command of the page answers`, async () => {
    const ended = await blockmill([...args.slice(1), "--format", "json"], {
      BLOCKMILL_DATABASE_URL: database.url,
    });
    assert.equal(ended.code, 0, ended.stderr);
    const rows = JSON.parse(ended.stdout);
    const [, expected] = Object.entries(answers).find(([begins]) => heading.startsWith(begins)) ?? [];
    if (expected !== undefined) assert.deepEqual(rows, expected);
  });
