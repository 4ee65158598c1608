// From the configuration's key `decode` to what is to be applied.

import { readFileSync } from "node:fs";
import path from "node:path";
import { encodeAbiParameters } from "viem/utils";
import { type CompiledEvent, compileEvents } from "../abi/compile.js";
import type { Column } from "../abi/flatten.js";
import type { Hex } from "../block.js";
import type { ContractSettings, DecodeSettings, WhereValue } from "../config/decode-settings.js";
import { ConfigError, describeError } from "../errors.js";
import { configuredHash, currentMeaning, type EventDefinition } from "./definition.js";

/** An event table or view as the configuration wants it. */
export interface PlannedDecoder {
  table: string;
  definition: EventDefinition;
  event: CompiledEvent;
  /** SHA-256 of what the configuration says of its contract. */
  configured: string;
}

/** chain_tables wants room for the names of partitions. */
const mostNameLength = 40;

/**
 * What the configuration wants decoded. Throws a ConfigError that names the key: a signature, an ABI or a name of it is
 * wrong, or two tables would have one name. `folder`: relative names of ABI files are counted from here.
 */
export function planDecoders(settings: DecodeSettings, folder: string): PlannedDecoder[] {
  const planned: PlannedDecoder[] = [];
  const contracts = Object.entries(settings).map(([name, contract]) => ({
    name,
    contract,
    events: compileContract(name, contract, folder),
  }));
  for (const { name, contract, events } of contracts) {
    const configured = configuredHash(contract);
    for (const event of events) {
      const key = `decode.${name}`;
      const table = `${name}_${event.table}`;
      if (!/^[a-z][a-z0-9_]*$/.test(table) || table.length > mostNameLength)
        throw new ConfigError(
          `${key}.events: the table of ${event.name} would be called ${table}: expected at most ${mostNameLength} lower-case letters, digits and underscores; "rename": {"${event.name}": ...} gives it another name`,
          { key },
        );
      if (planned.some((other) => other.table === table))
        throw new ConfigError(
          `${key}: two events would have the table ${table}; "rename": {"${event.name}": ...} gives one another name`,
          { key },
        );
      if (event.topic0 === undefined && contract.address === "any")
        throw new ConfigError(
          `${key}.address: expected the address of ${event.name}: it is anonymous, and any log with as many topics could be it`,
          { key: `${key}.address` },
        );
      planned.push({
        table,
        configured,
        event,
        definition: {
          meaning: currentMeaning,
          contract: name,
          event: event.definition,
          exactData: event.exactData,
          rename: renamesOf(event),
          address: addressesOf(contract.address),
          where: whereOf(key, contract, events, event),
        },
      });
    }
  }
  return planned;
}

function compileContract(name: string, contract: ContractSettings, folder: string): CompiledEvent[] {
  const key = `decode.${name}`;
  const abi = contract.abi === undefined ? [] : readAbi(`${key}.abi`, contract.abi, folder);
  const sources: (string | object)[] = [];
  for (const [i, wanted] of (contract.events ?? []).entries()) {
    const isSignature = wanted.includes("(") || contract.abi === undefined;
    const found = isSignature ? [wanted] : abi.filter((item) => item.name === wanted);
    if (found.length === 0)
      throw new ConfigError(
        `${key}.events[${i}]: ${contract.abi} has no event ${wanted}; it has ${abi.map((item) => item.name).join(", ") || "none"}`,
        { key: `${key}.events[${i}]` },
      );
    sources.push(...found);
  }
  if (contract.events === undefined) sources.push(...abi);
  try {
    return compileEvents(sources, { rename: contract.rename });
  } catch (error) {
    throw new ConfigError(
      `${key}.events: ${describeError(error)}`,
      { key: `${key}.events` },
      { cause: error },
    );
  }
}

interface AbiEvent {
  type: "event";
  name: string;
}

/** The events of an ABI's file: a list of items, or an artifact of a compiler with `abi` in it. */
function readAbi(key: string, abi: string, folder: string): AbiEvent[] {
  const file = path.resolve(folder, abi);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new ConfigError(
      `${key}: ${file} cannot be read as JSON: ${describeError(error)}; expected the file of an ABI`,
      { key },
    );
  }
  const items = Array.isArray(json) ? json : (json as { abi?: unknown } | null)?.abi;
  if (!Array.isArray(items))
    throw new ConfigError(`${key}: ${file} holds no ABI: expected a list, or an object with "abi"`, { key });
  return items.filter((item: AbiEvent | null) => item?.type === "event");
}

function addressesOf(address: "any" | string | readonly string[]): "any" | Hex[] {
  if (address === "any") return "any";
  const list = typeof address === "string" ? [address] : address;
  return [...new Set(list.map((each) => each.toLowerCase() as Hex))].sort();
}

/** Its columns' names, where they are not what they would be called. */
function renamesOf(event: CompiledEvent): Record<string, string> {
  const [plain] = compileEvents([event.definition]);
  return Object.fromEntries(
    event.columns.flatMap(({ path, name }, i) => (plain?.columns[i]?.name === name ? [] : [[path, name]])),
  );
}

function whereOf(
  key: string,
  { where = {} }: ContractSettings,
  events: readonly CompiledEvent[],
  event: CompiledEvent,
): Record<string, Hex[]> {
  const conditions: Record<string, Hex[]> = {};
  for (const [what, given] of Object.entries(where)) {
    const dot = what.lastIndexOf(")") === -1 ? what.indexOf(".") : what.indexOf(".", what.lastIndexOf(")"));
    const [who, argument] = [what.slice(0, dot), what.slice(dot + 1)];
    const at = `${key}.where.${what}`;
    const isOf = (each: CompiledEvent) => each.name === who || each.signature === who;
    if (!events.some(isOf))
      throw new ConfigError(
        `${at}: expected EVENT.ARGUMENT of one of ${events.map(({ name }) => name).join(", ")}`,
        {
          key: at,
        },
      );
    if (!isOf(event)) continue;
    const column = event.columns.find((each) => each.argument === argument || each.path === argument);
    if (column === undefined || !isComparable(column))
      throw new ConfigError(
        `${at}: expected an argument of one word; ${event.definition} ${column === undefined ? "has no such argument" : "has another kind"}`,
        { key: at },
      );
    const values = Array.isArray(given) ? given : [given];
    conditions[column.path] = values.map((value) => wordOf(at, column, value)).sort();
  }
  return conditions;
}

function isComparable({ abiType, hashed, place }: Column): boolean {
  const isWord = ["address", "bool", "integer", "fixed-bytes"].includes(abiType.kind);
  return isWord && !hashed && ("topic" in place || place.frame === 0);
}

function wordOf(key: string, { abiType }: Column, value: WhereValue): Hex {
  try {
    const given =
      abiType.kind === "integer"
        ? BigInt(value)
        : abiType.kind === "bool"
          ? readBoolean(value)
          : String(value).toLowerCase();
    return encodeAbiParameters([{ type: abiType.canonical }], [given as never]);
  } catch (error) {
    throw new ConfigError(`${key}: expected a value of ${abiType.canonical}: ${describeError(error, 200)}`, {
      key,
    });
  }
}

function readBoolean(value: WhereValue): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new TypeError(`${value} is neither true nor false`);
}
