import assert from "node:assert/strict";
import { test } from "node:test";
import { knownBlobPrice } from "../../../src/chain/verify/blob-price.js";

const inCancun = 1_720_000_000;
const inPrague = 1_750_000_000;

test("the price rises with the excess, as EIP-4844 rounds it", () => {
  const price = (excessBlobGas: bigint) => knownBlobPrice(1, { timestamp: inCancun, excessBlobGas });
  assert.equal(price(0n), 1n);
  assert.equal(price(2_314_057n), 1n);
  assert.equal(price(2_314_058n), 2n);
  assert.equal(price(10_485_760n), 23n);
});

test("each fork has its own fraction", () => {
  const excessBlobGas = 10_485_760n;
  assert.equal(knownBlobPrice(1, { timestamp: inCancun, excessBlobGas }), 23n);
  assert.equal(knownBlobPrice(1, { timestamp: inPrague, excessBlobGas }), 8n);
});

test("an excess that no chain can have costs no time", () => {
  assert.equal(knownBlobPrice(1, { timestamp: inCancun, excessBlobGas: 2n ** 64n - 1n }), null);
});

test("it is not known before blobs, on another chain, or once a newer fork may have changed it", () => {
  const excessBlobGas = 0n;
  assert.equal(knownBlobPrice(1, { timestamp: 1_700_000_000, excessBlobGas }), null);
  assert.equal(knownBlobPrice(1, { timestamp: 1_767_747_670, excessBlobGas }), 1n);
  assert.equal(knownBlobPrice(1, { timestamp: 1_767_747_671, excessBlobGas }), null);
  assert.equal(knownBlobPrice(100, { timestamp: inPrague, excessBlobGas }), null);
});
