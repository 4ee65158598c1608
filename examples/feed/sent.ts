// What each address sent, kept right through reorgs. Run it with Node 22.18 or newer, from this repository:
//
//   node examples/feed/sent.ts "postgresql://ledger:...@localhost/chain"
//
// It may be killed at any moment: its position commits with the table. SELECT * FROM start_reader('sent', 0), once, makes
// its reader, before the first step is gone.

import pg from "pg";

const [url, mode] = process.argv.slice(2);
const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query(
  "create table if not exists sent (sender bytea primary key, transactions bigint not null, value numeric not null)",
);

// Heard of before the first look: what comes in between wakes it.
let wake = (): void => {};
let isHinted = false;
client.on("notification", () => {
  isHinted = true;
  wake();
});
const { rows: schemas } = await client.query<{ name: string }>("select current_schema() as name");
await client.query(`listen ${pg.escapeIdentifier(`blockmill_changes_${schemas[0]?.name}`.slice(0, 63))}`);

for (;;) {
  isHinted = false;
  const steps = await takeSteps();
  if (steps > 0 || isHinted) continue;
  if (mode === "--once") break;
  await new Promise<void>((resolve) => {
    wake = resolve;
    setTimeout(resolve, 5_000);
  });
}
await client.end();

/** Takes the next steps, in one transaction. Returns how many. */
async function takeSteps(): Promise<number> {
  await client.query("begin isolation level repeatable read");
  try {
    const { rows: steps } = await client.query<{ id: string; kind: string; number: string }>(
      "select id, kind, number from read_changes('sent', 50)",
    );
    for (const { id, kind, number } of steps) {
      if (kind === "apply") await add(1, "transactions where block_number = $1", number);
      if (kind === "revert") await add(-1, "dropped_transactions where change_id = $1", id);
    }
    const last = steps.at(-1);
    if (last !== undefined) await client.query("select advance_reader('sent', $1)", [last.id]);
    await client.query("commit");
    return steps.length;
  } catch (error) {
    await client.query("rollback");
    // Another process has the reader's name: it was first, so look again.
    if ((error as { code?: string }).code === "40001") return 1;
    throw error;
  }
}

async function add(sign: 1 | -1, rows: string, key: string): Promise<void> {
  await client.query(
    `insert into sent as old select from_address, ${sign} * count(*), ${sign} * sum(value) from ${rows} group by 1
     on conflict (sender) do update
     set transactions = old.transactions + excluded.transactions, value = old.value + excluded.value`,
    [key],
  );
  await client.query("delete from sent where transactions = 0");
}
