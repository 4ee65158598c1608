import assert from "node:assert/strict";
import { test } from "node:test";
import { type ProcessRole, processRoles } from "../../src/child/roles.js";
import { readWorkers } from "../../src/queue/read-workers.js";
import { registerWorkers, type WorkerRow } from "../../src/queue/workers.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

const row = (role: string): WorkerRow => ({
  workerId: role === "supervisor" ? "vm.1.a" : `vm.1.a/${role}`,
  supervisorId: "vm.1.a",
  role: role as ProcessRole,
  hostname: "vm",
  pid: 1,
  version: "0",
  state: "working",
  doing: { memoryMb: 80 },
});

test("every role of the table may register, and so may one of a version to come; they are shown in their order", async () => {
  await registerWorkers(queue.pool, ["to-come", ...processRoles.toReversed()].map(row));
  const workers = await readWorkers(queue.pool, 100);
  assert.deepEqual(
    workers.map(({ role }) => role),
    [...processRoles, "to-come"],
  );
  assert.deepEqual(
    workers.map(({ doing }) => doing.memoryMb),
    workers.map(() => 80),
  );
});

test("what is no name of a role is refused", async () => {
  for (const role of ["", "Web", "a b", "x".repeat(41)])
    await assert.rejects(registerWorkers(queue.pool, [row(role)]), /processing_workers_role_check/);
});
