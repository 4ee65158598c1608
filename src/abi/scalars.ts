// Values of one word.

import type { FieldWriter } from "./field-writer.js";
import type { AbiType } from "./parse-type.js";

/** How a word is read. */
export interface Scalar {
  op: Op;
  /** Of its 32 bytes the ones that the value is in; the others only pad it. */
  bytes: number;
  signed: boolean;
}

/**
 * What came of writing a value. `misfit`: it is none of its type. `no-text`: its shape fits, but it holds a NUL, or bytes
 * that are not UTF-8; then nothing was written.
 */
export type Outcome = "written" | "misfit" | "no-text";

const integer = 0;
const bigint = 1;
const numeric = 2;
const boolean = 3;
const address = 4;
const fixedBytes = 5;
type Op = 0 | 1 | 2 | 3 | 4 | 5;

/** Undefined: its values are no words. `hashed`: its place has a hash. */
export function scalarOf(type: AbiType, hashed = false): Scalar | undefined {
  if (hashed) return { op: fixedBytes, bytes: 32, signed: false };
  switch (type.kind) {
    case "integer": {
      const { bytes, signed } = type;
      const bits = bytes * 8 - (signed ? 1 : 0);
      return { op: bits <= 31 ? integer : bits <= 63 ? bigint : numeric, bytes, signed };
    }
    case "bool":
      return { op: boolean, bytes: 1, signed: false };
    case "address":
      return { op: address, bytes: 20, signed: false };
    case "fixed-bytes":
      return { op: fixedBytes, bytes: type.bytes, signed: false };
    default:
      return undefined;
  }
}

/** Writes the word at `at`. */
export function writeScalar(
  { op, bytes: size, signed }: Scalar,
  { bytes, view }: { bytes: Buffer; view: DataView },
  at: number,
  out: FieldWriter,
): Outcome {
  switch (op) {
    case numeric:
      if (size < 32 && !isPadded(view, at, size, signed)) return "misfit";
      out.numeric(view, at, signed);
      return "written";
    case address:
      if (view.getUint32(at) !== 0 || view.getUint32(at + 4) !== 0 || view.getUint32(at + 8) !== 0)
        return "misfit";
      out.bytea(bytes, at + 12, 20);
      return "written";
    case fixedBytes:
      for (let i = at + size; i < at + 32; i += 1) if (bytes[i] !== 0) return "misfit";
      out.bytea(bytes, at, size);
      return "written";
    case boolean: {
      const value = bytes[at + 31] as number;
      if (value > 1 || !isPadded(view, at, size, false)) return "misfit";
      out.boolean(value === 1);
      return "written";
    }
    case integer:
      if (!isPadded(view, at, size, signed)) return "misfit";
      out.integer(view.getInt32(at + 28));
      return "written";
    case bigint:
      if (!isPadded(view, at, size, signed)) return "misfit";
      out.bigint(view.getInt32(at + 24), view.getInt32(at + 28));
      return "written";
  }
}

/** Whether all but the last `size` bytes of the word only repeat the value's sign. */
export function isPadded(view: DataView, at: number, size: number, signed: boolean): boolean {
  const first = at + 32 - size;
  const fill = signed && view.getInt8(first) < 0 ? -1 : 0;
  let i = at;
  for (; i + 4 <= first; i += 4) if (view.getInt32(i) !== fill) return false;
  for (; i < first; i += 1) if (view.getInt8(i) !== fill) return false;
  return true;
}
