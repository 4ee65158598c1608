// schema.sql is written by hand, for people to read. It is held here against the fields: every column, its type, whether it
// may be null, its place, and its comment.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { type Column, TABLES, type Table } from "../../src/fields/tables.js";
import { projectRoot } from "../support/project.js";

interface Written {
  name: string;
  type: string;
  isNullable: boolean;
  comment: string | undefined;
}

/** What tells of a block's digest, which the fields are not about. */
const ownColumns: readonly string[] = ["digest", "digest_version"];

const schema = await readFile(path.join(projectRoot, "schema.sql"), "utf8");

for (const table of TABLES) {
  test(`schema.sql has the columns of ${table.name} that the fields describe`, () => {
    const written = writtenColumns(table.name).filter(({ name }) => !ownColumns.includes(name));
    assert.deepEqual(
      written.map(({ name, type, isNullable }) => ({ name, type, isNullable })),
      table.columns.map(({ name, type, isNullable }) => ({ name, type, isNullable })),
    );
  });

  test(`schema.sql's comments on ${table.name} say what the fields say`, () => {
    const faults = writtenColumns(table.name).flatMap(({ name, comment }) => faultsOf(table, name, comment));
    assert.deepEqual(faults, []);
  });
}

test("a comment that says another length, fork, unit or nullability than the field is found", () => {
  const blocks = TABLES[0];
  assert(blocks !== undefined);
  assert.deepEqual(faultsOf(blocks, "miner", "Who mined it. 32 bytes."), ["miner: 32 bytes, not 20"]);
  assert.deepEqual(faultsOf(blocks, "miner", "Who mined it."), ["miner: its 20 bytes are not told"]);
  assert.deepEqual(faultsOf(blocks, "hash", undefined), ["hash: no comment"]);
  const base = "base_fee_per_gas";
  assert.deepEqual(faultsOf(blocks, base, "Wei per gas. Null before Cancun."), [`${base}: not since London`]);
  assert.deepEqual(faultsOf(blocks, base, "Gwei per gas. Null before London."), [
    `${base}: the unit wei is not told`,
  ]);
  assert.deepEqual(faultsOf(blocks, "parent_hash", "The parent. 32 bytes. Null before London."), [
    "parent_hash: it is never null",
  ]);
});

test("each column that nothing proves says so, in its comment and in README, and no other one does", async () => {
  const readme = await readFile(path.join(projectRoot, "README.md"), "utf8");
  const list = readme.slice(readme.indexOf("Unproven in any case:")).split("\n\n")[1] ?? "";
  for (const table of TABLES) {
    const unproven = table.columns.flatMap(({ name, value }) => {
      const isUnproven =
        "of" in value ? value.field.unproven !== undefined : "made" in value && value.made === "extra";
      return isUnproven ? [name] : [];
    });
    const saying = writtenColumns(table.name).filter(({ comment }) => comment?.includes("Unproven: "));
    assert.deepEqual(
      saying.map(({ name }) => name),
      unproven,
    );
    const listed = unproven.filter((name) =>
      list.includes(name === "extra" ? "`extra` of both" : `\`${table.name}.${name}\``),
    );
    assert.deepEqual(listed, unproven);
  }
});

/** Columns whose comments were written before a length was asked of all, in schema 1: they are as they are there. */
const lengthUntold: ReadonlySet<string> = new Set([
  "blocks.uncles",
  "blocks.withdrawals_root",
  "blocks.parent_beacon_block_root",
  "blocks.requests_hash",
  "transactions.root",
  "transactions.contract_address",
]);

function faultsOf(table: Table, name: string, comment: string | undefined): string[] {
  if (comment === undefined) return [`${name}: no comment`];
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined || !("of" in column.value)) return [];
  return [
    ...lengthFaults(table, column, comment),
    ...nullFaults(column, comment),
    ...unitFaults(column, comment),
  ].map((fault) => `${name}: ${fault}`);
}

function lengthFaults(table: Table, column: Column, comment: string): string[] {
  const length = lengthOf(column);
  const told = comment.match(/(\d+) bytes/)?.[1];
  if (length === undefined) return told === undefined ? [] : [`${told} bytes, of a field of any length`];
  if (told === undefined)
    return lengthUntold.has(`${table.name}.${column.name}`) ? [] : [`its ${length} bytes are not told`];
  return Number(told) === length ? [] : [`${told} bytes, not ${length}`];
}

function lengthOf({ value }: Column): number | undefined {
  if (!("of" in value)) return undefined;
  const { kind } = value.field;
  if (kind.is === "bytes") return kind.bytes;
  return kind.is === "word" || kind.is === "words" ? 32 : undefined;
}

function nullFaults({ value, isNullable }: Column, comment: string): string[] {
  if (!("of" in value)) return [];
  const fork = comment.match(/null before ([A-Z][a-z]+)/i)?.[1];
  const { since } = value.field;
  if (since !== undefined && fork !== since) return [`not since ${since}`];
  return !isNullable && /\bnull\b/i.test(comment) ? ["it is never null"] : [];
}

function unitFaults({ value }: Column, comment: string): string[] {
  if (!("of" in value) || value.field.unit === undefined) return [];
  const { unit } = value.field;
  return new RegExp(`\\b${unit}\\b`, "i").test(comment) ? [] : [`the unit ${unit} is not told`];
}

function writtenColumns(table: string): Written[] {
  const body = schema.match(new RegExp(`create table if not exists ${table} \\(\\n(.*?)\\n\\)`, "s"))?.[1];
  assert(body !== undefined, `${table} is not in schema.sql`);
  const lines = body.split("\n").filter((line) => !/^\s*(primary key|constraint|check|--)/.test(line));
  const primaryKey = body.match(/primary key \(([^)]*)\)/)?.[1]?.split(", ") ?? [];
  return lines.map((line) => {
    const [, name = "", rest = ""] = line.match(/^\s+(\w+)\s+(.*?),?$/) ?? [];
    const type = rest.match(/^\w+(\[\]|\(\d+, \d+\))?/)?.[0] ?? "";
    const isKey = rest.includes("primary key") || primaryKey.includes(name);
    const pattern = new RegExp(`comment on column ${table}\\.${name}\\s+is '((?:[^']|'')*)'`);
    return {
      name,
      type,
      isNullable: !rest.includes("not null") && !isKey,
      comment: schema.match(pattern)?.[1]?.replaceAll("''", "'"),
    };
  });
}
