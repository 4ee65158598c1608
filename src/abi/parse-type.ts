// The types of the contract ABI: https://docs.soliditylang.org/en/latest/abi-spec.html#types

import type { AbiParameter } from "viem";
import { SignatureError } from "./signature-error.js";

/** A type, with what the places of its values follow from. */
export type AbiType = {
  /** As the ABI writes it, structs as `(address,uint256)`: what selectors are hashes of. */
  canonical: string;
  /** Whether its place holds the offset of its value. */
  dynamic: boolean;
  /** Bytes that it takes where it stands: its value's, or its offset's. */
  headBytes: number;
} & (
  | { kind: "integer"; signed: boolean; bytes: number }
  | { kind: "address" | "bool" | "bytes" | "string" }
  /** bytesN, and function, which is bytes24. */
  | { kind: "fixed-bytes"; bytes: number }
  /** `length` undefined: its value begins with its length. */
  | { kind: "array"; item: AbiType; length: number | undefined }
  | { kind: "struct"; fields: readonly AbiField[] }
);

export interface AbiField {
  /** As the ABI writes it; "" has none. */
  name: string;
  type: AbiType;
}

const wordBytes = 32;
/** Types nest no deeper; Solidity's own limit is its stack, and far lower. */
const mostDepth = 32;
/** A value that takes more where it stands cannot lie in a block: a byte of a log costs 8 gas. */
const mostHeadBytes = 2 ** 26;

/** Throws SignatureError for a type that is none, or that no value can have. */
export function parseType(parameter: AbiParameter, depth = 0): AbiType {
  const { type } = parameter;
  if (typeof type !== "string") throw new SignatureError(`${JSON.stringify(parameter)}: expected a "type"`);
  if (depth > mostDepth) throw new SignatureError(`type ${type}: nested more than ${mostDepth} deep`);
  const array = /^(.*)\[(\d*)\]$/s.exec(type);
  if (array !== null) {
    const [, itemType = "", digits = ""] = array;
    const item = parseType({ ...parameter, type: itemType }, depth + 1);
    return arrayOf(item, digits === "" ? undefined : Number(digits));
  }
  if (type === "tuple") return structOf(parameter, depth);
  const scalar = scalarOf(type);
  if (scalar === undefined)
    throw new SignatureError(
      `type ${JSON.stringify(type)}: expected one of the contract ABI, such as address, uint256, bytes32, string, uint256[]`,
    );
  return scalar;
}

function arrayOf(item: AbiType, length: number | undefined): AbiType {
  const canonical = `${item.canonical}[${length ?? ""}]`;
  if (length === undefined)
    return { kind: "array", canonical, item, length, dynamic: true, headBytes: wordBytes };
  const bytes = item.headBytes * length;
  if (length === 0 || bytes > mostHeadBytes)
    throw new SignatureError(`type ${canonical}: expected a length that a value can have`);
  return {
    ...{ kind: "array", canonical, item, length, dynamic: item.dynamic },
    headBytes: item.dynamic ? wordBytes : bytes,
  };
}

function structOf(parameter: AbiParameter, depth: number): AbiType {
  const components = "components" in parameter ? parameter.components : undefined;
  if (!Array.isArray(components) || components.length === 0)
    throw new SignatureError(`the tuple ${JSON.stringify(parameter.name ?? "")}: expected "components"`);
  const fields = (components as AbiParameter[]).map((each) => ({
    name: nameOf(each),
    type: parseType(each, depth + 1),
  }));
  const keys = fields.map(fieldKey);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined)
    throw new SignatureError(
      `the tuple ${JSON.stringify(parameter.name ?? "")}: two fields are called ${twice}`,
    );
  const dynamic = fields.some(({ type }) => type.dynamic);
  return {
    ...{ kind: "struct", fields, dynamic },
    canonical: `(${fields.map(({ type }) => type.canonical).join(",")})`,
    headBytes: dynamic ? wordBytes : sumOf(fields),
  };
}

/** What a parameter or a field is called; "" for none. Throws SignatureError for what Solidity cannot call it. */
export function nameOf({ name = "" }: { name?: string | undefined }): string {
  if (typeof name === "string" && /^([a-z_$][\w$]*)?$/i.test(name)) return name;
  throw new SignatureError(`the name ${JSON.stringify(name)}: expected letters, digits, _ and $`);
}

/** What a field is called in JSON. */
export function fieldKey({ name }: { name: string }, index: number): string {
  return name === "" ? `arg${index}` : name;
}

/** Bytes that fields take side by side. */
export function sumOf(fields: readonly AbiField[]): number {
  const bytes = fields.reduce((sum, { type }) => sum + type.headBytes, 0);
  if (bytes > mostHeadBytes) throw new SignatureError(`a struct of ${bytes} bytes: no value can have it`);
  return bytes;
}

function scalarOf(type: string): AbiType | undefined {
  const isStatic = { canonical: type, dynamic: false, headBytes: wordBytes };
  switch (type) {
    case "address":
    case "bool":
      return { kind: type, ...isStatic };
    case "bytes":
    case "string":
      return { kind: type, ...isStatic, dynamic: true };
    case "function":
      return { kind: "fixed-bytes", bytes: 24, ...isStatic };
    case "uint":
    case "int":
      return { ...isStatic, kind: "integer", signed: type === "int", bytes: 32, canonical: `${type}256` };
  }
  const [, name, digits = ""] = /^(uint|int|bytes)([1-9]\d{0,2})$/.exec(type) ?? [];
  const size = Number(digits);
  if (name === "bytes") return size <= 32 ? { kind: "fixed-bytes", bytes: size, ...isStatic } : undefined;
  if (name === undefined || size > 256 || size % 8 !== 0) return undefined;
  return { kind: "integer", signed: name === "int", bytes: size / 8, ...isStatic };
}
