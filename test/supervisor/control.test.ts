import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { ConfigError, DatabaseUnavailableError } from "../../src/errors.js";
import { askToReload, listenForControl } from "../../src/supervisor/control.js";

let directory: string;
before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "blockmill-control-"));
});
after(() => rm(directory, { recursive: true }));

async function withDaemon(reload: () => Promise<void>, work: () => Promise<void>): Promise<void> {
  const close = listenForControl({ directory, reload });
  try {
    await work();
  } finally {
    close();
  }
}

test("whoever asks hears when the reload is done, or the reason why it is not", async () => {
  let reloads = 0;
  await withDaemon(
    async () => {
      reloads += 1;
      if (reloads === 2) throw new ConfigError("pipeline.workers: expected a number");
    },
    async () => {
      await askToReload(directory);
      await assert.rejects(
        askToReload(directory),
        new ConfigError("the reload failed: pipeline.workers: expected a number"),
      );
    },
  );
  assert.equal(reloads, 2);
});

test("where no daemon listens, nobody answers", async () => {
  await assert.rejects(askToReload(path.join(directory, "none")), DatabaseUnavailableError);
});

test("a request of another version, and what is none, are refused and reload nothing", async () => {
  const ask = async (line: string) => {
    const socket = createConnection(path.join(directory, "control"));
    socket.write(`${line}\n`);
    return text(socket);
  };
  await withDaemon(
    () => assert.fail("it reloaded"),
    async () => {
      assert.match(
        await ask('{"type":"upgrade"}'),
        /"failed":"this supervisor does not know the request upgrade/,
      );
      assert.match(await ask("no JSON"), /"failed":/);
      assert.match(await ask("x".repeat(70_000)), /"failed":/);
    },
  );
});
