// Which blocks a worker prepares before there is a job of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { BlockRef, Hex } from "../../src/block.js";
import { ReadAhead } from "../../src/pipeline/read-ahead.js";

const { signal } = new AbortController();

const hashOf = (number: number): Hex => `0x${number.toString(16).padStart(64, "0")}`;
const block = (number: number): BlockRef => ({ number, hash: hashOf(number) });

function scene(prepare = async ({ number }: BlockRef, _drop: AbortSignal) => `rows of ${number}`) {
  const begun: number[] = [];
  const discarded: string[] = [];
  const ahead = new ReadAhead<string>({
    prepare(wanted, drop) {
      begun.push(wanted.number);
      return prepare(wanted, drop);
    },
    discard: (rows) => discarded.push(rows),
  });
  const announce = (number: number, isIdle = true) => ahead.announced(block(number), { isIdle });
  const take = (number: number) => ahead.take(hashOf(number), signal);
  return { ahead, begun, discarded, announce, take };
}

/** This worker is given blocks from `from` to `to` as they come. */
async function follow({ announce, take }: ReturnType<typeof scene>, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    announce(number);
    await take(number);
  }
}

test("a worker that was given the last blocks begins the next one when it is announced, and once", async () => {
  const here = scene();
  await follow(here, 1, 4);
  assert.deepEqual(here.begun, []);
  here.announce(5);
  here.announce(5);
  assert.deepEqual(here.begun, [5]);
  assert.equal(await here.take(5), "rows of 5");
  assert.equal(await here.take(5), undefined);
});

test("a job that comes before the announcement counts as well", async () => {
  const here = scene();
  for (const number of [1, 2, 3, 4]) {
    await here.take(number);
    here.announce(number, false);
  }
  here.announce(5);
  assert.deepEqual(here.begun, [5]);
});

test("where others are given every second block, none is asked for twice", async () => {
  const here = scene();
  for (let number = 1; number <= 100; number += 1) {
    here.announce(number);
    if (number % 2 === 0) await here.take(number);
  }
  assert.deepEqual(here.begun, []);
});

test("a block that goes to another worker is given up, and the next ones are not begun", async () => {
  const drops: AbortSignal[] = [];
  const here = scene(async ({ number }, drop) => {
    drops.push(drop);
    return `rows of ${number}`;
  });
  await follow(here, 1, 4);
  here.announce(5);
  here.announce(6);
  here.announce(7);
  assert.deepEqual(here.begun, [5]);
  assert.deepEqual(
    drops.map(({ aborted }) => aborted),
    [true],
  );
  assert.equal(await here.take(5), undefined);
  await setImmediate();
  assert.deepEqual(here.discarded, ["rows of 5"]);
});

test("nothing is begun while there is other work", async () => {
  const here = scene();
  await follow(here, 1, 4);
  here.announce(5, false);
  assert.deepEqual(here.begun, []);
});

test("what could not be prepared is left to whoever has the job", async () => {
  const here = scene(async () => {
    throw new Error("no endpoint answers");
  });
  await follow(here, 1, 4);
  here.announce(5);
  assert.equal(await here.take(5), undefined);
});

test("a job that ends ends what was begun for it", async () => {
  const here = scene(
    (_block, drop) =>
      new Promise((_resolve, reject) => drop.addEventListener("abort", () => reject(drop.reason))),
  );
  await follow(here, 1, 4);
  here.announce(5);
  const job = new AbortController();
  const taken = here.ahead.take(hashOf(5), job.signal);
  job.abort();
  assert.equal(await taken, undefined);
});
