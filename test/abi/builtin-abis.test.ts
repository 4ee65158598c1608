import assert from "node:assert/strict";
import { test } from "node:test";
import { erc20Abi, erc721Abi, erc4626Abi } from "viem";
import { builtinAbis } from "../../src/abi/builtin-abis.js";
import { compileEvents } from "../../src/abi/compile.js";

const topic0Of = (name: keyof typeof builtinAbis) =>
  Object.fromEntries(
    compileEvents(builtinAbis[name]).map((event) => [event.table, `0x${event.topic0?.toString("hex")}`]),
  );

test("each ABI that is known by name compiles, without two events of one name", () => {
  for (const [name, signatures] of Object.entries(builtinAbis)) {
    const events = compileEvents(signatures);
    assert.equal(new Set(events.map(({ table }) => table)).size, signatures.length, name);
    assert(events.every(({ columns, isStatic }) => columns.length > 0 && (isStatic || name === "erc1155")));
  }
});

test("the standards' events are those that viem has of them", () => {
  for (const [name, abi] of [
    ["erc20", erc20Abi],
    ["erc721", erc721Abi],
    ["erc4626", erc4626Abi],
  ] as const) {
    const theirs = compileEvents(abi.filter(({ type }) => type === "event"));
    for (const ours of compileEvents(builtinAbis[name])) {
      const same = theirs.find(({ topic0 }) => ours.topic0 !== undefined && topic0?.equals(ours.topic0));
      assert.deepEqual(
        [same?.topics, same?.columns.map(({ type }) => type)],
        [ours.topics, ours.columns.map(({ type }) => type)],
        ours.definition,
      );
    }
  }
});

test("the topics that explorers show are those of these signatures", () => {
  // https://etherscan.io: logs of USDC, of the pairs and pools of Uniswap, of WETH, and of Permit2.
  assert.equal(
    topic0Of("erc20").transfer,
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  );
  assert.equal(
    topic0Of("erc20").approval,
    "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",
  );
  assert.equal(
    topic0Of("uniswap_v2_pair").swap,
    "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
  );
  assert.equal(
    topic0Of("uniswap_v2_pair").sync,
    "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1",
  );
  assert.equal(
    topic0Of("uniswap_v2_factory").pair_created,
    "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9",
  );
  assert.equal(
    topic0Of("uniswap_v3_pool").swap,
    "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
  );
  assert.equal(
    topic0Of("uniswap_v3_factory").pool_created,
    "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118",
  );
  assert.equal(
    topic0Of("weth").deposit,
    "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c",
  );
  assert.equal(
    topic0Of("weth").withdrawal,
    "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65",
  );
});
