// From the bytes of logs to rows: which logs are an event's, and what becomes of those that do not fit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAbiParameters, type Hex, keccak256, padHex, stringToBytes } from "viem";
import { checkLayout, createDecode, type DecodedLogs } from "../../src/decode/decode-logs.js";
import { columnsOf, createDecoder, type Decoder } from "../../src/decode/decoder.js";
import { configuredHash, currentMeaning, type EventDefinition } from "../../src/decode/definition.js";
import { CopyWriter } from "../../src/store/copy-writer.js";

interface MadeLog {
  block?: number;
  address?: Hex;
  topics: Hex[];
  data?: Hex;
}

const here: Hex = `0x${"11".repeat(20)}`;
const there: Hex = `0x${"22".repeat(20)}`;
const hash: Hex = `0x${"33".repeat(32)}`;
const topicOf = (signature: string): Hex => keccak256(stringToBytes(signature));
const word = (value: bigint): Hex => encodeAbiParameters([{ type: "uint256" }], [value]);

/** Rows of `logs`; `more`: columns that a newer schema has. */
function encoded(logs: readonly MadeLog[], more = 0): Buffer {
  const out = new CopyWriter();
  out.begin(Buffer.alloc(64));
  for (const [index, { block = 1, address = here, topics, data = "0x" }] of logs.entries()) {
    out.row(11 + more);
    out.int8(block);
    out.int4(index);
    out.bytea(hash);
    out.bytea(hash);
    out.int4(0);
    out.bytea(address);
    for (const i of [0, 1, 2, 3]) out.bytea(topics[i] ?? null);
    out.bytea(data);
    for (let i = 0; i < more; i += 1) out.bytea(i % 2 === 0 ? null : hash);
  }
  return Buffer.from(out.bytesOf({ from: 0, to: out.size }));
}

let lastId = 0;

function decoderOf(event: string, more: Partial<EventDefinition> = {}): Decoder {
  lastId += 1;
  const definition: EventDefinition = {
    meaning: currentMeaning,
    contract: "made",
    event,
    exactData: false,
    rename: {},
    address: "any",
    where: {},
    ...more,
  };
  return createDecoder({ id: lastId, table: `made_${lastId}`, definition });
}

const counts = ({ rows, misfits }: DecodedLogs, ...decoders: Decoder[]): number[] => [
  ...decoders.map((decoder) => rows.get(decoder)?.count ?? 0),
  misfits.count,
];

const time = Buffer.alloc(8, 7);
const decode = (decoders: Decoder[], logs: readonly MadeLog[], more = 0) =>
  createDecode(decoders)(encoded(logs, more), () => time);

const transfer = "Transfer(address indexed from, address indexed to, uint256 value)";
const log: MadeLog = {
  topics: [topicOf("Transfer(address,address,uint256)"), padHex(here), padHex(there)],
  data: word(5n),
};

test("a row has the log's place, its block's time and the arguments, behind one another", () => {
  checkLayout();
  const decoder = decoderOf(transfer, { rename: { "2": "amount" } });
  assert.deepEqual(columnsOf(decoder), [
    "block_number",
    "log_index",
    "block_timestamp",
    "transaction_hash",
    "address",
    ...decoder.event.columns.map(({ name }) => name),
    "undecodable",
  ]);
  assert.equal(decoder.event.columns[2]?.name, "amount");
  const { rows } = decode([decoder], [log]);
  const field = (hex: string) => (hex.length / 2).toString(16).padStart(8, "0") + hex;
  const expected = [
    field("0000000000000001"),
    field("00000000"),
    field("07".repeat(8)),
    field(hash.slice(2)),
    field(here.slice(2)),
    field(here.slice(2)),
    field(there.slice(2)),
    // A numeric of one digit of base 10000.
    field("00010000000000000005"),
    "ffffffff",
  ];
  assert.equal(rows.get(decoder)?.bytes.toString("hex"), `0009${expected.join("")}`);
});

test("the first topic, the number of topics, the address and where tell whose a log is", () => {
  const any = decoderOf(transfer);
  const token = decoderOf("Transfer(address indexed from, address indexed to, uint256 indexed id)");
  const elsewhere = decoderOf(transfer, { address: [there] });
  const toHere = decoderOf(transfer, { where: { "1": [padHex(here)] } });
  const five = decoderOf(transfer, { where: { "2": [word(4n), word(5n)] } });
  const all = [any, token, elsewhere, toHere, five];
  const logs: MadeLog[] = [
    log,
    { ...log, address: there },
    { ...log, data: word(6n) },
    { topics: [...log.topics, word(1n)] },
    { topics: [log.topics[0] as Hex, padHex(there), padHex(here)], data: word(7n) },
    { topics: [] },
    { topics: [hash] },
  ];
  assert.deepEqual(counts(decode(all, logs), ...all), [4, 1, 1, 1, 2, 0]);
  // Columns that are added to logs later change nothing.
  assert.deepEqual(counts(decode(all, logs, 3), ...all), [4, 1, 1, 1, 2, 0]);
});

test("an anonymous event is told by its address and its number of topics", () => {
  const made = decoderOf("Made(uint256 indexed id, uint256 value) anonymous", { address: [here] });
  const logs = [
    { topics: [word(1n)], data: word(2n) },
    { topics: [word(1n)], data: word(2n), address: there },
    log,
  ];
  assert.deepEqual(counts(decode([made], logs), made), [1, 0]);
});

test("what has another shape is no row, and is listed with its decoder", () => {
  const decoder = decoderOf(transfer);
  const other = decoderOf("Text(string text)");
  const text = [topicOf("Text(string)")];
  const logs: MadeLog[] = [
    { ...log, data: "0x01" },
    { ...log, topics: [log.topics[0] as Hex, `0xff${"00".repeat(31)}`, padHex(there)] },
    { topics: text, data: word(2n ** 255n) },
    { topics: text, data: encodeAbiParameters([{ type: "string" }], ["fits"]) },
    log,
  ];
  const decoded = decode([decoder, other], logs);
  assert.deepEqual(counts(decoded, decoder, other), [1, 1, 3]);
  const rowBytes = 2 + 12 + 8 + 8;
  const listed = Array.from({ length: 3 }, (_, i) => [
    decoded.misfits.bytes.readInt32BE(i * rowBytes + 18),
    decoded.misfits.bytes.readInt32BE(i * rowBytes + 26),
  ]);
  assert.deepEqual(listed, [
    [0, decoder.id],
    [1, decoder.id],
    [2, other.id],
  ]);
});

test("events that only the length of their data tells apart are told apart", () => {
  const narrow = decoderOf("A(uint256 x)", { exactData: true });
  assert.deepEqual(
    counts(decode([narrow], [{ topics: [topicOf("A(uint256)")], data: word(1n) }]), narrow),
    [1, 0],
  );
  const longer = { topics: [topicOf("A(uint256)")], data: `${word(1n)}${word(2n).slice(2)}` as Hex };
  assert.deepEqual(counts(decode([narrow], [longer]), narrow), [0, 0]);
  assert.deepEqual(counts(decode([decoderOf("A(uint256 x)")], [longer]), narrow), [0, 0]);
});

test("only what is wanted of a block is decoded", () => {
  const [first, second] = [decoderOf(transfer), decoderOf(transfer)];
  const wants = (decoder: Decoder, block: number) => decoder === first || block === 2;
  const logs = encoded([log, { ...log, block: 2 }]);
  assert.deepEqual(
    counts(
      createDecode([first, second])(logs, () => time, wants),
      first,
      second,
    ),
    [2, 1, 0],
  );
});

test("a contract's settings have a hash of their own", () => {
  const one = configuredHash({ address: "any", events: ["A()"] });
  assert.notEqual(one, configuredHash({ address: "any", events: ["B()"] }));
  assert.equal(one, configuredHash({ address: "any", events: ["A()"] }));
});
