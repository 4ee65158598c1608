// The key `decode`: which events become tables. What stands here is the shape of it; whether a signature can be read, and
// what tables follow, is for src/decode.

import { type Format, MisfitError } from "./formats.js";

/** A contract, or contracts of a kind, whose events become tables. */
export interface ContractSettings {
  /** Whose logs: of everybody, of one contract, or of several. */
  address: "any" | string | string[];
  /** A file with an ABI (JSON), or a name of one that blockmill has. */
  abi?: string;
  /** Names of events of the ABI, or signatures. Left out: all of the ABI. */
  events?: string[];
  /** "Event.argument" to the name of its column; "Event" to what its table is called behind the contract's name. */
  rename?: Record<string, string>;
  /** "Event.argument" to a value, or values, of which it has one. */
  where?: Record<string, WhereValue | WhereValue[]>;
}

export type WhereValue = string | number | boolean;

export type DecodeSettings = Record<string, ContractSettings>;

/** Contracts that may stand there. */
const mostContracts = 1_000;
/** Addresses, events, renames or values that one of them may have. */
const mostItems = 10_000;

const addressWords = "an address (0x and 40 hex digits)";

/** decode: an object with an object for each contract. As text: the same as JSON. */
export function decodeSettings(): Format {
  const parse = (text: string): unknown => {
    try {
      return text === "" ? "" : (JSON.parse(text) as unknown);
    } catch {
      return text;
    }
  };
  const expected = 'an object such as {"erc20": {"address": "any", "abi": "erc20", "events": ["Transfer"]}}';
  // convict would take an object for a section of keys: the configuration holds it as JSON.
  const check = (given: unknown): void => {
    const value = typeof given === "string" ? parse(given) : given;
    if (value === "") return;
    if (!isObject(value)) throw new TypeError(`expected ${expected}`);
    checkContracts(value);
  };
  return Object.assign(check, {
    expected,
    parse,
    canonical: (value: unknown) => {
      const isEmpty = isObject(value) && Object.keys(value).length === 0;
      return isEmpty ? "" : isObject(value) ? JSON.stringify(value) : value;
    },
  });
}

/** What `decode` says, which the configuration holds as JSON. */
export function readDecodeSettings(decode: string): DecodeSettings {
  return decode === "" ? {} : (JSON.parse(decode) as DecodeSettings);
}

function checkContracts(contracts: Record<string, unknown>): void {
  const names = Object.keys(contracts);
  if (names.length > mostContracts)
    throw new MisfitError([], `at most ${mostContracts} contracts`, String(names.length));
  for (const name of names) {
    if (!/^[a-z][a-z0-9_]{0,29}$/.test(name))
      throw new MisfitError(
        [name],
        "a name of at most 30 lower-case letters, digits and underscores that begins with a letter: tables are called by it",
        "another name",
      );
    const settings = contracts[name];
    if (!isObject(settings)) throw new MisfitError([name], "an object", show(settings));
    checkContract(name, settings);
  }
}

const contractKeys = ["address", "abi", "events", "rename", "where"];

function checkContract(name: string, settings: Record<string, unknown>): void {
  for (const key of Object.keys(settings))
    if (!contractKeys.includes(key))
      throw new MisfitError([name, key], `only ${contractKeys.join(", ")}`, "another key");
  const { address, abi, events, rename, where } = settings;
  if (address === undefined) throw new MisfitError([name], 'an address, or "address": "any"', "none");
  checkAddress([name, "address"], address);
  if (abi !== undefined && (typeof abi !== "string" || abi === "" || abi.length > 4_096))
    throw new MisfitError([name, "abi"], "the name of a file, or of an ABI that blockmill has", show(abi));
  if (events === undefined && abi === undefined)
    throw new MisfitError(
      [name],
      'events, such as ["Transfer(address indexed from, ...)"], or an abi',
      "neither",
    );
  if (events !== undefined) checkTexts([name, "events"], events, "a list of events");
  if (rename !== undefined) {
    if (!isObject(rename)) throw new MisfitError([name, "rename"], "an object", show(rename));
    for (const [what, to] of Object.entries(rename))
      if (typeof to !== "string" || to === "")
        throw new MisfitError([name, "rename", what], "a name", show(to));
  }
  if (where !== undefined) checkWhere([name, "where"], where);
}

function checkAddress(path: (string | number)[], address: unknown): void {
  if (address === "any") return;
  if (Array.isArray(address)) {
    if (address.length === 0 || address.length > mostItems)
      throw new MisfitError(path, `1 to ${mostItems} addresses`, String(address.length));
    for (const [i, each] of address.entries())
      if (!isAddress(each)) throw new MisfitError([...path, i], addressWords, show(each));
    return;
  }
  if (!isAddress(address))
    throw new MisfitError(path, `"any", ${addressWords}, or a list of them`, show(address));
}

function checkTexts(path: (string | number)[], value: unknown, expected: string): void {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostItems)
    throw new MisfitError(path, expected, show(value));
  for (const [i, each] of value.entries())
    if (typeof each !== "string" || each === "" || each.length > 10_000)
      throw new MisfitError([...path, i], "an event's name or signature", show(each));
}

function checkWhere(path: string[], where: unknown): void {
  if (!isObject(where))
    throw new MisfitError(path, 'an object such as {"Transfer.to": "0x..."}', show(where));
  for (const [argument, value] of Object.entries(where)) {
    if (!/^[^.]+\..+$/.test(argument))
      throw new MisfitError([...path, argument], "EVENT.ARGUMENT", "another name");
    const values = Array.isArray(value) ? value : [value];
    const isScalar = (each: unknown) => ["string", "number", "boolean"].includes(typeof each);
    if (values.length === 0 || values.length > mostItems || !values.every(isScalar))
      throw new MisfitError([...path, argument], "a value, or a list of values", show(value));
  }
}

function isAddress(value: unknown): boolean {
  return typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
