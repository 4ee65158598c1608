// Names in PostgreSQL of what contracts name: such that psql takes them without quotes.

import { createHash } from "node:crypto";

/** PostgreSQL cuts longer names without a word (NAMEDATALEN). */
export const mostNameBytes = 63;
const hashDigits = 8;
const keptBytes = mostNameBytes - hashDigits - 1;

/**
 * amount0In is amount0_in, URIChanged uri_changed, _from from. What PostgreSQL takes only in quotes becomes `_`.
 * "" where nothing is left.
 */
export function snakeCase(name: string): string {
  const words = name
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1_$2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1_$2")
    .replace(/^_+(?!\p{N})/u, "")
    .toLowerCase();
  return words === "_" ? "" : words;
}

/** A name that is too long is cut to 54 bytes, `_`, and 8 hex digits of its hash. */
export function cutName(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= mostNameBytes) return name;
  let end = keptBytes;
  // Not within a character: what follows one's first byte begins with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, hashDigits);
  return `${bytes.toString("utf8", 0, end)}_${hash}`;
}

/** The name with `_` behind it, where it is taken or PostgreSQL would want quotes around it. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  while (reservedWords.has(free) || taken.has(free)) free = `${free}_`;
  return free;
}

/** In SQL: an identifier, in quotes only where it needs them. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reservedWords.has(name)
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

/**
 * What PostgreSQL 15 to 18 take as a column's name only in quotes, or not at all (the columns that every table has).
 * test/abi/identifiers.test.ts compares it with pg_get_keywords().
 */
export const reservedWords: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between binary both case cast check cmax cmin
  collate collation column concurrently constraint create cross ctid current_catalog current_date current_role
  current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except false
  fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral
  leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps
  placing primary references returning right row select session_user similar some symmetric system_user table tableoid
  tablesample then to trailing true union unique user using variadic verbose when where window with xmax xmin`.split(
    /\s+/,
  ),
);
