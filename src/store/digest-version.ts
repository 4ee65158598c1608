// Which columns blocks.digest covers is said beside each column: since which version. So a new column changes no digest
// that is stored: each block is proven by its own version's columns.

import type { CoveredColumn } from "./chain-table.js";
import { BLOCK_TABLES } from "./chain-tables.js";

const tables = Object.values<{ covered: readonly CoveredColumn[] }>(BLOCK_TABLES);

/** The newest version, which covers every column: what is written. */
export const digestVersion = Math.max(...tables.flatMap(({ covered }) => covered.map(({ since }) => since)));

/**
 * Whether a version's digest covers blocks.digest_version as well, behind the columns of blocks. The first does not: it
 * is older than the column.
 */
export function coversItself(version: number): boolean {
  return version >= 2;
}

/** Whether a stored digest_version is one that this program knows. */
export function isKnownVersion(version: number): boolean {
  return version >= 1 && version <= digestVersion;
}

/** The columns that a version covers, in their order. */
export function columnsOf(covered: readonly CoveredColumn[], version: number): string[] {
  return covered.filter(({ since }) => since <= version).map(({ name }) => name);
}

/** The columns that came after a version: null in the rows of its blocks. */
export function columnsAfter(covered: readonly CoveredColumn[], version: number): string[] {
  return covered.filter(({ since }) => since > version).map(({ name }) => name);
}
