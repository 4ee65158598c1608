// Sixty events, and random logs of them: as a contract emits them, and as somebody does who wants a decoder to fail.

import { type AbiEvent, type AbiParameter, encodeAbiParameters, type Hex } from "viem";
import { builtinAbis } from "../../src/abi/builtin-abis.js";
import { type CompiledEvent, parseEvent } from "../../src/abi/compile.js";
import { readSignatures } from "../../src/abi/read-signatures.js";
import type { HexLog } from "./decoded.js";

const more = [
  "Empty()",
  "A(uint8 a, uint16 b, uint24 c, uint32 d, uint40 e, uint48 f, uint56 g, uint64 h)",
  "B(int8 a, int16 b, int24 c, int32 d, int40 e, int48 f, int56 g, int64 h, int72 i)",
  "C(uint72 a, uint96 b, uint128 c, uint160 d, uint248 e, int128 f, int248 g, int256 h)",
  "D(bytes1 a, bytes4 b, bytes20 c, bytes31 d, bytes32 e, bool f, address g)",
  "E(bytes4 indexed a, bool indexed b, int24 indexed c, uint8 d)",
  "F(uint256[3] a, bool[2] b, address[1] c, int8[4] d)",
  "G((address maker, uint256 amount, (bool ok, bytes4 id) more) order, uint8 last)",
  "H(string indexed a, bytes indexed b, uint256[] indexed c)",
  "I(bytes32 indexed a, address b) anonymous",
  "J(uint8 indexed a, int8 indexed b, bool indexed c, bytes3 indexed d, uint16 e) anonymous",
  "K(uint256, address, bool)",
  "L(string a)",
  "M(bytes a, string b, uint8 c)",
  "N(uint8[] a, int256[] b, address[] c, bool[] d, bytes4[] e)",
  "O((uint8 a, string b, uint16[] c) s, bytes d)",
  "P((uint8 a, (string b, (bytes c, uint8 d) e) f) s, uint8 g)",
  "Q(string[] a, bytes[] b)",
  "R(string[2] a, bytes[1] b)",
  "S(uint256[][] a)",
  "T(uint8[2][3] a, uint8[][2] b, uint8[2][] c)",
  "U((address a, uint256 b)[] list)",
  "V((string a, (bool b, int64 c)[] d)[] list, uint8 e)",
  "W((uint8 a, string b)[2] list)",
  "X(uint8[][][] a)",
  "Y(address indexed who, string note, uint64[] ids)",
] as const;

const texts = [...new Set([...Object.values(builtinAbis).flat(), ...more])];

export interface KnownEvent {
  event: CompiledEvent;
  /** As viem takes it. */
  abi: AbiEvent;
}

export const sixtyEvents: readonly KnownEvent[] = texts.map((text) => {
  const [item] = readSignatures("event", [text]);
  if (item === undefined) throw new Error(`no event: ${text}`);
  const { name, inputs, anonymous } = item;
  return { event: parseEvent(text), abi: { type: "event", name, inputs, anonymous } as AbiEvent };
});

/** Numbers from 0 up to 1: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random: () => number, end: number): number => Math.floor(random() * end);

/** One of the sixty, and a log of it; every other one is changed. */
export function randomLog(random: () => number): KnownEvent & { log: HexLog } {
  const known = sixtyEvents[below(random, sixtyEvents.length)] as KnownEvent;
  const log = emitted(known, random);
  return { ...known, log: random() < 0.5 ? log : changed(log, random) };
}

function emitted({ event, abi }: KnownEvent, random: () => number): HexLog {
  const topics: Hex[] = event.topic0 === undefined ? [] : [`0x${event.topic0.toString("hex")}`];
  const plain: AbiParameter[] = [];
  for (const input of abi.inputs) {
    if (!input.indexed) plain.push(input);
    else if (/^(string|bytes|tuple)$|\]$/.test(input.type)) topics.push(bytesOf(32, random));
    else topics.push(encodeAbiParameters([input], [valueOfType(input, random)]));
  }
  return {
    topics,
    data: encodeAbiParameters(plain, plain.map((each) => valueOfType(each, random)) as never),
  };
}

const strings = ["", "abc", "Zoë €", "a\0b", "x".repeat(40), '"\\\n'];

function valueOfType(parameter: AbiParameter, random: () => number): unknown {
  const { type } = parameter;
  const array = /^(.*)\[(\d*)\]$/.exec(type);
  if (array !== null) {
    const length = array[2] === "" ? below(random, 4) : Number(array[2]);
    return Array.from({ length }, () => valueOfType({ ...parameter, type: array[1] ?? "" }, random));
  }
  if (type === "tuple" && "components" in parameter) {
    const { components } = parameter;
    const values = components.map((each) => valueOfType(each, random));
    return components.every(({ name }) => name)
      ? Object.fromEntries(components.map(({ name }, i) => [name, values[i]]))
      : values;
  }
  if (type === "bool") return random() < 0.5;
  if (type === "string") return strings[below(random, strings.length)];
  if (type === "address") return bytesOf(20, random);
  if (type === "bytes") return bytesOf(below(random, 70), random);
  const size = Number(/\d+$/.exec(type)?.[0] ?? 256);
  if (type.startsWith("bytes")) return bytesOf(size, random);
  const number = BigInt(bytesOf(1 + below(random, size / 8), random));
  const value = type.startsWith("int") ? BigInt.asIntN(size, number) : number;
  return size <= 48 ? Number(value) : value;
}

function bytesOf(length: number, random: () => number): Hex {
  let hex = "";
  for (let i = 0; i < length; i += 1) hex += below(random, 256).toString(16).padStart(2, "0");
  return `0x${hex}`;
}

/** A few changes of a log's topics and data. */
function changed({ topics, data }: HexLog, random: () => number): HexLog {
  const bytes = [...Buffer.from(data.slice(2), "hex")];
  let list = [...topics];
  for (let changes = 1 + below(random, 3); changes > 0; changes -= 1) {
    const words = Math.floor(bytes.length / 32);
    const at = below(random, words) * 32;
    switch (below(random, 9)) {
      case 0: // A number that is an offset, a length, or much too large.
      case 1:
      case 2:
        if (words > 0)
          bytes.splice(
            at,
            32,
            ...Buffer.from(special(random, bytes.length).toString(16).padStart(64, "0"), "hex"),
          );
        break;
      case 3: // Another word of the same data.
        if (words > 0) bytes.splice(at, 32, ...bytes.slice(below(random, words) * 32).slice(0, 32));
        break;
      case 4:
        if (bytes.length > 0) bytes[below(random, bytes.length)] = below(random, 256);
        break;
      case 5:
        bytes.splice(below(random, bytes.length + 1));
        break;
      case 6:
        bytes.push(...Array.from({ length: below(random, 70) }, () => below(random, 256)));
        break;
      case 7:
        list = list.slice(0, 1 + below(random, 3)).concat(random() < 0.3 ? [bytesOf(32, random)] : []);
        break;
      default:
        // The first topic is what says which event it is.
        list = list.map((topic, i) => (i > 0 && random() < 0.5 ? bytesOf(32, random) : topic));
    }
  }
  return { topics: list, data: `0x${Buffer.from(bytes).toString("hex")}` };
}

function special(random: () => number, length: number): bigint {
  const choices = [
    0n,
    1n,
    2n,
    31n,
    33n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n,
    2n ** 64n,
    2n ** 160n,
    2n ** 255n,
    2n ** 256n - 1n,
  ];
  if (random() < 0.5) return BigInt(below(random, length / 32 + 2) * 32);
  return choices[below(random, choices.length)] ?? 0n;
}
