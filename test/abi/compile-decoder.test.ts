import assert from "node:assert/strict";
import { test } from "node:test";
import { compileEvents, parseEvent } from "../../src/abi/compile.js";
import { SignatureError } from "../../src/abi/signature-error.js";
import { decoded } from "./decoded.js";

const word = (value: number) => value.toString(16).padStart(64, "0");
const topic = (value: number) => `0x${word(value)}`;
const topic0 = (event: { topic0: Buffer | undefined }) => `0x${event.topic0?.toString("hex")}`;

test("one topic0 with other indexed arguments: the number of topics tells the events apart", () => {
  const [erc20, erc721] = compileEvents([
    "Transfer(address indexed from, address indexed to, uint256 value)",
    "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)",
  ]);
  assert(erc20 !== undefined && erc721 !== undefined);
  assert.deepEqual([erc20.table, erc721.table], ["transfer", "transfer_ddf252ad"]);
  const fungible = { topics: [topic0(erc20), topic(1), topic(2)], data: topic(7) };
  const token = { topics: [...fungible.topics, topic(9)], data: "0x" };
  assert.equal(decoded(erc20, fungible)?.value, 7n);
  assert.equal(decoded(erc721, fungible), undefined);
  assert.equal(decoded(erc20, token), undefined);
  assert.equal(decoded(erc721, token)?.token_id, 9n);
});

test("where the number of topics is the same, the length of the data tells them apart", () => {
  const [small, large] = compileEvents([
    "E((uint8 x, uint8 y) indexed pair, uint8 one)",
    "E((uint8 x, uint8 y) pair, uint8 indexed one)",
  ]);
  assert(small !== undefined && large !== undefined);
  const topics = [topic0(small), topic(1)];
  const one = { topics, data: topic(1) };
  const two = { topics, data: `${topic(1)}${word(2)}` };
  assert.deepEqual([decoded(small, one)?.one, decoded(large, one)], [1n, undefined]);
  assert.deepEqual([decoded(small, two), decoded(large, two)?.pair_y], [undefined, 2n]);
  // Alone, an event takes no offence at bytes behind its last value.
  assert.equal(decoded(parseEvent("E((uint8 x, uint8 y) indexed pair, uint8 one)"), two)?.one, 1n);
});

test("a static event and one with text are told apart by the data's length", () => {
  const [plain, text] = compileEvents(["E(uint8 a, string indexed b)", "E(uint8 indexed a, string b)"]);
  assert(plain !== undefined && text !== undefined);
  const topics = [topic0(plain), topic(1)];
  const hashed = { topics, data: topic(32) };
  const written = { topics, data: `${topic(32)}${word(0)}` };
  assert.deepEqual([decoded(plain, hashed)?.a, decoded(text, hashed)], [32n, undefined]);
  assert.deepEqual([decoded(plain, written), decoded(text, written)?.b], [undefined, ""]);
});

test("events that nothing tells apart are refused, with both of them named", () => {
  for (const pair of [
    ["E(uint8 indexed a, uint8 b)", "E(uint8 a, uint8 indexed b)"],
    ["E(string indexed a, string b)", "E(string a, string indexed b)"],
    ["E(uint8 a) anonymous", "F(bool b) anonymous"],
    ["E(uint8 a)", "E(uint8 b)"],
  ])
    assert.throws(
      () => compileEvents(pair),
      (error) =>
        error instanceof SignatureError &&
        pair.every((each) => error.message.includes(each)) &&
        /tells/.test(error.message),
      pair.join(),
    );
});

test("an anonymous event's topics are its arguments", () => {
  const event = parseEvent("Note(bytes4 indexed sig, address indexed who, uint8 a) anonymous");
  const sig = `0xabcdef01${"0".repeat(56)}`;
  assert.deepEqual(decoded(event, { topics: [sig, topic(1)], data: topic(5) }), {
    ...{ sig: "0xabcdef01", who: `0x${"0".repeat(39)}1`, a: 5n, undecodable: null },
  });
});

test("an indexed array, struct, text or bytes is the hash that the log has", () => {
  const event = parseEvent("E(string indexed a, (uint8 x) indexed b, uint8[2] indexed c)");
  const hash = `0x${"cd".repeat(32)}`;
  assert.deepEqual(decoded(event, { topics: [topic0(event), hash, hash, hash], data: "0x" }), {
    ...{ a_hash: hash, b_hash: hash, c_hash: hash, undecodable: null },
  });
});

test("an event without arguments has only what every table has", () => {
  const event = parseEvent("Paused()");
  assert.deepEqual(decoded(event, { topics: [topic0(event)], data: "0x" }), { undecodable: null });
});
