// What viem makes of a log, as the row that our decoder has to make of it.
//
// viem is not strict where a word holds more than its type: it cuts bits off an address or a bytesN, and gives a uint8 of
// 2^255. It ignores topics too many. Such logs do not fit here. So it decodes each log twice, the second time with wide
// types (every number and address 256 bits, every bytesN 32 bytes), and each value is held against its own type.

import { type AbiEvent, type AbiParameter, type Address, decodeEventLog, type Hex } from "viem";
import { snakeCase } from "../../src/abi/identifiers.js";
import type { Field, HexLog } from "./decoded.js";

type AbiEventParameter = AbiEvent["inputs"][number];

export type Verdict =
  | { row: Record<string, Field> }
  /** Why it does not fit. `limit`: viem stops where it was read too often. */
  | { refused: "viem" | "topics" | "padding" | "limit" };

class Misfit extends Error {}

export function viemRow(abi: AbiEvent, { topics, data }: HexLog): Verdict {
  const indexed = abi.inputs.filter((input) => input.indexed).length;
  const wide = {
    ...abi,
    inputs: abi.inputs.map((input, i) => ({ ...widened(input), name: `x${i}` })),
  } as AbiEvent;
  // The wide event has another topic0: as an anonymous one it is found by its arguments alone.
  const args = abi.anonymous ? topics : topics.slice(1);
  if (args.length !== indexed) return { refused: "topics" };
  const given = { topics: topics as [Hex, ...Hex[]], data: data as Hex, strict: true };
  try {
    decodeEventLog({ ...given, abi: [abi] });
    const { args: values = {} } = decodeEventLog({
      ...{ ...given, topics: args as [Hex, ...Hex[]], abi: [{ ...wide, anonymous: true }] },
    });
    const undecodable: string[] = [];
    const row: Record<string, Field> = {};
    for (const [i, input] of abi.inputs.entries()) {
      const value = (values as unknown as Record<string, unknown>)[`x${i}`];
      addColumns(row, snakeCase(input.name ?? "") || `arg${i}`, input, value, undecodable);
    }
    return { row: { ...row, undecodable: undecodable.length === 0 ? null : undecodable } };
  } catch (error) {
    if (error instanceof Misfit) return { refused: "padding" };
    const name = (error as Error).name;
    return { refused: /LimitExceeded/.test(name) ? "limit" : "viem" };
  }
}

function isHashed(input: AbiEventParameter): boolean {
  return input.indexed === true && /^(string|bytes|tuple)$|\]$/.test(input.type);
}

function widened<T extends AbiParameter>(parameter: T): T {
  const type = parameter.type
    .replace(/^(address|bool|uint\d+)/, "uint256")
    .replace(/^int\d+/, "int256")
    .replace(/^bytes\d+/, "bytes32");
  if (!("components" in parameter)) return { ...parameter, type };
  const components = (parameter.components as AbiParameter[]).map((each, i) => ({
    ...widened(each),
    name: `x${i}`,
  }));
  return { ...parameter, type, components };
}

const fixed = new Set([
  "block_number",
  "log_index",
  "block_timestamp",
  "transaction_hash",
  "address",
  "undecodable",
]);
const reserved = new Set(["from", "to"]);

function addColumns(
  row: Record<string, Field>,
  name: string,
  input: AbiEventParameter,
  value: unknown,
  undecodable: string[],
): void {
  if (isHashed(input)) row[`${name}_hash`] = value as string;
  else if (input.type === "tuple" && "components" in input) {
    for (const [i, field] of input.components.entries()) {
      const of = (value as Record<string, unknown>)[`x${i}`];
      addColumns(row, `${name}_${snakeCase(field.name ?? "") || `arg${i}`}`, field, of, undecodable);
    }
  } else {
    const column = fixed.has(name) || reserved.has(name) ? `${name}_` : name;
    const state = { isText: true };
    const inJson = /\]\[|^tuple.*\]$/.test(input.type);
    const field = narrowed(input, value, inJson, state);
    row[column] = state.isText ? field : null;
    if (!state.isText) undecodable.push(column);
  }
}

function narrowed(
  parameter: AbiParameter,
  value: unknown,
  inJson: boolean,
  state: { isText: boolean },
): Field {
  const { type } = parameter;
  const item = /^(.*)\[\d*\]$/.exec(type)?.[1];
  if (item !== undefined)
    return (value as unknown[]).map((each) => narrowed({ ...parameter, type: item }, each, inJson, state));
  if (type === "tuple" && "components" in parameter) {
    const fields = parameter.components.map((field, i) => [
      field.name || `arg${i}`,
      narrowed(field, (value as Record<string, unknown>)[`x${i}`], inJson, state),
    ]);
    return Object.fromEntries(fields);
  }
  if (type === "string") {
    // viem puts U+FFFD for what is no UTF-8; the strings of these tests have none of their own.
    if (/[\0\ufffd]/.test(value as string)) state.isText = false;
    return value as string;
  }
  if (type === "bytes") return value as Hex;
  const size = Number(/\d+$/.exec(type)?.[0]);
  if (type.startsWith("bytes")) {
    const hex = value as Hex;
    if (/[^0]/.test(hex.slice(2 + size * 2))) throw new Misfit();
    return hex.slice(0, 2 + size * 2);
  }
  const number = value as bigint;
  if (type === "bool") {
    if (number > 1n) throw new Misfit();
    return number === 1n;
  }
  if (type === "address") {
    if (number >= 2n ** 160n) throw new Misfit();
    return `0x${number.toString(16).padStart(40, "0")}` as Address;
  }
  const fits = type.startsWith("int") ? BigInt.asIntN(size, number) : BigInt.asUintN(size, number);
  if (fits !== number) throw new Misfit();
  return inJson ? String(number) : number;
}
