import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../src/child/roles.js";
import { type RolledPlace, roll } from "../../src/supervisor/roll.js";

async function rolled(old: Role[], wanted: Role[], fits = true): Promise<string[]> {
  const did: string[] = [];
  const place = (role: Role): RolledPlace => ({ role });
  await roll({
    old: old.map(place),
    wanted,
    open: async (role) => void did.push(`open ${role}`),
    reopen: ({ role }) => void did.push(`reopen ${role}`),
    retire: async ({ role }) => void did.push(`retire ${role}`),
    fits: () => fits,
  });
  return did;
}

test("each new child is there before the old one goes; what is more is opened, what is less is retired", async () => {
  assert.deepEqual(await rolled(["worker", "orchestrator"], ["orchestrator", "worker", "worker"]), [
    "open orchestrator",
    "retire orchestrator",
    "open worker",
    "retire worker",
    "open worker",
  ]);
  assert.deepEqual(await rolled(["orchestrator", "worker", "worker"], ["orchestrator", "worker"]), [
    "open orchestrator",
    "retire orchestrator",
    "open worker",
    "retire worker",
    "retire worker",
  ]);
});

test("where the connections do not suffice for both, the old one goes first", async () => {
  assert.deepEqual(await rolled(["orchestrator"], ["orchestrator"], false), [
    "retire orchestrator",
    "open orchestrator",
  ]);
});
