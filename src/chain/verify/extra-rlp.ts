import type { Extra, Hex } from "../../block.js";
import type { ExtraField } from "../../fields/transaction-types.js";
import type { RlpWriter } from "./rlp.js";
import { present, UnencodableError } from "./verification-error.js";

/** Writes a field of another chain's. Throws an UnencodableError if it is missing, or not of its kind. */
export function writeExtra(writer: RlpWriter, extra: Extra | null, field: ExtraField): void {
  const { extra: name, kind } = field;
  if (kind.is === "flag") writer.number(extra?.[name] === true ? 1 : 0);
  else if (kind.is === "bytes") writer.bytes(present(hexIn(extra, field), name));
  else writer.quantity(present(hexIn(extra, field), name));
}

/** Whether it is there. Throws an UnencodableError if it is not of its kind. */
export function hasExtra(extra: Extra | null, field: ExtraField): boolean {
  return hexIn(extra, field) !== null;
}

function hexIn(extra: Extra | null, { extra: name, kind, missing }: ExtraField): Hex | null {
  const value = extra?.[name] ?? missing ?? null;
  if (value === null) return null;
  const digits = kind.is === "bytes" ? `[0-9a-f]{${2 * kind.bytes}}` : "(0|[1-9a-f][0-9a-f]{0,63})";
  if (typeof value === "string" && new RegExp(`^0x${digits}$`).test(value)) return value as Hex;
  throw new UnencodableError({ field: name, expected: "hex", actual: JSON.stringify(value).slice(0, 80) });
}
