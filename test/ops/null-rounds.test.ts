// Commands on a chain that has no block at some numbers: Filecoin's null rounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { skip } from "../support/debian-postgres.js";
import { startFixture } from "../support/fixture.js";
import { type BackupPlace, setBackupScene } from "./backup-scene.js";

const absent = [395, 396, 403];

test("a range, its status and gaps, a backup and what is restored of it know the numbers without a block", {
  skip,
}, async (t) => {
  const scene = await setBackupScene(t);
  const node = await startFixture({ chainId: 314, head: 430, nullRounds: { main: absent } });
  t.after(() => node.stop());
  const withNode = { BLOCKMILL_RPC_URLS: node.url };
  const source = await scene.place("source");
  await source.succeed(["init"]);

  // Half of it archived, half of it as jobs.
  assert.match(
    await source.succeed(["range", "390", "399"], withNode),
    /^8 blocks stored in .* 0 failed, 2 without a block on the chain$/m,
  );
  await source.succeed(["cleanup", "--all"]);
  await source.succeed(["range", "400", "405"], withNode);
  await expectWhole(source);
  assert.match(await source.succeed(["range", "390", "405"], withNode), /^0 blocks stored in .* 0 failed$/m);

  const file = scene.file("filecoin.dump");
  await source.succeed(["backup", file]);
  const copy = await scene.place("copy");
  assert.match(await copy.succeed(["restore", file]), / 0 wrong/);
  await expectWhole(copy);
  await copy.succeed(["range", "390", "405"], withNode);
  assert.deepEqual(await stored(copy), await stored(source));
});

async function stored({ pool }: BackupPlace): Promise<number[]> {
  const { rows } = await pool.query<{ n: number }>("select number::int as n from blocks order by 1");
  return rows.map(({ n }) => n);
}

async function expectWhole(place: BackupPlace): Promise<void> {
  const there = await stored(place);
  assert.deepEqual(
    there,
    Array.from({ length: 16 }, (_, i) => 390 + i).filter((number) => !absent.includes(number)),
  );
  assert.match(await place.succeed(["gaps", "390", "405"]), /^No gap/);
  assert.match(await place.succeed(["verify", "390", "405"]), / 0 wrong, 0 missing/);
  // Of itself it begins at the lowest block that is stored.
  assert.match(await place.succeed(["gaps"]), /^No gap/);
  assert.match(await place.succeed(["verify"]), / 0 wrong, 0 missing/);
  const status = JSON.parse(await place.succeed(["status", "--json"]));
  assert.deepEqual(status.stored, { count: there.length, atLeast: false });
  for (const number of absent)
    assert.match(await place.succeed(["why", String(number)]), /the chain has no block at this number/);
}
