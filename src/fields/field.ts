// A field of a node's answer, and what follows from its description for the program's types.

import type { Hex, Quantity } from "./hex.js";

/** What a value may be: how JSON-RPC writes it, and what it is in the program. kinds.ts has the PostgreSQL types. */
export type Kind =
  /** A quantity from 0 to `max`, a number in the program. */
  | { readonly is: "integer"; readonly max: number }
  /** Seconds since 1970, a number in the program. */
  | { readonly is: "time" }
  /** A quantity of at most so many bits. It stays hex: most are only copied, and half do not fit a number. */
  | { readonly is: "quantity"; readonly bits: 8 | 64 | 256 }
  /** A quantity of at most 256 bits that is stored as 32 bytes. */
  | { readonly is: "word" }
  /** Exactly so many bytes. */
  | { readonly is: "bytes"; readonly bytes: number }
  /** Any number of bytes. */
  | { readonly is: "data" }
  /** At most `most` values of 32 bytes. */
  | { readonly is: "words"; readonly most: number }
  /** At most `most` objects with these fields. */
  | { readonly is: "objects"; readonly of: Fields; readonly most: number }
  /** One of these words; none of a node's answer. */
  | { readonly is: "text"; readonly oneOf: readonly string[] }
  /** A boolean that must not be true. `unless`: what is expected instead, for the error. */
  | { readonly is: "false"; readonly unless: string };

/** The forks that brought fields. */
export type Fork = "Byzantium" | "London" | "Shanghai" | "Cancun" | "Prague" | "Amsterdam";

/** What is said elsewhere in the answer: of the block, of the transaction; `index` is a transaction's place in the block. */
export type Said = "block.number" | "block.hash" | "index" | "transaction.hash";

/**
 * A field is required, unless it has `since` or `optional` (then null where it is missing), `missing`, `lax`, or `unread`.
 * Its name in JSON-RPC and in the program is its key; the same in snake_case is understood as well.
 */
export interface Field {
  readonly kind: Kind;
  /** Null before this fork. */
  readonly since?: Fork;
  /** When it may be null or missing. */
  readonly optional?: string;
  /** The value that a field has which is missing. */
  readonly missing?: number;
  /**
   * A node may leave it out: the proof, where one is made, demands what it covers. Then it is null, or `empty`: a list
   * without items, no bytes; or, for a log's index, its `place` in its receipt.
   */
  readonly lax?: "null" | "empty" | "place";
  /** Another name that nodes give it, where they do not say it under its own. */
  readonly alias?: string;
  /** Says again what the transaction's field of this name says: compared with it, and null where it is not told. It has no column. */
  readonly echoes?: "from" | "to" | "type";
  /** Why a node may say another value than the right one, and is not found out. Said in README, and in the column's comment. */
  readonly unproven?: string;
  /** Says again what is said elsewhere, and must agree with it. Not in the program's object, unless `kept`. */
  readonly repeats?: Said;
  readonly kept?: true;
  /** Known, so not `extra`, but nobody looks at it: why. Not in the program's object. */
  readonly unread?: string;
  /**
   * Its place in the RLP that is hashed, from 0. Two at one place: the first that is not null. Fields at the end that have
   * `since` are hashed up to the last one that is not null. A transaction's places: transaction-types.ts.
   */
  readonly rlp?: number;
  /** Hashed as no bytes where it is null. Another one must not be null to be hashed. */
  readonly emptyIfNull?: true;
  /** Its column; several for a list whose items have one each. Its type follows from the kind (kinds.ts). */
  readonly column?: string | readonly string[];
  /** The first digest version that covers its column; 1, if it is not told. */
  readonly digest?: number;
  /** What one of it is, for the column's comment. */
  readonly unit?: "wei" | "gwei" | "gas" | "bytes";
  /**
   * For a transaction's field: what a node may send, beside null, where the transaction's type does not have it and so
   * its hash does not cover it. Nothing, if it is not told.
   */
  readonly unhashed?: "empty" | "zero" | "gasPrice" | "signature";
}

export type Fields = Readonly<Record<string, Field>>;

/** The fields by name, in their order. */
export function entriesOf(fields: Fields): [name: string, field: Field][] {
  return Object.entries(fields);
}

/** Whether a usual block may lack a field. */
export function isOptional({ since, optional }: Field): boolean {
  return since !== undefined || optional !== undefined;
}

/** Whether a field may be null in the program. */
export function isNullable(field: Field): boolean {
  return isOptional(field) || field.lax === "null" || field.echoes !== undefined;
}

/** Whether the program's object has the field. */
export function isKept({ repeats, kept, unread, kind }: Field): boolean {
  return unread === undefined && kind.is !== "false" && (repeats === undefined || kept === true);
}

type ValueOf<K> = K extends { is: "integer" | "time" }
  ? number
  : K extends { is: "quantity" | "word" }
    ? Quantity
    : K extends { is: "bytes" | "data" }
      ? Hex
      : K extends { is: "words" }
        ? Hex[]
        : K extends { is: "objects"; of: infer Of }
          ? ObjectOf<Of>[]
          : K extends { is: "text"; oneOf: readonly (infer Text)[] }
            ? Text
            : never;

type KeptName<Name, F> = F extends { unread: string } | { kind: { is: "false" } }
  ? never
  : F extends { repeats: Said }
    ? F extends { kept: true }
      ? Name
      : never
    : Name;

type Nullable<F> = F extends { since: Fork } | { optional: string } | { lax: "null" } | { echoes: string }
  ? null
  : never;

/** The program's object with these fields: every hex string checked, lower case, of the stated length. */
export type ObjectOf<F> = {
  -readonly [Name in keyof F as KeptName<Name, F[Name]>]: F[Name] extends { kind: infer K }
    ? ValueOf<K> | Nullable<F[Name]>
    : never;
};
