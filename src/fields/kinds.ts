// The kinds of values that fields have, and the PostgreSQL type of each.

import type { Fields, Kind } from "./field.js";

/** The largest value of a PostgreSQL int. */
export const MAX_INT4 = 2_147_483_647;
const MAX_INT2 = 32_767;

/** The last second that a timestamptz can hold, in the year 294276. */
export const MAX_TIMESTAMP = 9_224_318_015_999;

export const hash = { is: "bytes", bytes: 32 } as const;
export const address = { is: "bytes", bytes: 20 } as const;
export const bloom = { is: "bytes", bytes: 256 } as const;
export const data = { is: "data" } as const;
export const time = { is: "time" } as const;
export const word = { is: "word" } as const;

export function integer<Max extends number>(max: Max) {
  return { is: "integer", max } as const;
}

export function quantity<Bits extends 8 | 64 | 256>(bits: Bits) {
  return { is: "quantity", bits } as const;
}

export function bytes<Bytes extends number>(count: Bytes) {
  return { is: "bytes", bytes: count } as const;
}

export function words<Most extends number>(most: Most) {
  return { is: "words", most } as const;
}

export function objects<Of extends Fields>(of: Of, most: number) {
  return { is: "objects", of, most } as const;
}

/** The PostgreSQL type of a column that holds values of a kind, as schema.sql writes it. */
export function columnType(kind: Kind): string {
  switch (kind.is) {
    case "integer":
      if (kind.max <= MAX_INT2) return "smallint";
      return kind.max <= MAX_INT4 ? "int" : "bigint";
    case "time":
      return "timestamptz";
    case "quantity":
      return kind.bits === 256 ? "numeric(78, 0)" : "numeric(20, 0)";
    case "word":
    case "bytes":
    case "data":
      return "bytea";
    case "words":
      return "bytea[]";
    case "objects":
      return "jsonb";
    case "text":
      return "text";
    case "false":
      return "boolean";
  }
}
