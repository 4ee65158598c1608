import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSettings, readDecodeSettings } from "../../src/config/decode-settings.js";
import { loadConfig } from "../../src/config/load.js";

const fits = { address: "any", events: ["A()"] };

test("decode takes an object, or the same as JSON, and the configuration holds it as JSON", () => {
  const format = decodeSettings();
  format({ token: fits });
  format(JSON.stringify({ token: fits }));
  format("");
  const { config } = loadConfig({ env: { BLOCKMILL_DECODE: JSON.stringify({ token: fits }) } });
  assert.deepEqual(readDecodeSettings(config.decode), { token: fits });
  assert.equal(loadConfig({ env: { BLOCKMILL_DECODE: "{}" } }).config.decode, "");
  assert.deepEqual(readDecodeSettings(""), {});
});

const misfits: [unknown, RegExp][] = [
  [[], /expected an object such as/],
  ["{", /expected an object such as/],
  [{ token: 1 }, /expected an object/],
  [{ Token: fits }, /expected a name of at most 30 lower-case/],
  [{ token: { events: ["A()"] } }, /expected an address/],
  [{ token: { address: "any" } }, /expected events/],
  [{ token: { ...fits, address: [] } }, /1 to 10000 addresses/],
  [{ token: { ...fits, address: ["0x1"] } }, /an address \(0x and 40/],
  [{ token: { ...fits, adress: "any" } }, /only address, abi, events, rename, where/],
  [{ token: { ...fits, abi: "" } }, /the name of a file/],
  [{ token: { ...fits, events: [] } }, /a list of events/],
  [{ token: { ...fits, events: [""] } }, /an event's name or signature/],
  [{ token: { ...fits, rename: { A: "" } } }, /a name/],
  [{ token: { ...fits, where: { A: 1 } } }, /EVENT\.ARGUMENT/],
  [{ token: { ...fits, where: { "A.b": [] } } }, /a value, or a list/],
  [{ token: { ...fits, where: { "A.b": {} } } }, /a value, or a list/],
];

test("what does not fit says what was expected", () => {
  for (const [value, says] of misfits)
    assert.throws(() => decodeSettings()(value), says, JSON.stringify(value));
});
