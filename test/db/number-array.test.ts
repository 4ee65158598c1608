import assert from "node:assert/strict";
import { test } from "node:test";
import { numberArray } from "../../src/db/number-array.js";
import { useQueue } from "../queue/queue-database.js";

const database = useQueue();

test("PostgreSQL reads the numbers back, in their order", async () => {
  for (const numbers of [[], [7], [3, -1, Number.MAX_SAFE_INTEGER, 0]]) {
    const rows = await database.rows<{ number: number }>("select unnest($1::bigint[]) as number", [
      numberArray(numbers),
    ]);
    assert.deepEqual(
      rows.map(({ number }) => number),
      numbers,
    );
  }
});
