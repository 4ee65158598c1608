import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { readConfigFile } from "../../src/config/config-file.js";
import { ConfigError } from "../../src/errors.js";

const folder = mkdtempSync(path.join(tmpdir(), "blockmill-config-file-"));
after(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "chain.json");

function read(text: string) {
  writeFileSync(file, text);
  return readConfigFile(file);
}

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.message.replaceAll(file, "FILE");
  }
  throw new Error("it was taken");
}

test("each key has its value and its line, at both levels and inside a value", () => {
  const [rpc, name] = read('{\n  "rpc": {\n    "urls": ["a",\n      {"url": "b"}]\n  },\n  "name": 7\n}');
  assert.equal(rpc?.name, "rpc");
  const [urls] = rpc?.keys ?? [];
  assert.equal(JSON.stringify(urls?.value), JSON.stringify(["a", { url: "b" }]));
  assert.equal(urls?.place(), `${file}:3`);
  assert.equal(urls?.place([1, "url"]), `${file}:4`);
  assert.equal(urls?.place([9]), `${file}:3`);
  assert.equal(name?.keys, null);
  assert.equal(name?.place(), `${file}:6`);
});

test("a byte order mark is no error", () => {
  assert.deepEqual(read("\uFEFF{}"), []);
});

test("what is no JSON object of unique keys is refused by its line, and nothing of it is repeated", () => {
  assert.equal(refusal('{\n  "a": 1\n  "secret": 2\n}'), "FILE:3: this is not JSON: comma expected");
  assert.match(refusal('{} // "secret"'), /^FILE:1: this is not JSON: /);
  assert.match(refusal('["secret"]'), /^FILE:1: expected a JSON object/);
  assert.match(refusal(""), /^FILE:1: /);
  assert.equal(
    refusal('{"a": {\n  "b": "secret",\n  "b": 2}}'),
    "b (FILE:3): it is given twice, first at FILE:2",
  );
});

test("a file that is not there, or cannot be read, is named", () => {
  assert.throws(() => readConfigFile(`${file}.no`), /there is no such file$/);
  assert.throws(() => readConfigFile(folder), /it cannot be read \(EISDIR\)$/);
});
