import assert from "node:assert/strict";
import { test } from "node:test";
import { createProve, warnOfDerivations } from "../../src/chain/prove-block.js";
import type { Logger } from "../../src/logger.js";

function collector(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const warn = (fields: Record<string, unknown>, message: string) => lines.push({ ...fields, message });
  return { log: { warn } as unknown as Logger, lines };
}

const said = { block: 7, told: "0x1b", derived: "0x0" };

test("an endpoint is warned of once a field, wherever in a block it is", () => {
  const { log, lines } = collector();
  const warn = warnOfDerivations(log);
  warn({ ...said, endpoint: "one", field: "transactions[3].v" });
  warn({ ...said, endpoint: "one", field: "transactions[14].v" });
  warn({ ...said, endpoint: "one", field: "receipts[0].gasUsed" });
  warn({ ...said, endpoint: "two", field: "transactions[3].v" });
  assert.deepEqual(
    lines.map(({ endpoint, field }) => [endpoint, field]),
    [
      ["one", "transactions[3].v"],
      ["one", "receipts[0].gasUsed"],
      ["two", "transactions[3].v"],
    ],
  );
  const [first] = lines;
  assert.equal(first?.told, '"0x1b"');
  assert.equal(first?.derived, '"0x0"');
});

test("what an endpoint does not say is no reason to warn", () => {
  const { log, lines } = collector();
  warnOfDerivations(log)({ ...said, endpoint: "one", field: "transactions[3].v", told: null });
  assert.deepEqual(lines, []);
});

test("lenient is what no check covers: by the level, by the chain, by the block", () => {
  const lenience = (level: "roots" | "bloom" | "off", number: number, chainId: number) => {
    const prove = createProve({ level, recoverSenders: false, onRules() {} });
    return Object.entries(prove.lenience(number, chainId)).flatMap(([part, is]) => (is ? [part] : []));
  };
  const all = ["header", "transactions", "receipts", "indexes"];
  assert.deepEqual(lenience("roots", 7, 1), []);
  assert.deepEqual(lenience("bloom", 7, 1), ["header", "transactions", "receipts"]);
  assert.deepEqual(lenience("off", 7, 1), all);
  // Celo became an L2 of the OP stack; Avalanche has a header of its own.
  assert.deepEqual(lenience("roots", 31_056_499, 42_220), all);
  assert.deepEqual(lenience("roots", 31_056_500, 42_220), []);
  assert.deepEqual(lenience("roots", 7, 43_114), ["header"]);
});
